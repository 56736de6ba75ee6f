# The gate on a part of this machine only, for the scripts that source this after lib.sh: it is attached to a control group of
# our own, and who shall meet it is started in there.
# shellcheck shell=bash disable=SC2154,SC2034

GATE=${SEKISHO_BIN:-$root/build/bin}/../flow/gate

# gate_place: ends the test (77) where it cannot be tried, or where a gate is at work.
gate_place() {
	local hierarchy
	kernel_free
	if [ -e /sys/fs/bpf/sekisho-gate ]; then
		echo 'a gate holds on this machine'
		exit 77
	fi
	hierarchy=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)
	[ -n "$hierarchy" ] || {
		echo 'no control groups (cgroup2) here'
		exit 77
	}
	SEKISHO_GATE_CGROUP=$hierarchy/sekisho-flow-$$
	export SEKISHO_GATE_CGROUP
	mkdir "$SEKISHO_GATE_CGROUP"
	at_exit "rmdir $SEKISHO_GATE_CGROUP"
	at_exit "$GATE unload"
}

# within COMMAND...: runs it where the gate counts.
within() {
	bash -c 'echo $$ >"$SEKISHO_GATE_CGROUP/cgroup.procs" && exec "$@"' within "$@"
}

# make_disk: DISK is a block device of its own, NUMBER its number, with an ext4 on it.
make_disk() {
	truncate -s 16M "$tmp/disk"
	mkfs.ext4 -q "$tmp/disk"
	DISK=$(losetup -f --show "$tmp/disk") || {
		echo 'no loop devices here'
		exit 77
	}
	at_exit "losetup -d $DISK"
	NUMBER=$(lsblk -dno MAJ:MIN "$DISK" | tr -d ' ')
}

# generation: of DISK, as the gate has it.
generation() {
	"$GATE" look b "$NUMBER" | sed 's/.*generation=//'
}

# tries FLAGS [PATH]: opens it within; prints what came of it: ok or the name of the error.
tries() {
	within python3 - "$1" "${2:-$DISK}" <<'END'
import errno, os, sys
try:
    os.open(sys.argv[2], eval(sys.argv[1], {"__builtins__": {}}, vars(os)))
    print("ok")
except OSError as e:
    print(errno.errorcode[e.errno])
END
}

# expect WHAT FLAGS [PATH]
expect() {
	local got
	got=$(tries "${@:2}")
	[ "$got" = "$1" ] || fail "open ${*:2}: $got instead of $1"
}

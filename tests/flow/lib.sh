# Shared by the scripts in tests/flow: where the programs are, a folder that goes away, waiting on conditions. Source it first.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Built programs: packages/release by default; SEKISHO_BIN points elsewhere.
BIN=${SEKISHO_BIN:-$root/build/bin}
export PATH="$BIN:$PATH"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/sekisho-flow-XXXXXX")
chmod 755 "$tmp"
_at_exit=()

# at_exit COMMAND...: runs it when the script ends, last one first.
at_exit() {
	_at_exit=("$*" "${_at_exit[@]}")
}

_leave() {
	local status=$?
	set +e
	local c
	for c in "${_at_exit[@]}"; do
		eval "$c"
	done
	grep -slx "$$" "$ports"-* | xargs -r rm -f
	if [ "$status" -ne 0 ] && [ -n "${SEKISHO_KEEP:-}" ]; then
		printf 'kept: %s\n' "$tmp" >&2
	else
		rm -rf --one-file-system "$tmp"
	fi
	exit "$status"
}
trap _leave EXIT

# On standard error, or where that goes elsewhere by now, as with `expect_fail 1 COMMAND 2>/dev/null`, on standard output.
_stderr=$(readlink /proc/self/fd/2)
_failed() {
	local to=2
	[ "$(readlink /proc/self/fd/2)" = "$_stderr" ] || to=1
	printf 'FAILED: %s\n' "$*" >&"$to"
}

# A command that ends the script names itself, in functions and subshells too. Where errexit is off, as in $(...), what failed is not what
# ends it; conditions, fail and exit do not come here at all.
_broken() {
	local status=$?
	[[ $- == *e* ]] || return 0
	_failed "$(printf '%s:%s: status %s: %s' "${BASH_SOURCE[1]}" "${BASH_LINENO[0]}" "$status" "$1")"
}
set -E
trap '_broken "$BASH_COMMAND"' ERR

# as_user USER COMMAND...: by that user and its group of the same name, and no other.
as_user() {
	local user=$1
	shift
	setpriv --reuid="$user" --regid="$user" --clear-groups "$@"
}

note() {
	printf -- '- %s\n' "$*"
}

fail() {
	_failed "$*"
	exit 1
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails the test when it does not in time.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || fail "still not so: $*"
		sleep 0.1
	done
}

# expect_fail STATUS COMMAND...: the command must end with this status.
expect_fail() {
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" -eq "$want" ] || fail "ended with $got instead of $want: $*"
}

# stop PID: asks a process of ours to end and waits for it.
stop() {
	kill "$1" 2>/dev/null || return 0
	wait_for 60 bash -c "! kill -0 $1 2>/dev/null || grep -q '^State:.Z' /proc/$1/status 2>/dev/null"
	wait "$1" 2>/dev/null || true
}

# free_port [COUNT]: a port that nobody has, the first of COUNT in a row. No other flow is given it as long as this one runs, and the kernel
# gives it to nobody who connects somewhere: it lies below those.
ports=${TMPDIR:-/tmp}/sekisho-flow-port
free_port() {
	python3 - "$ports" "$$" "${1:-1}" <<'END'
import os, random, socket, sys
prefix, owner, count = sys.argv[1], sys.argv[2], int(sys.argv[3])


def alive(path):
    try:
        with open(path) as f:
            os.kill(int(f.read()), 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    except (OSError, ValueError):
        pass
    return True


def take(port):
    path = "%s-%d" % (prefix, port)
    if os.path.exists(path) and not alive(path):
        os.unlink(path)
    with open("%s-%s-%d" % (prefix, owner, port), "w") as f:
        f.write(owner)
    try:
        os.link(f.name, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(f.name)
    try:
        with socket.socket() as s:
            s.bind(("127.0.0.1", port))
    except OSError:
        os.unlink(path)
        return False
    return True


with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    below = int(f.read().split()[0])
for _ in range(1000):
    first = random.randrange(10000, below - count)
    taken = [p for p in range(first, first + count) if take(p)]
    if len(taken) == count:
        print(first)
        break
    for p in taken:
        os.unlink("%s-%d" % (prefix, p))
else:
    sys.exit("no port is free")
END
}

# kernel_free: ends the test (77) where it may not load kernel programs: they are the machine's, and where a recorder works
# already, a test does not take them from it.
kernel_free() {
	[ "$(id -u)" -eq 0 ] || {
		echo 'needs root: it loads BPF programs'
		exit 77
	}
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
	if [ -e /sys/fs/bpf/sekisho ]; then
		echo 'a recorder is installed and working on this machine'
		exit 77
	fi
}

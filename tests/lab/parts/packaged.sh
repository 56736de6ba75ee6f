# For who installs the packages in the PC of tests/lab/packages: apt, what must work then (records, sticks, print jobs), and what must be
# left of us. Source it behind story.sh and guard.sh.
# shellcheck shell=bash disable=SC2154
# shellcheck source=tests/flow/parts/packages.sh
. "$root/tests/flow/parts/packages.sh"
# Nothing of the tree's own: only what the packages put there.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive

# told COMMAND...: its output only where it fails.
told() {
	"$@" >"$tmp/told" 2>&1 </dev/null || fail "$*: $(tail -n 30 "$tmp/told"; journalctl -b -u 'sekisho*' --no-pager | tail -n 30)"
}
apt() {
	local at=$SECONDS
	told apt-get -y --no-install-recommends --allow-downgrades -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@"
	note "apt-get $*: $((SECONDS - at)) s"
}
# version N: of the three in the repository, older one first: another build, this one's programs under an older version, this one.
version() {
	apt-cache madison sekisho-common | awk '{print $3}' | sort -V | sed -n "$1p"
}
all() {
	printf "sekisho-%s=$1 " agent common collector
}

# initramfs yes|no: whether it is made anew from now on. In emulation that takes minutes, and is done where somebody looks at it.
initramfs() {
	sed -i "s/^update_initramfs=.*/update_initramfs=$1/" /etc/initramfs-tools/update-initramfs.conf
}

# works UNIT...: these are active, by this moment's programs, and no unit of this PC has failed.
works() {
	local unit failed pid
	for unit; do
		until_so 600 "sekisho-$unit is active" systemctl is-active -q "sekisho-$unit"
		systemctl is-enabled -q "sekisho-$unit" || fail "sekisho-$unit is not enabled"
		pid=$(systemctl show -P MainPID "sekisho-$unit")
		[[ $(readlink "/proc/$pid/exe") != *deleted* ]] || fail "sekisho-$unit runs what is not there any more"
	done
	failed=$(systemctl --failed --plain --no-legend | grep -v 'modprobe@\|systemd-modules-load' || true)
	[ -z "$failed" ] || fail "units failed: $failed $(journalctl -b -p warning --no-pager | tail -n 20)"
	! journalctl -b --no-pager | grep -i 'ordering cycle' || fail 'systemd had to break a cycle'
}

# What is left of us where nothing should be: pins, programs, rules, what CUPS and the initramfs have.
nothing_held() {
	[ -z "$(find /sys/fs/bpf -mindepth 1)" ] || fail "pins are left: $(find /sys/fs/bpf -mindepth 1 | head)"
	! find /lib/udev /usr/lib/udev /run/udev/rules.d /etc/udev -name '*sekisho*' 2>/dev/null | grep . || fail 'rules are left'
	! pgrep -a -f '/usr/sbin/sekisho-' | grep -v "sekisho-\(${1:-none}\)" || fail 'programs are left'
	! systemctl list-units --no-legend --plain --state=active 'sekisho-*' | grep -v "sekisho-\(${1:-none}\)" || fail 'units are left active'
	! pgrep -a cupsd | grep sekisho || fail 'cupsd is started by us'
	[ ! -e /opt/sekisho ] && [ ! -e /run/sekisho-cups ] || fail 'the folders before CUPS are left'
	! lsinitramfs /boot/initrd.img-* | grep sekisho || fail 'the initramfs has our rules'
}

# What knows the archive: nothing but what the PC was given.
knows_archive() {
	install -D -m 644 /srv/sekisho/sekisho.asc /etc/apt/keyrings/sekisho.asc
	echo 'deb [signed-by=/etc/apt/keyrings/sekisho.asc] file:/srv/sekisho ./' >/etc/apt/sources.list.d/sekisho.list
}

# --- what it is for ---

count=/home/taro/count
mkdir -p $count

# records WORD...: as JSON, of what arrived.
records() {
	sekishoctl log --json "$@"
}
recorded() {
	records --path "$1" | grep '"written":' >/dev/null
}

# arrives NAME: a file that is made now is told to the collector, and all that is there is good.
arrives() {
	echo "$1" >"$count/$1"
	until_so 900 "$1 is recorded" recorded "$count/$1"
	told sekishoctl verify
	note "recorded: $1; $(sekishoctl verify | tail -n 1)"
}

disk_of() {
	lsblk -pndo NAME,SERIAL | awk -v s="$1" '$2 == s {print $1; exit}'
}
has_disk() {
	[ -n "$(disk_of "$1")" ]
}
no_write_to() {
	held "$1: write to the disk" "$2" write_block "$(disk_of "$3")"
	held "$1: mount and write" "$2" mount_and_write "$(disk_of "$3")"
}

printer() {
	mkdir -p "$tmp/out"
	python3 "$root/tests/flow/parts/print_sink.py" 9100 "$tmp/out" &
	at_exit "kill $! 2>/dev/null"
	until_so 60 'the printer listens' bash -c 'exec 3<>/dev/tcp/127.0.0.1/9100' 2>/dev/null
}
# prints TITLE: a job, until it is at the printer.
prints() {
	find "$tmp/out" -type f -delete
	head -c 2000 /dev/urandom | base64 >"$tmp/doc"
	lp -d plain -t "$1" "$tmp/doc" >/dev/null
	until_so 300 "$1 at the printer" at_printer
}
at_printer() {
	local f
	for f in "$tmp/out"/*; do
		! cmp -s "$f" "$tmp/doc" || return 0
	done
	return 1
}
was_printed() {
	records --kind print | grep "$1" >/dev/null
}

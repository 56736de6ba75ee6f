# For scenarios that plug devices into the PC: what can be done from outside, and what is to be expected inside. Source it.
# A scenario reads as a story: make a stick, plug it, try, expect, compare its hash from outside.
# shellcheck shell=bash
# shellcheck source=tests/flow/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../flow/lib.sh"

# note TEXT...: as in the flows, with the seconds since the scenario began.
note() {
	printf -- '- %d s: %s\n' "$SECONDS" "$*"
}

disks=/run/lab/disks
[ -e /dev/virtio-ports/outside ] || skip 'runs in the lab only (tests/lab/run)'
exec 8<>/dev/virtio-ports/outside
declare -A hashes=()
# Whatever became of it: the next scenario finds no device of this one, and udev at work.
at_exit 'udevadm control --start-exec-queue; outside clean >/dev/null'

# outside ACT...: asks the world outside; prints what it says.
outside() {
	local answer
	printf '%s\n' "$*" >&8
	read -r -t 120 answer <&8 || fail "outside: no answer to: $*"
	[ "${answer%% *}" = ok ] || fail "outside: $answer"
	[ "$answer" = ok ] || printf '%s\n' "${answer#ok }"
}

# make NAME TYPE [MiB]: a disk image with a file "inside.txt", made here in a file: nothing is plugged yet.
make() {
	local name=$1 type=$2 mib=${3:-32} image=$tmp/$1.img mnt=$tmp/mnt
	truncate -s "${mib}M" "$image"
	mkdir -p "$tmp/seed" "$mnt"
	printf 'what is on the stick\n' >"$tmp/seed/inside.txt"
	case $type in
	raw) head -c "$((mib << 20))" /dev/urandom >"$image" ;;
	ext4) mkfs.ext4 -q -F -d "$tmp/seed" "$image" ;;
	vfat) mkfs.vfat -n STICK "$image" >/dev/null ;;
	exfat) mkfs.exfat "$image" >/dev/null ;;
	ntfs) mkfs.ntfs -q -F -f "$image" >/dev/null 2>&1 ;;
	xfs) mkfs.xfs -q -f "$image" ;;
	btrfs) mkfs.btrfs -q -f --rootdir "$tmp/seed" "$image" 2>/dev/null ;;
	parted) # a partition table with one ext4 partition
		mkfs.ext4 -q -F -d "$tmp/seed" "$image" "$(((mib - 2) << 10))k"
		mv "$image" "$image.part"
		truncate -s "${mib}M" "$image"
		printf '2048,,L\n' | sfdisk -q "$image"
		dd if="$image.part" of="$image" bs=1M seek=1 conv=notrunc status=none
		rm "$image.part"
		;;
	*) fail "make: what is $type?" ;;
	esac
	case $type in
	vfat | exfat | ntfs | xfs)
		mount -o loop "$image" "$mnt"
		cp "$tmp/seed/inside.txt" "$mnt/"
		umount "$mnt"
		;;
	esac
	cp --sparse=always "$image" "$disks/$name.img"
	rm "$image"
}

# A process costs an emulated PC a fifth of a second: what waits does so without any.
exec {idle}<> <(:)
pause() {
	read -r -t "$1" -u "$idle" || true
}

# plug NAME [OPTION...]: plugs it in (tests/lab/outside), waits until udev has dealt with it; DEV is its disk, where it has one.
plug() {
	local name=$1 d new until=$((SECONDS + 600)) # by a clock that counts instructions (run --count) a minute of waiting is over at once
	local -A before=()
	for d in /sys/bus/usb/devices/* /sys/block/*; do
		before[$d]=1
	done
	[ ! -e "$disks/$name.img" ] || hashes[$name]=$(outside hash "$name")
	outside plug "$@"
	DEV=''
	while :; do
		new=0
		for d in /sys/bus/usb/devices/* /sys/block/*; do
			[ -z "${before[$d]:-}" ] || continue
			new=1
			case ${d##*/} in
			sd* | sr* | mmcblk*) [ -n "$DEV" ] || DEV=/dev/${d##*/} ;;
			esac
		done
		if [ -n "$DEV" ]; then
			[ ! -b "$DEV" ] || break
		elif [ $new -eq 1 ] && [ ! -e "$disks/$name.img" ]; then
			break
		fi
		[ "$SECONDS" -lt "$until" ] || fail "plug $name: nothing appeared"
		pause 0.2
	done
	udevadm settle --timeout=60
}

unplug() {
	outside unplug "$1"
	udevadm settle --timeout=60
}

# unchanged NAME | changed NAME: its bytes, seen from outside, against those when it was plugged in; where they should be the same, which are not.
unchanged() {
	local differs
	differs=$(outside differs "$1" "${hashes[$1]}")
	[ "$differs" = same ] || fail "$1 was CHANGED: ${2:-}: $differs"
}

changed() {
	local differs
	differs=$(outside differs "$1" "${hashes[$1]}")
	[ -n "$differs" ] && [ "$differs" != same ] || fail "$1 is unchanged, and should not be: ${2:-}"
}

# case_is WAY DEVICE MODE OUTCOME: one row of the table (tests/lab/table).
case_is() {
	printf 'case: %s | %s | %s | %s\n' "$1" "$2" "$3" "$4"
}

# case_limit WAY DEVICE MODE REASON: what this kernel cannot.
case_limit() {
	note "$1: $4"
	case_is "$1" "$2" "$3" "limit: $4"
}

# held WAY NAME COMMAND...: the command must not change the medium, whatever it says of itself.
held() {
	local way=$1 name=$2 status=0
	shift 2
	"$@" >"$tmp/tried" 2>&1 || status=$?
	sync
	unchanged "$name" "$way: $*: $(tail -n 2 "$tmp/tried" | tr '\n' ' ')"
	note "$way: held (exit status $status)"
	case_is "$way" "${device:-$name}" "${mode:-enforce}" held
}

# allowed WAY NAME COMMAND...: it must work, and change the medium.
allowed() {
	local way=$1 name=$2
	shift 2
	"$@" >"$tmp/tried" 2>&1 || fail "$way: $*: $(tail -n 3 "$tmp/tried" | tr '\n' ' ')"
	sync
	changed "$name" "$way: $*"
	note "$way: allowed"
	case_is "$way" "${device:-$name}" "${mode:-enforce}" allowed
}

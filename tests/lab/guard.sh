# For scenarios with the guard: how it is started, and ways to write. Source it behind story.sh.
# shellcheck shell=bash disable=SC2154

# A PC that is enrolled nowhere: its key is all that the guard needs.
guard_start() {
	local dir=/var/lib/sekisho/device
	[ -e $dir/device.key ] || {
		openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $dir/device.key
		chgrp sekisho-seal $dir/device.key
		chmod 0640 $dir/device.key
	}
	systemctl start sekisho-load.service || fail "sekisho-load: $(journalctl -u sekisho-load --no-pager | tail -n 5)"
	systemctl start sekisho-guard.service || fail "sekisho-guard: $(journalctl -u sekisho-guard --no-pager | tail -n 15)"
}

# guard_records: what it recorded, as JSON lines on standard output.
guard_records() {
	systemctl stop sekisho-guard
	find /var/spool/sekisho/guard -name '*.seg' | sort | xargs -r sekishoctl decode
}

write_block() {

	dd if=/dev/urandom of="$1" bs=4096 count=1 seek=100 oflag=direct conv=notrunc
}

mount_and_write() {
	mkdir -p "$tmp/m"
	mount "$1" "$tmp/m" || mount -o ro "$1" "$tmp/m" || return
	cat "$tmp/m/inside.txt"
	echo "$RANDOM" >"$tmp/m/more.txt"
	sync
	umount "$tmp/m"
}

# wait_for SECONDS WHAT COMMAND...
wait_for() {
	local until=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || fail "$what: not within the time that it should take"
		sleep 0.1
	done
}

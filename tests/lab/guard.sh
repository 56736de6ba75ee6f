# For scenarios with the guard: how it is started, and ways to write. Source it behind story.sh.
# shellcheck shell=bash disable=SC2154

# The administrator's own machine, so to speak: his keys, and how far his policies have come. It stays from scenario to scenario.
office=/root/office

# A PC that knows its collector's log and its administrator, and has no network: what enrolment leaves behind.
guard_start() {
	local dir=/var/lib/sekisho/device
	[ -e $dir/device.key ] || {
		mkdir -p "$office"
		sekishoctl policy keygen --name log --out "$office/log.key" >$dir/log.vkey
		openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $dir/device.key
		chgrp sekisho-seal $dir/device.key
		chmod 0640 $dir/device.key
		sekishoctl policy keygen --name office --out "$office/admin.key" >/etc/sekisho/admin.keys
		sekishoctl release keygen --out "$office/release.key" >"$office/release.pub"
	}
	systemctl start sekisho-load.service || fail "sekisho-load: $(journalctl -u sekisho-load --no-pager | tail -n 5)"
	systemctl start sekisho-guard.service || fail "sekisho-guard: $(journalctl -u sekisho-guard --no-pager | tail -n 15)"
}

# policy_is [LINE OF THE LEDGER]... <POLICY: signs it, gives it to the guard, and waits until it is in force, so many seconds as `patience` says. `version:` is added.
policy_is() {
	version=$(($(cat "$office/version" 2>/dev/null || echo 0) + 1))
	printf '%d\n' "$version" >"$office/version"
	{
		printf 'version: %d\n' "$version"
		cat
	} >"$tmp/policy.yaml"
	printf 'vendor,product,serial,access,encrypted,medium\n' >"$tmp/devices.csv"
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$tmp/devices.csv"
	sekishoctl policy sign "$tmp/policy.yaml" --key "$office/admin.key" --log-key /var/lib/sekisho/device/log.vkey \
		--out "$tmp/signed" >/dev/null || fail 'the policy cannot be signed'
	sekishoctl policy apply "$tmp/signed" >/dev/null
	until_so "${patience:-5}" "policy $version in force" in_force "$version"
}

in_force() {
	grep -q "\"version\": $1," /run/sekisho/guard.json
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

# until_so SECONDS WHAT COMMAND...: as wait_for, and says what it is that it waits for.
until_so() {
	local until=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || fail "$what: not within the time that it should take"
		pause 0.1
	done
}

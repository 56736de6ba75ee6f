# Shared by flows with keys that a keeper holds: a real collector, a PC that enrols, seals and sends, and what must be so wherever the keys
# are. Source parts/tpm.sh first.
# shellcheck shell=bash disable=SC2154
tools=$(dirname "$BIN")/flow
server=$tmp/server
store=$server/var/lib/sekisho-collector/store
collector_log=$tmp/collector.log

ctl() {
	SEKISHO_ROOT=$server sekishoctl "$@"
}

start_collector() {
	mkdir -p "$server/run/sekisho" "$server/var/lib"
	printf '%s\n' 'listen = 127.0.0.1' "port = $port" 'commit = 20ms' 'disk_floor = 1M' >"$tmp/collector.conf"
	SEKISHO_ROOT=$server sekisho-collector --config "$tmp/collector.conf" --init 2>"$collector_log"
	SEKISHO_ROOT=$server sekisho-collector --config "$tmp/collector.conf" >>"$collector_log" 2>&1 &
	collector_pid=$!
	at_exit "kill -9 $collector_pid 2>/dev/null"
	wait_for 60 ctl host list
}

# enrol NAME [OPTION]...
enrol() {
	sekisho-uplink enrol --config "$conf" --name "$1" --collector "$url" "${@:2}" - <<<"$(ctl token create --name "$1" | tail -n 1)" >"$tmp/enrol.out" 2>&1
}

# plug SERIAL: a record of a stick, sealed with the device key's word.
plug() {
	printf '%s\n' "0781:5581|Maker|Stick|$1|08:06:50|taro" | "$tools/plugs" "$var/device/device.key" "$spool" 2>"$tmp/plugs.log" || return
	# Where there is a user for it, the uplink is that user.
	chmod -R o+rwX "$spool/guard"
}

# told COUNT PATTERN [OPTION...]: so many plugs of the log fit, as soon as its index has them.
told() {
	[ "$(ctl log --kind plug --json "${@:3}" | grep -c "\"$2\"")" -eq "$1" ]
}

sealed() {
	find "$spool/guard" -name '*.seg' | wc -l
}

# keys_are_held WORD: both key files have that in them, and no private key is on the disk.
keys_are_held() {
	local f
	for f in device/device.key uplink/tls.key; do
		grep -q "$1" "$var/$f"
		expect_fail 1 openssl pkey -in "$var/$f" -noout 2>/dev/null
	done
	[ "$(openssl pkey -pubin -in "$var/uplink/tls.key" -pubout)" = "$(openssl x509 -in "$var/uplink/tls.crt" -noout -pubkey)" ]
	openssl pkey -pubin -in "$var/device/device.key" -pubout -outform DER | cmp - "$var/device/device.pub"
	! grep -rlE -- '-----BEGIN (EC )?PRIVATE KEY' "$SEKISHO_ROOT" | grep -v /witness.key || fail 'a private key on the disk'
}

# sealed_and_sent PLACE
sealed_and_sent() {
	note 'sealed, sent over TLS, acknowledged'
	plug A1
	plug A2
	start_uplink
	wait_for 60 nothing_waits
	SEKISHO_ROOT=$server sekishoctl verify --store "$store" >"$tmp/verify" || fail "$(cat "$tmp/verify")"
	wait_for 60 field_is tls_key "\"$1\""
	wait_for 60 field_is connected true
	"$py" "$root/tests/verify/sekisho_verify.py" --store "$store" >"$tmp/verify" || fail "$(cat "$tmp/verify")"
	wait_for 60 told 2 'A[12]'
}

# doctor_says STATE WORDS: that is what it finds of the keys.
doctor_says() {
	sekishoctl doctor --json >"$tmp/doctor.json" || [ $? -eq 1 ]
	"$py" - "$1" "$2" "$tmp/doctor.json" <<-'END'
		import json, sys
		found = [f for f in json.load(open(sys.argv[3]))["findings"] if f["check"] == "keys"]
		assert [f["state"] for f in found] == [sys.argv[1]] and sys.argv[2] in found[0]["found"], found
	END
}

# enrolled_by_root WORD: enrolment makes the TLS key as the user that has the network, which reaches the socket by its group alone.
enrolled_by_root() {
	local there=$tmp/by-root/var/lib/sekisho f
	[ "$(id -u)" -eq 0 ] || return 0
	note 'enrolled by root where the socket is for the group of ours'
	mkdir -p "$tmp/by-root"
	ln -s "$SEKISHO_ROOT/run" "$tmp/by-root/run"
	chgrp 54320 "$keeper"
	chmod 660 "$keeper"
	SEKISHO_ROOT=$tmp/by-root with_users sekisho-uplink enrol --config "$conf" --name by-root --collector "$url" - \
		<<<"$(ctl token create --name by-root | tail -n 1)" >"$tmp/enrol.out" 2>&1 || fail "$(cat "$tmp/enrol.out")"
	chmod 666 "$keeper"
	for f in device/device.key uplink/tls.key; do
		grep -q "$1" "$there/$f"
	done
	[ "$(stat -c %u:%g "$there/uplink/tls.key")" = 54322:54322 ] || fail "$(stat -c '%u:%g %n' "$there"/*/*)"
}

# Not root when it seals: the device key is asked for by its own user, which reaches the socket by its group alone.
posture_seals() {
	local spool_json
	[ "$(id -u)" -eq 0 ] || return 0
	note 'how this PC is kept is sealed too, by a user of its own'
	stop "$uplink_pid"
	chgrp 54320 "$keeper"
	chmod 660 "$keeper"
	# shellcheck disable=SC2016 # for the shell in there
	with_users sh -c 'sekisho-posture --config "$1" && ! setpriv --reuid 65534 --regid 65534 --clear-groups test -w "$2"' - "$conf" "$keeper" 2>"$tmp/posture.log" ||
		fail "$(cat "$tmp/posture.log")"
	chmod 666 "$keeper"
	spool_json=$tools/spool-json
	[ "$("$spool_json" "$spool/posture" "$var/device/device.pub" | grep -c '"kind":"posture"')" -eq 6 ] || fail "$("$spool_json" "$spool/posture" "$var/device/device.pub") $(cat "$tmp/posture.log")"
	chmod -R o+rwX "$spool/posture"
	start_uplink
	wait_for 60 nothing_waits
	posture_told() {
		[ "$(ctl log --kind posture --json | wc -l)" -eq 6 ]
	}
	wait_for 60 posture_told
}

answers_are_right() {
	local point
	note 'what the keeper answers is right by openssl: a signature, and the secret of two keys'
	printf 'a message' >"$tmp/message"
	ask_keeper sign "$var/device/device.key" "$(sha256sum <"$tmp/message" | cut -d' ' -f1)" >"$tmp/raw"
	"$py" "$parts/tpm_ask.py" der "$(cat "$tmp/raw")" >"$tmp/signature"
	openssl dgst -sha256 -verify <(openssl pkey -pubin -in "$var/device/device.key" -pubout) -signature "$tmp/signature" "$tmp/message" >/dev/null
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$tmp/office.key" 2>/dev/null
	point=$(openssl pkey -in "$tmp/office.key" -pubout -outform DER | tail -c 65 | od -An -v -tx1 | tr -d ' \n')
	openssl pkey -pubin -in "$var/device/device.key" -pubout -out "$tmp/device.pem"
	openssl pkeyutl -derive -inkey "$tmp/office.key" -peerkey "$tmp/device.pem" -out "$tmp/secret"
	[ "$(ask_keeper agree "$var/device/device.key" "$point")" = "$(od -An -v -tx1 <"$tmp/secret" | tr -d ' \n')" ]

	note 'nobody else is answered, nonsense neither'
	if [ "$(id -u)" -eq 0 ]; then
		cp "$var/device/device.key" "$tmp/copy.key"
		chmod 644 "$tmp/copy.key"
		expect_fail 1 setpriv --reuid 65534 --regid 65534 --clear-groups "$py" "$parts/tpm_ask.py" "$keeper" sign "$tmp/copy.key" "$(printf '%064d' 0)" >"$tmp/out"
		grep -q 'may not use' "$tmp/out"
	fi
	expect_fail 1 ask_keeper sign "$tmp/office.key" "$(printf '%064d' 0)" >"$tmp/out"
	expect_fail 1 ask_keeper agree "$var/device/device.key" "04$(printf '%0128d' 0)" >"$tmp/out"
}

# renewed WORD: a certificate that ends soon (the collector's CA signs what it signed before, for less time) is renewed in time, with a new
# key that has that word in its file.
renewed() {
	local was
	note 'a certificate is renewed in time, with a new key in the same place'
	stop "$uplink_pid"
	"$py" "$parts/short_certificate.py" "$server/var/lib/sekisho-collector/ca" "$var/uplink/tls.crt" 9
	was=$(sha256sum <"$var/uplink/tls.key")
	start_uplink
	wait_for 60 is_renewed "$was"
	# It would find segments that it may not read yet.
	stop "$uplink_pid"
	plug R1
	start_uplink
	wait_for 60 nothing_waits
	wait_for 60 told 1 R1
	keys_are_held "$1"
	doctor_says good 'each signed just now'
}

is_renewed() {
	[ "$(sha256sum <"$var/uplink/tls.key")" != "$1" ] && [ ! -e "$var/uplink/tls.key.next" ] &&
		[ "$(openssl pkey -pubin -in "$var/uplink/tls.key" -pubout)" = "$(openssl x509 -in "$var/uplink/tls.crt" -noout -pubkey)" ]
}

# gone_and_back WORDS GO COME [STICKS]: what holds the keys goes by the command GO, of which the log says WORDS, and comes back by COME.
gone_and_back() {
	local before sticks=${4:-B}
	note 'what holds the keys is gone: records wait and are not lost, and are sealed when it is back'
	$2
	before=$(sealed)
	doctor_says bad "$1"
	plug "${sticks}1" || fail "$(cat "$tmp/plugs.log")"
	grep -q "$1" "$tmp/plugs.log" || fail "$(cat "$tmp/plugs.log")"
	[ "$(sealed)" -eq "$before" ]
	stop "$uplink_pid"
	start_uplink
	wait_for 60 field_is connected false
	$3
	wait_for 60 field_is connected true
	stop "$uplink_pid"
	plug "${sticks}2"
	[ "$(sealed)" -gt "$before" ]
	start_uplink
	wait_for 60 nothing_waits
	wait_for 60 told 2 "${sticks}[12]"
	stop "$uplink_pid"
}

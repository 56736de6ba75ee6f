# A recorder below a prefix of its own, for the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

ACTS=${SEKISHO_BIN:-$root/build/bin}/../flow/acts
SPOOL_JSON=${SEKISHO_BIN:-$root/build/bin}/../flow/spool-json

# The prefix: a key of the PC, settings that seal often.
recorder_place() {
	export SEKISHO_ROOT=$tmp
	mkdir -p "$tmp"/etc/sekisho "$tmp"/var/lib/sekisho/{device,inbox} "$tmp"/run/sekisho "$tmp"/var/spool/sekisho
	chmod 1777 "$tmp"/run/sekisho
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$tmp/var/lib/sekisho/device/device.key" 2>/dev/null
	openssl pkey -in "$tmp/var/lib/sekisho/device/device.key" -pubout -outform DER -out "$tmp/device.pub"
	printf 'spool_floor = 1M\nseal_after = 1s\n' >"$tmp/etc/sekisho/agent.conf"
}

# recorder_start [OPTION]...: loads the kernel programs and starts; RECORDER is its process.
recorder_start() {
	at_exit sekisho-load --unload
	# The gate is not what is tried here, and would stay on this machine.
	# With the umask that its unit has.
	(umask 077 && exec sekisho-load --gate off "$@") || fail 'sekisho-load'
	recorder_run
}

recorder_run() {
	rm -f "$tmp/run/sekisho/recorder.json"
	# no bus: sign-ins come from the prefix's own utmp
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent sekisho-recorder 2>>"$tmp/recorder.log" &
	RECORDER=$!
	at_exit "kill $RECORDER 2>/dev/null"
	wait_for 60 grep -q '"running": true' "$tmp/run/sekisho/recorder.json"
}

recorder_stop() {
	kill -TERM "$RECORDER"
	wait "$RECORDER" || {
		cat "$tmp/recorder.log"
		fail 'the recorder did not end well'
	}
}

# All records and headers, verified, as JSON lines.
recorder_records() {
	"$SPOOL_JSON" "$tmp/var/spool/sekisho/recorder" "$tmp/device.pub"
}

# Shared by the flows of the herald: one beside the collector of parts/collector.sh, and those to whom it speaks. Source lib.sh and
# that first.
# shellcheck shell=bash disable=SC2154,SC2034
herald_yaml=$tmp/herald.yaml
herald_state=$SEKISHO_ROOT/var/lib/sekisho-herald
herald_pid=''
export SINK_DIR=$tmp/sinks
mkdir -p "$SINK_DIR"

# A name and a key for who listens here, that only tests trust.
sink_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$tmp/sink.key" -out "$tmp/sink.crt" 2>/dev/null
	chmod 644 "$tmp/sink.key"
}

start_herald() {
	sekisho-herald --config "$herald_yaml" >>"$tmp/herald.log" 2>&1 &
	herald_pid=$!
	at_exit "kill -9 $herald_pid 2>/dev/null; wait $herald_pid 2>/dev/null"
}

# herald_watches: it stands somewhere in the log.
herald_watches() {
	kill -0 "$herald_pid" && grep -q 'watching from leaf' "$tmp/herald.log"
}

kill_herald() {
	kill -9 "$herald_pid"
	wait "$herald_pid" 2>/dev/null || true
}

# stop_herald: it must end by itself, well.
stop_herald() {
	local status=0
	kill "$herald_pid"
	wait "$herald_pid" || status=$?
	[ "$status" -eq 0 ] || { tail -n 20 "$tmp/herald.log" >&2; fail "the herald ended with $status"; }
}

herald_clean_log() {
	[ -e "$tmp/herald.log" ] || return 0
	! grep -E 'ERROR: AddressSanitizer|runtime error|LeakSanitizer' "$tmp/herald.log" >&2 || fail 'a sanitizer complained'
}
at_exit herald_clean_log

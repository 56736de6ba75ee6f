# Shared by the flows of the collector: a collector under $SEKISHO_ROOT, and the PC in parts/collector_pc.py. Source lib.sh first.
# shellcheck shell=bash disable=SC2154,SC2034
py=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/flow/parts
export SEKISHO_ROOT=$tmp/server FLOW_TMP=$tmp
COLLECTOR_PORT=$(free_port)
export COLLECTOR_PORT
state=$SEKISHO_ROOT/var/lib/sekisho-collector
sock=$SEKISHO_ROOT/run/sekisho/collector.sock
conf=$tmp/collector.conf
url=https://127.0.0.1:$COLLECTOR_PORT
collector_pid=''
mkdir -p "$SEKISHO_ROOT/run/sekisho" "$SEKISHO_ROOT/var/lib"
# Where there is a user for it, the daemon becomes that user.
chmod 777 "$SEKISHO_ROOT/run/sekisho"

# settings [KEY = VALUE]...
settings() {
	printf '%s\n' 'listen = 127.0.0.1' "port = $COLLECTOR_PORT" "$@" >"$conf"
	# Its doubles of PCs count answers: none that asks for a cosignature comes between.
	grep -q '^cosign' "$conf" || echo 'cosign = 0s' >>"$conf"
	grep -q '^disk_floor' "$conf" || echo 'disk_floor = 1M' >>"$conf"
}

collector() {
	sekisho-collector --config "$conf" "$@"
}

start_collector() {
	sekisho-collector --config "$conf" >>"$tmp/collector.log" 2>&1 &
	collector_pid=$!
	at_exit "kill -9 $collector_pid 2>/dev/null; wait $collector_pid 2>/dev/null"
	wait_for 60 answers
}

answers() {
	curl -sf --max-time 5 --unix-socket "$sock" http://localhost/admin/status
}

kill_collector() {
	kill -9 "$collector_pid"
	wait "$collector_pid" 2>/dev/null || true
}

# stop_collector: it must end by itself, well.
stop_collector() {
	local status=0
	kill "$collector_pid"
	wait "$collector_pid" || status=$?
	[ "$status" -eq 0 ] || { tail -n 20 "$tmp/collector.log" >&2; fail "the collector ended with $status"; }
}

# status NAME.NAME: a value of the collector's status.
status() {
	answers | "$py" -c 'import json, sys
v = json.load(sys.stdin)
for k in sys.argv[1].split("."): v = v[k]
print(json.dumps(v))' "$1"
}

# No sanitizer has complained, nothing has ended that should not.
clean_log() {
	[ -e "$tmp/collector.log" ] || return 0
	! grep -E 'ERROR: AddressSanitizer|runtime error|LeakSanitizer' "$tmp/collector.log" >&2 || fail 'a sanitizer complained'
}
at_exit clean_log

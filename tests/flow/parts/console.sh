# Shared by the flows of the console: a console beside the collector of parts/collector.sh. Source lib.sh and that first.
# shellcheck shell=bash disable=SC2154,SC2034
CONSOLE_PORT=$(free_port)
export CONSOLE_PORT
console_conf=$tmp/console.conf
console_url=https://127.0.0.1:$CONSOLE_PORT
console_state=$SEKISHO_ROOT/var/lib/sekisho-console
console_sock=$SEKISHO_ROOT/run/sekisho/console.sock
console_pid=''
page=$tmp/page

# console_settings [KEY = VALUE]...
console_settings() {
	printf '%s\n' '[console]' 'listen = 127.0.0.1' "port = $CONSOLE_PORT" 'page = /page' "$@" >"$console_conf"
}

start_console() {
	sekisho-console --config "$console_conf" >>"$tmp/console.log" 2>&1 &
	console_pid=$!
	at_exit "kill -9 $console_pid 2>/dev/null; wait $console_pid 2>/dev/null"
	wait_for 60 console_answers
}

console_answers() {
	kill -0 "$console_pid" && curl -sf --max-time 5 --unix-socket "$console_sock" http://localhost/desk/users
}

# stop_console: it must end by itself, well.
stop_console() {
	local status=0
	kill "$console_pid"
	wait "$console_pid" || status=$?
	[ "$status" -eq 0 ] || { tail -n 20 "$tmp/console.log" >&2; fail "the console ended with $status"; }
}

# web [CURL OPTION...] PATH: a request of a browser that has only the collector's CA
web() {
	local path=${*: -1}
	curl -s --max-time 30 --cacert "$state/ca/ca.crt" "${@:1:$#-1}" "$console_url$path"
}

console_clean_log() {
	[ -e "$tmp/console.log" ] || return 0
	! grep -E 'ERROR: AddressSanitizer|runtime error|LeakSanitizer' "$tmp/console.log" >&2 || fail 'a sanitizer complained'
}
at_exit console_clean_log

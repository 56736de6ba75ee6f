# Shared by the flows of the uplink: a PC under $SEKISHO_ROOT, the doubles of producer and collector. Source lib.sh first.
# shellcheck shell=bash disable=SC2154,SC2034
doubles=$root/tests/flow/doubles
py=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1
export SEKISHO_ROOT=$tmp/pc
var=$SEKISHO_ROOT/var/lib/sekisho
spool=$SEKISHO_ROOT/var/spool/sekisho
status=$SEKISHO_ROOT/run/sekisho/uplink.json
conf=$tmp/agent.conf
mkdir -p "$var" "$spool" "$SEKISHO_ROOT/run/sekisho" "$SEKISHO_ROOT/etc"
# Where there is a user for it, the daemon becomes that user.
chmod 777 "$SEKISHO_ROOT/run/sekisho" "$spool"
made=$tmp/made
: >"$made"
port=$(free_port)
url=https://127.0.0.1:$port
collector_pid='' uplink_pid=''

# settings [KEY = VALUE]...: short pauses, unless told otherwise.
settings() {
	local s
	printf '%s\n' "$@" >"$conf"
	for s in 'backoff_max = 300ms' 'outage = 1h' 'spread = 0s' 'rate = 0' 'debug = yes'; do
		grep -q "^${s%% *} " "$conf" || printf '%s\n' "$s" >>"$conf"
	done
}

# start_double DIR [OPTION]...: the misbehaving collector, until it listens.
start_double() {
	top=$1
	rm -f "$top/ready"
	"$py" "$doubles/collector.py" "$top" "$port" "${@:2}" >>"$tmp/double.log" 2>&1 &
	collector_pid=$!
	at_exit "kill -9 $collector_pid 2>/dev/null"
	wait_for 60 test -e "$top/ready"
}

stop_double() {
	kill -9 "$collector_pid"
	wait "$collector_pid" 2>/dev/null || true
}

start_uplink() {
	sekisho-uplink --config "$conf" >>"$tmp/uplink.log" 2>&1 &
	uplink_pid=$!
	at_exit "kill -9 $uplink_pid 2>/dev/null"
}

# produce COUNT [OPTION]...: seals segments; what was made is in $made.
produce() {
	"$py" "$doubles/producer.py" "$var/device/device.key" "$spool" "$@" >>"$made"
}

waiting() {
	find "$spool" -maxdepth 2 -name '*.seg' | wc -l
}

nothing_waits() {
	[ "$(waiting)" -eq 0 ]
}

# What was stored is what was made, each once. With a number: so many were refused.
same_as_made() {
	local refused=${1:-0}
	sort "$made" >"$tmp/a"
	sort "$top/stored" >"$tmp/b"
	[ -z "$(uniq -d "$tmp/b")" ] || fail 'stored twice'
	[ -z "$(comm -13 "$tmp/a" "$tmp/b")" ] || fail 'stored what was not made'
	[ "$(comm -23 "$tmp/a" "$tmp/b" | wc -l)" -eq "$refused" ] || fail "made and not stored: $(comm -23 "$tmp/a" "$tmp/b")"
}

# field NAME: of the status.
field() {
	"$py" -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): v = v[k]
print(json.dumps(v))' "$status" "$1"
}

field_is() {
	[ "$(field "$1")" = "$2" ]
}

logged() {
	grep -c -- "$1" "$tmp/uplink.log" || true
}

logged_more() {
	[ "$(logged "$1")" -gt "$2" ]
}

# pauses SECONDS: its next attempt is so far away that it does not come by itself meanwhile.
pauses() {
	local at
	# Read once: an attempt that begins meanwhile makes it null.
	at=$(field backoff_until)
	[ "$(field connected)" = false ] && [ "$at" != null ] && [ $((at / 1000000 - $(date +%s))) -ge "$1" ]
}

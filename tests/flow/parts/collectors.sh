# Shared by the flows of several collectors over one log: a second one, under $second_root, beside that of parts/collector.sh. Source
# lib.sh and that first, then call `second_settings`, once `settings` says what is the same for both.
# shellcheck shell=bash disable=SC2154,SC2034
first_root=$SEKISHO_ROOT second_root=$tmp/second
second=$second_root/var/lib/sekisho-collector
second_port=$(free_port)
second_conf=$tmp/second.conf
mkdir -p "$second_root/run/sekisho" "$second_root/var/lib"
chmod 777 "$second_root/run/sekisho"
export SECOND_ROOT=$second_root

second_settings() {
	sed "s/^port = .*/port = $second_port/" "$conf" >"$second_conf"
}

# answers_at first|second
answers_at() {
	local place=${1}_root
	curl -sf --max-time 5 --unix-socket "${!place}/run/sekisho/collector.sock" http://localhost/admin/status
}

declare -A pids=() builds=([first]=$BIN [second]=$BIN)
# start_at first|second: one of them, until it answers.
start_at() {
	local place=${1}_root file=$conf
	[ "$1" = first ] || file=$second_conf
	SEKISHO_ROOT=${!place} "${builds[$1]}/sekisho-collector" --config "$file" >>"$tmp/collector.log" 2>&1 &
	pids[$1]=$!
	at_exit "kill -9 ${pids[$1]} 2>/dev/null; wait ${pids[$1]} 2>/dev/null"
	wait_for 60 answers_at "$1"
}

kill_at() {
	kill -9 "${pids[$1]}" 2>/dev/null || true
	wait "${pids[$1]}" 2>/dev/null || true
}

stop_at() {
	local status=0
	kill "${pids[$1]}"
	wait "${pids[$1]}" || status=$?
	[ "$status" -eq 0 ] || fail "the $1 collector ended with $status"
}

# value FILE NAME: of that name, in whichever of the file's objects.
value() {
	"$py" -c 'import json, sys
text = open(sys.argv[1]).read().strip()
while text:
    v, n = json.JSONDecoder().raw_decode(text)
    text = text[n:].strip()
    if sys.argv[2] in v: print(v[sys.argv[2]])' "$@"
}

# second_asks: the second one's `collector join` runs, its id is in $id; it ends once it is let in.
second_asks() {
	(SEKISHO_ROOT=$second_root sekishoctl collector join --config "$second_conf" --json >"$tmp/joined" 2>"$tmp/said") &
	joining=$!
	at_exit "kill $joining 2>/dev/null"
	wait_for 60 asked
	id=$(value "$tmp/joined" asking)
}

asked() {
	[ -n "$(value "$tmp/joined" asking)" ]
}

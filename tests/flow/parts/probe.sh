# Kernel programs without a recorder, for the scripts that source this after lib.sh: what they tell, as lines of JSON.
# shellcheck shell=bash disable=SC2154,SC2034

TRICKS=${SEKISHO_BIN:-$root/build/bin}/../flow/tricks
ACTS=${SEKISHO_BIN:-$root/build/bin}/../flow/acts

probe_needs() {
	kernel_free
	export SEKISHO_ROOT=$tmp
	mkdir -p "$tmp/run/sekisho" "$tmp/work"
}

# The sets that this kernel takes, one a line.
probe_sets() {
	local set
	for set in trampoline tracepoint; do
		sekisho-load --gate off --set "$set" >/dev/null 2>&1 && printf '%s\n' "$set"
		sekisho-load --unload
	done
}

# probe_start SET [OPTION]...: what is told goes to $tmp/SET.events; DUMP is the process that reads.
probe_start() {
	local set=$1
	at_exit sekisho-load --unload
	sekisho-load --gate off --set "$@" >/dev/null || fail "sekisho-load --set $*"
	sekisho-load --dump "$tmp/work" >"$tmp/$set.events" 9>&- &
	DUMP=$!
	at_exit "kill $DUMP 2>/dev/null"
	wait_for 60 grep -q '"running"' "$tmp/$set.events"
}

# Ends the reading after one more sweep.
probe_stop() {
	kill -TERM "$DUMP"
	wait "$DUMP" || fail 'sekisho-load --dump did not end well'
	sekisho-load --unload
}

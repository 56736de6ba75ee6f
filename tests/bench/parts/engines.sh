# Shared by the benchmarks and flows that run a collector on either engine. Source lib.sh and parts/collector.sh first.
# shellcheck shell=bash disable=SC2154,SC2034
servers=''
engine='' place='' engine_n=0

# use_engine files|postgresql [KEY = VALUE]...: a fresh collector's folder (not started) whose log is there. `place`: of its store, '' for
# the folder's own.
use_engine() {
	engine=$1 place=''
	shift
	rm -rf "$state"
	engine_n=$((engine_n + 1))
	if [ "$engine" = postgresql ]; then
		if [ -z "$servers" ]; then
			servers=$(mktemp -d /tmp/sekisho-pg-XXXXXX)
			chmod 755 "$servers"
			at_exit "'$root/tests/postgresql' stop '$servers/a'; rmdir '$servers'"
			"$root/tests/postgresql" start "$servers/a"
		fi
		"$root/tests/postgresql" database "$servers/a" "bench$engine_n"
		place="postgresql://collector@/bench$engine_n?host=$servers/a"
		settings "$@" "store = $place"
	else
		settings "$@"
	fi
	collector --init 2>/dev/null
}

# The database's first process; '' of files.
database_pid() {
	[ "$engine" != postgresql ] || head -n 1 "$servers/a/data/postmaster.pid"
}

# Clock ticks of a process and what it started, those that have ended too. 0 without a PID.
ticks_of() {
	local p
	[ -n "${1:-}" ] || { echo 0 && return; }
	{
		awk '{print $14 + $15 + $16 + $17}' "/proc/$1/stat"
		for p in $(pgrep -P "$1"); do awk '{print $14 + $15}' "/proc/$p/stat" 2>/dev/null || true; done
	} | awk '{n += $1} END {print n + 0}'
}

database_bytes() {
	if [ "$engine" = postgresql ]; then
		PGHOST=$servers/a PGUSER=postgres psql -X -A -t -d "bench$engine_n" -c 'CHECKPOINT' -c 'SELECT pg_database_size(current_database())' | tail -n 1
	else
		echo 0
	fi
}

# The records that the store's own index has: counted by PostgreSQL or SQLite, not by a program of ours.
records_of_store() {
	if [ "$engine" = postgresql ]; then
		PGHOST=$servers/a PGUSER=postgres psql -X -A -t -d "bench$engine_n" -c 'SELECT count(*) FROM sekisho.record'
	else
		"$py" -c 'import glob, sqlite3, sys
n = 0
for path in glob.glob(sys.argv[1] + "/index/20*.db"):
    n += sqlite3.connect("file:%s?mode=ro" % path, uri=True).execute("SELECT coalesce(sum(n), 0) FROM seg").fetchone()[0]
print(n)' "$state/store"
	fi
}

# A person's programs ask this engine's log without being told so each time, as who reads only.
asked_by_default() {
	mkdir -p "$SEKISHO_ROOT/etc/sekisho"
	printf '%s\n' '[console]' ${place:+"store = ${place/collector@/console@}"} >"$SEKISHO_ROOT/etc/sekisho/collector.conf"
}

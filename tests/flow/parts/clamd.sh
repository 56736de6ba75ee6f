# Shared by the flows that scan: a clamd of our own, which knows one signature and nothing else. Source lib.sh first.
# shellcheck shell=bash disable=SC2154,SC2034
clam=${SEKISHO_ROOT:-$tmp}/clam
clamd_sock=$clam/ctl

# clamd_knows NAME TEXT: its one signature, by ClamAV's manual: a name, any target, any offset, the bytes.
clamd_knows() {
	mkdir -p "$clam"
	printf '%s:0:*:%s\n' "$1" "$(printf '%s' "$2" | od -An -v -tx1 | tr -d ' \n')" >"$clam/test.ndb"
}

# start_clamd: listens at $clamd_sock when this returns, for everybody, as Debian's does.
start_clamd() {
	printf '%s\n' "LocalSocket $clamd_sock" 'LocalSocketMode 666' "DatabaseDirectory $clam" 'Foreground yes' 'User root' 'OfficialDatabaseOnly no' >"$clam/conf"
	clamd --config-file="$clam/conf" >"$clam/log" 2>&1 &
	clamd_pid=$!
	at_exit "kill $clamd_pid 2>/dev/null || true"
	wait_for 60 test -S "$clamd_sock"
}

# clamd_liar PYTHON: $liar listens at $clamd_sock in the place of a clamd, and answers one stream with these bytes and a NUL.
clamd_liar() {
	/usr/bin/python3 - "$clam/liar" "$1" <<'END' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + ".new")
os.chmod(sys.argv[1] + ".new", 0o666)
s.listen(9)
os.rename(sys.argv[1] + ".new", sys.argv[1])
c, _ = s.accept()
while not c.recv(65536).endswith(bytes(4)):
    pass
c.sendall(eval(sys.argv[2]) + b"\0")
END
	liar=$!
	wait_for 60 test -S "$clam/liar"
	mv "$clam/liar" "$clamd_sock"
}

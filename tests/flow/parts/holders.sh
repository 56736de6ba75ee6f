# Somebody who takes all the places at a socket, and says nothing there. For the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154

# held_by USER SOCKET TYPE: from now on, until `holder_goes`, 64 connections of that user's are open or made anew as often as they are closed.
held_by() {
	rm -f "$tmp/holds"
	# shellcheck disable=SC2016 # python's own
	setpriv --reuid="$1" --regid="$1" --clear-groups /usr/bin/python3 -c 'import select, socket, sys, time
path, kind = sys.argv[1], getattr(socket, sys.argv[2])
held, rounds = [], 0
while True:
    while len(held) < 64:
        s = socket.socket(socket.AF_UNIX, kind)
        s.setblocking(False)
        try:
            s.connect(path)
        except OSError:
            break
        held.append(s)
    over = select.select(held, [], [], 0.02)[0]
    for s in over:
        held.remove(s)
        s.close()
    rounds += 1
    if held and rounds >= 20:
        print("holds", flush=True)' "$2" "$3" >"$tmp/holds" &
	holder=$!
	at_exit "kill $holder 2>/dev/null"
	wait_for 60 test -s "$tmp/holds"
}
holder_goes() {
	kill "$holder"
	wait "$holder" || true
}

# asked_by USER SOCKET TYPE QUESTION: what is answered; nothing where it hangs up.
asked_by() {
	setpriv --reuid="$1" --regid="$1" --clear-groups /usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[2]))
# Not with a time before: where the queue is full, connect then fails at once instead of waiting.
s.connect(sys.argv[1])
s.settimeout(60)
try:
    s.sendall(sys.argv[3].encode())
    print(s.recv(1 << 20).decode())
except (BrokenPipeError, ConnectionResetError):
    pass' "$2" "$3" "$4"
}

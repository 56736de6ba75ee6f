# A person's desktop: a session bus where SEKISHO_ROOT has it, and a real notification daemon (dunst, under Xvfb) that is asked
# afterwards what it showed; for the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

py=/usr/bin/python3

# desktop_place USER: bus and screen of that person's session. Ends the test (77) where it cannot run.
desktop_place() {
	local p
	for p in dunst dunstctl busctl Xvfb dbus-daemon setpriv; do
		command -v "$p" >/dev/null || {
			echo "$p is not installed"
			exit 77
		}
	done
	uid=$(id -u "$1") gid=$(id -g "$1")
	run=$SEKISHO_ROOT/run/user/$uid
	mkdir -p "$run" "$tmp/home"
	chown -R "$1" "$SEKISHO_ROOT/run/user" "$tmp/home"
	address=unix:path=$run/bus
	person dbus-daemon --session --nofork --nopidfile --address="$address" 2>"$tmp/bus.log" &
	bus=$!
	at_exit "kill $bus 2>/dev/null"
	wait_for 60 test -S "$run/bus"
	Xvfb -displayfd 3 -screen 0 800x600x24 -nolisten tcp 3>"$tmp/display" 2>"$tmp/x.log" &
	at_exit "kill $! 2>/dev/null"
	wait_for 60 test -s "$tmp/display"
	display=:$(cat "$tmp/display")
}

# person COMMAND...: as that person, in their session. In the background it is the command itself that $! names.
person() {
	[ "$BASHPID" = "$$" ] || exec_person "$@"
	(exec_person "$@")
}

exec_person() {
	exec setpriv --reuid "$uid" --regid "$gid" --clear-groups env -i PATH="$PATH" HOME="$tmp/home" XDG_RUNTIME_DIR="$run" \
		DBUS_SESSION_BUS_ADDRESS="$address" DISPLAY="${display:-}" LANG="${session:-C}" "$@"
}

# desktop LANG: the daemon anew, as one that was started in a session of this language.
desktop() {
	[ -z "${dunst:-}" ] || stop "$dunst"
	session=$1
	person dunst >"$tmp/dunst.log" 2>&1 &
	dunst=$!
	at_exit "kill $dunst 2>/dev/null"
	wait_for 60 person busctl --user status org.freedesktop.Notifications
}

# shown: what the daemon has shown, one a line: summary, body.
shown() {
	person dunstctl close-all
	person dunstctl history | "$py" -c '
import json, sys
for n in json.load(sys.stdin)["data"][0][::-1]:
    print(n["appname"]["data"], n["summary"]["data"], n["body"]["data"].replace("\n", " / "), sep=" | ")'
}

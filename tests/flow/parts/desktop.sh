# A person's desktop: a session bus where SEKISHO_ROOT has it, a screen (X by Xvfb, or Wayland by sway without one), and a real
# notification daemon (dunst, or mako) that is asked afterwards what it showed; for the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

py=/usr/bin/python3

# desktop_place USER [x11|wayland]: bus and screen of that person's session, in the place of what was there before. Ends the test
# (77) where it cannot run. On Wayland there is no DISPLAY, and no Xwayland.
desktop_place() {
	local p needs=(busctl dbus-daemon setpriv)
	desktop_kind=${2:-x11}
	case $desktop_kind in
	x11) needs+=(dunst dunstctl Xvfb) ;;
	wayland) needs+=(mako makoctl sway swaymsg) ;;
	esac
	for p in "${needs[@]}"; do
		command -v "$p" >/dev/null || {
			echo "$p is not installed"
			exit 77
		}
	done
	desktop_stop
	uid=$(id -u "$1") gid=$(id -g "$1")
	run=$SEKISHO_ROOT/run/user/$uid
	rm -rf "$run"
	mkdir -p "$run" "$tmp/home"
	chown -R "$1" "$SEKISHO_ROOT/run/user" "$tmp/home"
	chmod 700 "$run"
	address=unix:path=$run/bus
	screen_words=()
	person dbus-daemon --session --nofork --nopidfile --address="$address" 2>"$tmp/bus.log" &
	bus=$!
	at_exit "kill $bus 2>/dev/null"
	wait_for 60 test -S "$run/bus"
	"screen_$desktop_kind"
}

screen_x11() {
	rm -f "$tmp/display"
	Xvfb -displayfd 3 -screen 0 800x600x24 -nolisten tcp 3>"$tmp/display" 2>"$tmp/x.log" &
	screen=$!
	at_exit "kill $screen 2>/dev/null"
	wait_for 60 test -s "$tmp/display"
	screen_words=(DISPLAY=":$(cat "$tmp/display")")
}

screen_wayland() {
	printf '%s\n' 'xwayland disable' 'output HEADLESS-1 resolution 800x600' >"$tmp/sway.conf"
	chmod 644 "$tmp/sway.conf"
	person env WLR_BACKENDS=headless WLR_RENDERER=pixman WLR_LIBINPUT_NO_DEVICES=1 sway -c "$tmp/sway.conf" 2>"$tmp/sway.log" &
	screen=$!
	at_exit "kill $screen 2>/dev/null"
	# The socket of its own orders has its number; the screen's is the first that is free.
	screen_words=(SWAYSOCK="$run/sway-ipc.$uid.$screen.sock")
	wait_for 60 person swaymsg -t get_version
	screen_words+=(WAYLAND_DISPLAY="$(cd "$run" && for f in wayland-?; do echo "$f"; done | head -n 1)")
}

# desktop_stop: nothing of it is there any more.
desktop_stop() {
	local it
	for it in "${notifier:-}" "${screen:-}" "${bus:-}"; do
		[ -z "$it" ] || ! kill -0 "$it" 2>/dev/null || stop "$it"
	done
	notifier='' screen='' bus=''
}

# person COMMAND...: as that person, in their session. In the background it is the command itself that $! names.
person() {
	[ "$BASHPID" = "$$" ] || exec_person "$@"
	(exec_person "$@")
}

exec_person() {
	exec setpriv --reuid "$uid" --regid "$gid" --clear-groups env -i PATH="$PATH" HOME="$tmp/home" XDG_RUNTIME_DIR="$run" \
		DBUS_SESSION_BUS_ADDRESS="$address" LANG="${session:-C}" "${screen_words[@]}" "$@"
}

# desktop LANG: the daemon anew, as one that was started in a session of this language.
desktop() {
	[ -z "${notifier:-}" ] || stop "$notifier"
	session=$1
	case $desktop_kind in
	x11) person dunst >"$tmp/notifier.log" 2>&1 & ;;
	wayland) person mako >"$tmp/notifier.log" 2>&1 & ;;
	esac
	notifier=$!
	at_exit "kill $notifier 2>/dev/null"
	wait_for 60 person busctl --quiet --user call org.freedesktop.DBus / org.freedesktop.DBus GetNameOwner s org.freedesktop.Notifications
}

# shown: what the daemon has shown, one a line: summary, body.
shown() {
	[ "$desktop_kind" != x11 ] || person dunstctl close-all
	case $desktop_kind in
	x11) person dunstctl history ;;
	wayland) person makoctl list ;;
	esac | "$py" -c '
import json, sys
for n in json.load(sys.stdin)["data"][0][::-1]:
    name = n["appname"] if "appname" in n else n["app-name"]
    print(name["data"], n["summary"]["data"], n["body"]["data"].replace("\n", " / "), sep=" | ")'
}

# screenshot FILE: what the screen looks like now, as PNG (on X by imagemagick, on Wayland by grim); for whoever wants to see it.
screenshot() {
	case $desktop_kind in
	x11) env "${screen_words[@]}" import -window root "png:$1" || true ;;
	wayland) person grim - >"$1" || true ;;
	esac
}

# wayland_windows: the title of each window on the Wayland screen, one a line.
wayland_windows() {
	person swaymsg -t get_tree | "$py" -c '
import json, sys
def walk(n):
    if n.get("pid") and n.get("visible"):
        print(n["name"])
    for inner in n["nodes"] + n["floating_nodes"]:
        walk(inner)
walk(json.load(sys.stdin))'
}

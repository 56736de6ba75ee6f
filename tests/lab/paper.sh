# For scenarios of paper: CUPS of this PC behind the gate, as a package leaves it, and printers to print on. Source it behind guard.sh.
# shellcheck shell=bash disable=SC2154

SPOOL_JSON=$BIN/../flow/spool-json
gate_conf=/usr/local/share/sekisho/cups

# paper_start: keys, the guard, the gate, CUPS behind it. Everything runs by its own unit.
paper_start() {
	guard_start
	openssl pkey -in /var/lib/sekisho/device/device.key -pubout -outform DER -out "$tmp/device.pub"
	install -d /opt/sekisho/cups
	install -D -m 0644 "$gate_conf/50-sekisho.conf" /etc/systemd/system/cups.service.d/50-sekisho.conf
	grep -q '^seal_after' /etc/sekisho/agent.conf || printf 'seal_after = 1s\nspool_floor = 1M\n' >>/etc/sekisho/agent.conf
	systemctl daemon-reload
	systemctl start avahi-daemon.service || fail 'no Avahi, which ippeveprinter of Debian 12 does not start without'
	systemctl start sekisho-print.service || fail "$(journalctl -u sekisho-print --no-pager | tail -n 15)"
	cups_start
}

cups_start() {
	systemctl restart cups.service || fail "$(journalctl -u cups --no-pager | tail -n 15)"
	until_so 120 'CUPS answers' lpstat -r
	until_so 120 'CUPS tells the gate what happens' grep -q '"pushed": true' /run/sekisho/print.json
}

# paper_stop: as before.
paper_stop() {
	systemctl stop cups.service cups.socket cups.path sekisho-print.service avahi-daemon.service avahi-daemon.socket 2>/dev/null
	rm -f /etc/systemd/system/cups.service.d/50-sekisho.conf
	systemctl daemon-reload
}

# sink NAME PORT: a printer of port 9100; each job is a file in $tmp/out/NAME.
sink() {
	mkdir -p "$tmp/out/$1"
	python3 "$root/tests/flow/parts/print_sink.py" "$2" "$tmp/out/$1" &
	at_exit "kill $! 2>/dev/null"
	until_so 60 "the printer $1 listens" bash -c "exec 3<>/dev/tcp/127.0.0.1/$2"
}

# eve NAME PORT [OPTION]...: an IPP Everywhere printer.
eve() {
	local name=$1 port=$2
	shift 2
	mkdir -p "$tmp/out/$name"
	ippeveprinter -r off -c /bin/true -k -2 -n localhost -p "$port" -d "$tmp/out/$name" "$@" "$name" >"$tmp/eve-$name.log" 2>&1 &
	at_exit "kill $! 2>/dev/null"
	until_so 120 "the printer $name answers" ipptool -q "ipp://localhost:$port/ipp/print" get-printer-attributes.test
}

# queue NAME URI [OPTION OF LPADMIN]...
queue() {
	local name=$1 uri=$2
	shift 2
	lpadmin -p "$name" -v "$uri" -E "$@" >"$tmp/lpadmin.log" 2>&1 || fail "lpadmin: $(cat "$tmp/lpadmin.log")"
}

submit() {
	lp "$@" | sed -n 's/^request id is .*-\([0-9]*\) .*/\1/p'
}

# A record of that kind and job for which the expression over `r` holds; kind "job" is all that was said of it, later words before
# earlier ones: what a slow PC's inspector found after the judgement is told with the job's end.
recorded_now() {
	"$SPOOL_JSON" /var/spool/sekisho/print "$tmp/device.pub" 2>/dev/null | python3 -c '
import json, sys
kind, job, holds = sys.argv[1], int(sys.argv[2]), compile(sys.argv[3], "wanted", "eval")
rows = [r for r in map(json.loads, sys.stdin) if r.get("job") == job]
rows = [dict(f for r in rows for f in r.items())] if kind == "job" else [r for r in rows if r.get("kind") == kind]
def so(r):
    try:
        return eval(holds, {"r": r})
    except KeyError:
        return False
sys.exit(not any(map(so, rows)))' "$@"
}

recorded() {
	local i
	for ((i = 0; i < 120; i++)); do
		! recorded_now "$@" || return 0
		pause 1
	done
	fail "no record $*: $("$SPOOL_JSON" /var/spool/sekisho/print "$tmp/device.pub" | grep "\"job\":$2,"; tail -n 20 /var/log/cups/error_log /var/log/ipp-usb/main.log 2>/dev/null || :)"
}

# arrived NAME FILE: what arrived there is that file.
arrived() {
	local f
	for f in "$tmp/out/$1"/*; do
		[ -f "$f" ] && [[ $f != *.prn ]] && cmp -s "$f" "$2" && return 0
	done
	return 1
}

# A CUPS of this machine's Debian in a private instance (own folders, socket and port), printers to print on, and the print gate
# before it, for the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

SPOOL_JSON=${SEKISHO_BIN:-$root/build/bin}/../flow/spool-json
place=$tmp/pc
cups=$tmp/cups
print_sock=$place/run/cups/cups.sock
samples=$tmp/samples
unset CUPS_SERVER

# print_needs: ends the test (77) where it cannot run.
print_needs() {
	[ "$(id -u)" -eq 0 ] || {
		echo 'needs root: cupsd runs backends as root and lp'
		exit 77
	}
	local p
	for p in /usr/sbin/cupsd ippeveprinter lp ipptool gs; do
		command -v "$p" >/dev/null || {
			echo "needs $p (packaging/dependencies)"
			exit 77
		}
	done
}

# print_place: a key of the PC, settings that seal often, an empty CUPS.
print_place() {
	print_needs
	export SEKISHO_ROOT=$place
	mkdir -p "$place"/etc/sekisho "$place"/etc/cups "$place"/var/lib/sekisho/{device,inbox,guard} "$place"/run/{sekisho,cups} "$place"/var/spool/sekisho
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$place/var/lib/sekisho/device/device.key" 2>/dev/null
	openssl pkey -in "$place/var/lib/sekisho/device/device.key" -pubout -outform DER -out "$tmp/device.pub"
	printf 'spool_floor = 1M\nseal_after = 1s\n' >"$place/etc/sekisho/agent.conf"
	mkdir -p "$cups"/{etc/ppd,spool/tmp,cache,log} "$tmp/out" "$samples"
	chown -R root:lp "$cups" "$place/run/cups"
	chmod 710 "$cups/spool"
	chmod 1770 "$cups/spool/tmp"
	chmod 770 "$cups/cache" "$cups/log"
	chmod 755 "$place/run/cups"
	print_port=$(free_port)
	cat >"$place/etc/cups/cups-files.conf" <<-EOF
		ServerRoot $cups/etc
		RequestRoot $cups/spool
		CacheDir $cups/cache
		StateDir $place/run/cups
		TempDir $cups/spool/tmp
		AccessLog $cups/log/access_log
		ErrorLog $cups/log/error_log
		PageLog $cups/log/page_log
		User lp
		Group lp
		SystemGroup lpadmin root
		FileDevice Yes
	EOF
	cat >"$cups/etc/cupsd.conf" <<-EOF
		LogLevel debug2
		MaxLogSize 0
		Listen $print_sock
		Listen 127.0.0.1:$print_port
		Browsing Off
		WebInterface No
		DefaultAuthType Basic
		ErrorPolicy abort-job
		JobKillDelay 5
		DirtyCleanInterval 0
		${print_conf:-}
		<Location />
		  Order allow,deny
		  Allow localhost
		</Location>
		<Policy default>
		  JobPrivateAccess default
		  JobPrivateValues default
		  SubscriptionPrivateAccess default
		  SubscriptionPrivateValues default
		  <Limit All>
		    Order deny,allow
		  </Limit>
		</Policy>
	EOF
	export CUPS_SERVER=$print_sock
}

# print_own_bin: CUPS's ServerBin as it is, in a folder where a driver's package can bring a backend, with one that does nothing.
print_own_bin() {
	local f
	mkdir -p "$tmp/bin/backend"
	for f in /usr/lib/cups/*; do
		[ "$(basename "$f")" = backend ] || ln -s "$f" "$tmp/bin/"
	done
	for f in /usr/lib/cups/backend/*; do
		ln -s "$f" "$tmp/bin/backend/"
	done
	install -m 0755 /bin/true "$tmp/bin/backend/nothing"
	printf 'ServerBin %s\nPassEnv DBUS_SYSTEM_BUS_ADDRESS\n' "$tmp/bin" >>"$place/etc/cups/cups-files.conf"
}

# print_files: the cups-files.conf that cupsd shall be started with: gated | stock
print_files() {
	if [ "$1" = gated ]; then
		sekisho-print prepare --cupsd-conf "$cups/etc/cupsd.conf" || fail 'prepare'
		echo "$place/run/sekisho-cups/cups-files.conf"
	else
		echo "$place/etc/cups/cups-files.conf"
	fi
}

cups_answers() {
	lpstat -r | grep -q 'is running'
}

# cups_start gated|stock
cups_start() {
	local files
	files=$(print_files "$1")
	/usr/sbin/cupsd -f -c "$cups/etc/cupsd.conf" -s "$files" 2>>"$tmp/cupsd.log" &
	CUPSD=$!
	at_exit "kill -9 $CUPSD 2>/dev/null"
	wait_for 60 cups_answers
}

cups_stop() {
	kill "$CUPSD" 2>/dev/null
	wait "$CUPSD" 2>/dev/null || true
}

gate_start() {
	rm -f "$place/run/sekisho/print.json"
	sekisho-print 2>>"$tmp/print.log" &
	PRINT=$!
	at_exit "kill -9 $PRINT 2>/dev/null"
	wait_for 60 grep -q '"running": true' "$place/run/sekisho/print.json"
}

gate_stop() {
	kill -CONT "$PRINT"
	kill -TERM "$PRINT"
	wait "$PRINT" || {
		cat "$tmp/print.log"
		fail 'sekisho-print did not end well'
	}
}

# gate_sees: until CUPS tells the daemon by itself what happens.
gate_sees() {
	wait_for 60 grep -q '"pushed": true' "$place/run/sekisho/print.json"
}

# eve NAME [OPTION]...: an IPP Everywhere printer; what it prints lies in $tmp/out/NAME. Its port is in eve_port[NAME]. With a command to
# run it does not play the time that a printer takes; the command's own output (.prn) is none of ours. eve_subtypes: found by DNS-SD.
declare -A eve_port=() sink_port=()
eve() {
	local name=$1
	shift
	mkdir -p "$tmp/out/$name"
	eve_port[$name]=$(free_port)
	ippeveprinter -r "${eve_subtypes:-off}" -c /bin/true -k -2 -s 1000,1000 -n localhost -p "${eve_port[$name]}" -d "$tmp/out/$name" "$@" "$name" >>"$tmp/eve-$name.log" 2>&1 &
	at_exit "kill -9 $! 2>/dev/null"
	wait_for 60 ipptool -q "ipp://localhost:${eve_port[$name]}/ipp/print" get-printer-attributes.test
}

# sink NAME: a printer of port 9100; each job is a file in $tmp/out/NAME.
sink() {
	local name=$1
	mkdir -p "$tmp/out/$name"
	sink_port[$name]=$(free_port)
	python3 "$root/tests/flow/parts/print_sink.py" "${sink_port[$name]}" "$tmp/out/$name" &
	at_exit "kill -9 $! 2>/dev/null"
	wait_for 60 bash -c "exec 3<>/dev/tcp/127.0.0.1/${sink_port[$name]}"
}

# lpd NAME: a printer that speaks LPD.
lpd() {
	mkdir -p "$tmp/out/$1"
	sink_port[$1]=$(free_port)
	python3 "$root/tests/flow/parts/print_lpd.py" "${sink_port[$1]}" "$tmp/out/$1" &
	at_exit "kill -9 $! 2>/dev/null"
	wait_for 60 bash -c "exec 3<>/dev/tcp/127.0.0.1/${sink_port[$1]}"
}

# another_cups NAME: another PC's CUPS, without a gate, on port far_port; its queue NAME prints to the sink of that name.
another_cups() {
	local far=$tmp/far
	mkdir -p "$far"/{etc/ppd,spool/tmp,cache,log,run}
	chown -R root:lp "$far"
	chmod 710 "$far/spool"
	chmod 1770 "$far/spool/tmp"
	chmod 770 "$far/cache" "$far/log"
	far_port=$(free_port)
	sed "s|$cups|$far|g; s|^StateDir .*|StateDir $far/run|" "$place/etc/cups/cups-files.conf" >"$far/etc/cups-files.conf"
	sed "s|$print_sock|$far/run/cups.sock|; s|127.0.0.1:$print_port|127.0.0.1:$far_port|" "$cups/etc/cupsd.conf" >"$far/etc/cupsd.conf"
	/usr/sbin/cupsd -f -c "$far/etc/cupsd.conf" -s "$far/etc/cups-files.conf" 2>>"$tmp/far.log" &
	at_exit "kill -9 $! 2>/dev/null"
	CUPS_SERVER=$far/run/cups.sock wait_for 60 cups_answers
	CUPS_SERVER=$far/run/cups.sock queue "$1" "socket://127.0.0.1:${sink_port[$1]}" -m raw
}

# queue NAME URI [OPTION OF LPADMIN]...
queue() {
	local name=$1 uri=$2
	shift 2
	lpadmin -p "$name" -v "$uri" -E "$@" 2>>"$tmp/lpadmin.log" || fail "lpadmin: $(tail -n 1 "$tmp/lpadmin.log")"
}

# pdf FILE PAGES [TEXT]: a document with that many pages.
pdf() {
	local i
	{
		echo '%!PS'
		echo '/Helvetica findfont 20 scalefont setfont'
		for ((i = 1; i <= $2; i++)); do
			printf '72 700 moveto (%s page %d) show showpage\n' "${3:-Sekisho}" "$i"
		done
	} | gs -q -sDEVICE=pdfwrite -sPAPERSIZE=a4 -o "$1" -
}

# submit LP-ARGUMENT...: prints; the job's number.
submit() {
	lp "$@" | sed -n 's/^request id is .*-\([0-9]*\) .*/\1/p'
}

# job_attr ID NAME: what CUPS says of a job; job-state is pending, pending-held, processing, processing-stopped, canceled, aborted or
# completed.
job_attr() {
	ipptool -tv -d "job=$1" "ipp://localhost:$print_port/" "$root/tests/flow/parts/print_job.test" 2>/dev/null |
		sed -n "s/^ *$2 ([^)]*) = //p" | sed 's/\\\(.\)/\1/g' | tail -n 1
}

job_is() {
	[ "$(job_attr "$1" job-state)" = "$2" ]
}

# ended ID STATE: waits for it.
ended() {
	local until=$((SECONDS + ${3:-90}))
	until job_is "$1" "$2"; do
		[ "$SECONDS" -lt "$until" ] || fail "job $1 is $(job_attr "$1" job-state) and not $2: $(job_attr "$1" job-printer-state-message)"
		sleep 0.1
	done
}

# All records and headers of the gate, verified, as JSON lines.
print_records() {
	"$SPOOL_JSON" "$place/var/spool/sekisho/print" "$tmp/device.pub"
}

# record KIND JOB [PYTHON]: the newest record of that kind and job; with an expression over `r`, whether it holds. The kind `job` is
# what `print` and `print-result` say together: documents that no rule asks about are told with whichever comes behind their inspection.
record() {
	print_records 2>/dev/null | python3 -c '
import json, sys
kind, job = sys.argv[1], int(sys.argv[2])
kinds = ["print", "print-result"] if kind == "job" else [kind]
rows = [r for r in map(json.loads, sys.stdin) if r.get("kind") in kinds and r.get("job") == job]
if not rows:
    sys.exit(1)
r = {k: v for row in rows for k, v in row.items()} if kind == "job" else rows[-1]
if len(sys.argv) > 3:
    sys.exit(0 if eval(sys.argv[3]) else 1)
print(json.dumps(r, ensure_ascii=False))' "$@"
}

# recorded KIND JOB EXPRESSION: waits for such a record.
recorded() {
	local until=$((SECONDS + 60))
	until record "$@"; do
		[ "$SECONDS" -lt "$until" ] || fail "no record $1 of job $2 with $3: $(record "$1" "$2" || print_records)"
		sleep 0.2
	done
}

# dnssd: a message bus and an Avahi, which ippeveprinter of Debian 12 does not start without. Avahi's folder is the machine's.
dnssd() {
	mkdir -p "$tmp/bus" /run/avahi-daemon
	cat >"$tmp/bus/bus.conf" <<-EOF
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		  <type>system</type>
		  <listen>unix:path=$tmp/bus/socket</listen>
		  <auth>EXTERNAL</auth>
		  <policy context="default">
		    <allow user="*"/> <allow own="*"/> <allow send_destination="*" eavesdrop="true"/> <allow receive_sender="*"/>
		    <allow send_type="method_call"/>
		  </policy>
		</busconfig>
	EOF
	printf '[server]\nuse-ipv4=yes\nuse-ipv6=no\nallow-interfaces=lo\nenable-dbus=yes\n[publish]\n[wide-area]\nenable-wide-area=no\n' >"$tmp/bus/avahi.conf"
	chmod 755 "$tmp/bus"
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$tmp/bus/socket
	dbus-daemon --config-file="$tmp/bus/bus.conf" --nofork --nopidfile 2>>"$tmp/bus/bus.log" &
	at_exit "kill -9 $! 2>/dev/null"
	wait_for 60 test -S "$tmp/bus/socket"
	avahi-daemon -f "$tmp/bus/avahi.conf" --no-drop-root --no-chroot --no-rlimits >>"$tmp/bus/avahi.log" 2>&1 &
	at_exit "kill $! 2>/dev/null"
	wait_for 60 dbus-send --system --print-reply --dest=org.freedesktop.Avahi / org.freedesktop.Avahi.Server.GetVersionString
}

# print_policy VERSION: the section `print:` on standard input is in force, as the guard would have kept it.
print_policy() {
	local office=$tmp/office
	mkdir -p "$office"
	[ -e "$office/key" ] || sekishoctl policy keygen --name office --out "$office/key" >"$office/admin.keys"
	{
		printf 'version: %s\nprint:\n' "$1"
		cat
	} >"$office/policy.yaml"
	: >"$office/devices.csv"
	sekishoctl policy sign "$office/policy.yaml" --key "$office/key" --log-key "$office/admin.keys" --out "$office/signed" >>"$tmp/sign.log" ||
		fail 'the policy is none'
	install -m 0644 "$office/admin.keys" "$place/var/lib/sekisho/guard/policy.keys"
	cp "$office/signed" "$place/var/lib/sekisho/guard/.new"
	mv "$place/var/lib/sekisho/guard/.new" "$place/var/lib/sekisho/guard/policy"
	wait_for 60 grep -q "\"version\": $1," "$place/run/sekisho/print.json"
}

# printed NAME: how many jobs came out of a sink or a printer.
printed() {
	find "$tmp/out/$1" -type f ! -name '.*' ! -name '*.prn' | wc -l
}

# came_out NAME COUNT: waits for so many.
came_out() {
	wait_for 90 came_out_now "$@"
}
came_out_now() {
	[ "$(printed "$1")" -eq "$2" ]
}

# kernel_tells: what the kernel tells of print jobs is loaded, until the script ends. Ends the test (77) where it cannot be, or is the
# machine's own.
kernel_tells() {
	local paper=${SEKISHO_BIN:-$root/build/bin}/../flow/paper
	if [ -e /sys/fs/bpf/sekisho-paper ]; then
		echo 'what the kernel tells of print jobs is loaded on this machine'
		exit 77
	fi
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
	mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
	at_exit "$paper unload"
	"$paper" load
}

# stalled NAME: a printer of port 9100 that takes a connection, and nothing of what is sent.
stalled() {
	sink_port[$1]=$(free_port)
	python3 -c '
import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(64)
kept = []
while True:
    kept.append(s.accept()[0])' "${sink_port[$1]}" &
	at_exit "kill -9 $! 2>/dev/null"
	wait_for 60 bash -c "exec 3<>/dev/tcp/127.0.0.1/${sink_port[$1]}"
}

"""Others that take records over TLS 1.3 on this machine: rsyslog to a file and to PostgreSQL with certified clients,
systemd-journal-remote (Debian's asks for no client's certificate). ingest_peers.py TMP PCS RECORDS: each PC sends RECORDS of a record's facts as text, as fast as they are
taken. One line of JSON for each peer that is installed; what was sent is counted where it came to lie.

None of them verifies who wrote a record, and only PostgreSQL has it on the disk when it is counted.
"""
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

TMP, PCS, RECORDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
HZ = os.sysconf("SC_CLK_TCK")
PATIENCE = 600
PG = "/usr/lib/postgresql/15/bin"
REMOTE = "/lib/systemd/systemd-journal-remote"


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certify():
    """A CA, a server's and a client's certificate."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("openssl", "req", "-x509", *key, "-keyout", f"{TMP}/ca.key", "-out", f"{TMP}/ca.pem", "-subj", "/CN=bench", "-days", "2")
    for who in ("server", "client"):
        run("openssl", "req", *key, "-keyout", f"{TMP}/{who}.key", "-out", f"{TMP}/{who}.csr", "-subj", f"/CN={who}")
        run("openssl", "x509", "-req", "-in", f"{TMP}/{who}.csr", "-CA", f"{TMP}/ca.pem", "-CAkey", f"{TMP}/ca.key", "-CAcreateserial",
            "-out", f"{TMP}/{who}.pem", "-days", "2")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise SystemExit("still not so: " + what.__name__)
        time.sleep(0.02)


def facts(pc, i):
    return {"time": f"2026-11-20T09:{i // 60 % 60:02}:{i % 60:02}.{i % 1000000:06}Z", "kind": "file", "host": f"pc-{pc}", "pid": 4711 + i % 50,
            "uid": 1000 + pc, "user": f"user-{pc}", "program": f"/usr/bin/program-{i % 9}", "path": f"/home/user-{pc}/papers/folder-{i % 30}/letter-{i}.odt",
            "device": "254:0", "inode": 100000 + i, "fs": "ext4", "class": "fixed", "flags": ["wrote"], "read": 0, "written": i % 90000, "duration": 1200}


def connect(port):
    context = ssl.create_default_context(cafile=f"{TMP}/ca.pem")
    context.check_hostname = False
    context.load_cert_chain(f"{TMP}/client.pem", f"{TMP}/client.key")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    raw = socket.create_connection(("127.0.0.1", port))
    return context.wrap_socket(raw)


def listens(port):
    def answers():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    until(answers, 60)


def ticks(*pids):
    n = 0
    for pid in pids:
        try:
            f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            n += int(f[11]) + int(f[12])
        except OSError:
            pass
    return n


def children(pid):
    return [int(x) for x in open(f"/proc/{pid}/task/{pid}/children").read().split()]


def rss_kib(pid):
    return next(int(x.split()[1]) for x in open(f"/proc/{pid}/status") if x.startswith("VmHWM"))


def send_all(port, bodies, finish):
    """Each PC on a connection of its own, which is left open (rsyslog forgets what it has not read yet of one that is closed);
    `finish` may wait for an answer."""
    kept = []

    def one(body):
        s = connect(port)
        kept.append(s)
        for at in range(0, len(body), 16384):
            s.sendall(body[at:at + 16384])
        finish(s)
    threads = [threading.Thread(target=one, args=(b,)) for b in bodies]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return kept


def measure(name, pid, port, bodies, there, finish=lambda s: None, others=lambda: []):
    total = len(bodies) * RECORDS
    before, begin = ticks(pid, *others()), time.monotonic()
    kept = send_all(port, bodies, finish)

    def all_there():
        return there() >= total
    until(all_there)
    seconds = time.monotonic() - begin
    cpu = (ticks(pid, *others()) - before) / HZ
    for s in kept:
        s.close()
    print(json.dumps({"peer": name, "pcs": len(bodies), "records": total, "seconds": round(seconds, 2), "records_s": round(total / seconds),
                      "cpu_s": cpu, "records_per_cpu_s": round(total / max(cpu, 0.01)), "bytes_a_record": round(sum(map(len, bodies)) / total),
                      "rss_mib": round(rss_kib(pid) / 1024, 1)}), flush=True)


def rsyslog(name, action, there, others=lambda: []):
    port = free_port()
    with open(f"{TMP}/rsyslog.conf", "w") as f:
        f.write(f"""global(workDirectory="{TMP}" maxMessageSize="16k" defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{TMP}/ca.pem"
defaultNetstreamDriverCertFile="{TMP}/server.pem" defaultNetstreamDriverKeyFile="{TMP}/server.key")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
{action}
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="take")
""")
    daemon = subprocess.Popen(["rsyslogd", "-n", "-i", f"{TMP}/rsyslog.pid", "-f", f"{TMP}/rsyslog.conf"], stderr=subprocess.DEVNULL)
    try:
        listens(port)
        bodies = []
        for pc in range(PCS):
            out = []
            for i in range(RECORDS):
                r = facts(pc, i)
                m = f"<134>1 {r['time']} {r['host']} sekisho - - - {json.dumps(r)}".encode()
                out.append(b"%d %s" % (len(m), m))
            bodies.append(b"".join(out))
        measure(name, daemon.pid, port, bodies, there, others=others)
    finally:
        daemon.terminate()
        daemon.wait()


def rsyslog_file():
    path, state = f"{TMP}/messages", {"at": 0, "n": 0}

    def there():
        if os.path.exists(path):
            with open(path, "rb") as f:
                f.seek(state["at"])
                data = f.read()
            state["at"] += len(data)
            state["n"] += data.count(b"\n")
        return state["n"]
    rsyslog("rsyslog to a file", f'ruleset(name="take" queue.type="linkedList" queue.size="1000000") {{ action(type="omfile" file="{path}") }}', there)


def rsyslog_postgres():
    data, port = f"{TMP}/pg", free_port()
    os.mkdir(data)
    shutil.chown(data, "postgres", "postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"]
    run(*as_postgres, f"{PG}/initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync")
    server = subprocess.Popen([*as_postgres, f"{PG}/postgres", "-D", data, "-p", str(port), "-k", data, "-c", "listen_addresses=127.0.0.1",
                               "-c", "autovacuum=off"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sql(text):
        return subprocess.run(["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-qAt", "-c", text], capture_output=True, text=True)
    try:
        def ready():
            return sql("SELECT 1").stdout.strip() == "1"
        until(ready, 60)
        sql("CREATE TABLE record(time text, host text, message text); CREATE INDEX ON record(time); CREATE INDEX ON record(host, time)")
        action = f"""module(load="ompgsql")
template(name="row" type="list" option.stdsql="on") {{ constant(value="INSERT INTO record VALUES ('") property(name="timereported" dateFormat="rfc3339")
constant(value="', '") property(name="hostname") constant(value="', '") property(name="msg") constant(value="')") }}
ruleset(name="take" queue.type="linkedList" queue.size="1000000" queue.dequeueBatchSize="1024") {{
action(type="ompgsql" server="127.0.0.1" port="{port}" user="postgres" db="postgres" template="row") }}"""
        postmaster = children(server.pid)[0] if children(server.pid) else server.pid
        rsyslog("rsyslog to PostgreSQL", action, lambda: int(sql("SELECT count(*) FROM record").stdout.strip() or 0),
                lambda: [postmaster, *children(postmaster)])
    finally:
        server.terminate()
        server.wait()


def journal_remote():
    port, out = free_port(), f"{TMP}/journal"
    os.mkdir(out)
    daemon = subprocess.Popen([REMOTE, f"--listen-https=127.0.0.1:{port}", f"--key={TMP}/server.key", f"--cert={TMP}/server.pem",
                               f"--output={out}/all.journal", "--split-mode=none"], stderr=subprocess.DEVNULL)
    taken = []

    def finish(s):
        s.settimeout(PATIENCE)
        if b" 202 " in s.recv(4096):
            taken.append(RECORDS)
    try:
        listens(port)
        bodies = []
        for pc in range(PCS):
            out_ = []
            for i in range(RECORDS):
                r = facts(pc, i)
                text = "".join(f"{k.upper()}={v}\n" for k, v in r.items())
                out_.append(f"__REALTIME_TIMESTAMP={1795000000000000 + i}\n__MONOTONIC_TIMESTAMP={i}\n_BOOT_ID={pc:032x}\nMESSAGE=file\n{text}\n")
            body = "".join(out_).encode()
            head = (f"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/vnd.fdo.journal\r\nContent-Length: {len(body)}\r\n\r\n")
            bodies.append(head.encode() + body)
        measure("systemd-journal-remote", daemon.pid, port, bodies, lambda: sum(taken), finish)
    finally:
        daemon.terminate()
        daemon.wait()


os.chmod(TMP, 0o755)
certify()
for program, fn in (("/usr/sbin/rsyslogd", rsyslog_file), (f"{PG}/postgres", rsyslog_postgres), (REMOTE, journal_remote)):
    if os.path.exists(program):
        fn()
    else:
        print(f"{program} is not installed: {fn.__name__} is left out", file=sys.stderr)

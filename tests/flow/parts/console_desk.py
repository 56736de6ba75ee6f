"""A person at the console: signs in, asks, changes, as a browser would; nothing here comes from the C code.

Codes of the second factor come from oathtool, another implementation of RFC 6238.
"""
import http.client
import json
import os
import ssl
import subprocess
import time

PORT = int(os.environ["CONSOLE_PORT"])
CA = os.environ["SEKISHO_ROOT"] + "/var/lib/sekisho-collector/ca/ca.crt"
HOST = "127.0.0.1"
ORIGIN = "https://%s:%d" % (HOST, PORT)


def same(got, want, what):
    if got != want:
        raise SystemExit("FAILED: %s: %r instead of %r" % (what, got, want))


def true(v, what):
    if not v:
        raise SystemExit("FAILED: " + what)


def until(check, what, seconds=60):
    end = time.monotonic() + seconds
    while not check():
        true(time.monotonic() < end, "not in time: " + what)
        time.sleep(0.1)


def totp(secret, at=None):
    """The code of a moment, by oathtool."""
    args = ["oathtool", "--totp", "--base32", secret]
    if at is not None:
        args += ["--now", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))]
    return subprocess.run(args, stdout=subprocess.PIPE, check=True).stdout.decode().strip()


def step_before(most=24):
    """A moment in the step before this one, whose code is still taken: so the next code's time is now. Not at the end of this one, where it would be over
    when it gets there."""
    until(lambda: time.time() % 30 < most, "the next step")
    return time.time() - 30


def next_step(used):
    """Now, when the step of `used` is over."""
    until(lambda: time.time() // 30 > used // 30, "the next code's time", 60)
    return time.time()


def user(*args):
    """sekishoctl console user ...: what it prints."""
    return subprocess.run(["sekishoctl", "console", "user", *args], stdout=subprocess.PIPE,
                          check=True).stdout.decode().strip()


def tls():
    c = ssl.create_default_context(cafile=CA)
    c.minimum_version = ssl.TLSVersion.TLSv1_3
    return c


class Answer:
    def __init__(self, r):
        self.status, self.body = r.status, r.read()
        self.headers = r.headers
        self.type = r.getheader("Content-Type") or ""

    @property
    def json(self):
        return json.loads(self.body)


class Desk:
    """One browser: it keeps the cookie and what the page keeps."""

    def __init__(self, source=None):
        self.cookie = self.csrf = self.challenge = None
        self.source = source
        self.told = None

    def raw(self, method, path, body=None, headers=None):
        c = http.client.HTTPSConnection(HOST, PORT, context=tls(), timeout=60,
                                        source_address=(self.source, 0) if self.source else None)
        c.request(method, path, body, headers or {})
        a = Answer(c.getresponse())
        c.close()
        return a

    def ask(self, method, path, body=None, status=None, headers=None, mime="application/json"):
        h = {"Sec-Fetch-Site": "same-origin"}
        cookies = [name + "=" + value for name, value in (("__Host-sekisho", self.cookie),
                                                          ("__Host-sekisho-challenge", self.challenge)) if value]
        if cookies:
            h["Cookie"] = "; ".join(cookies)
        if method != "GET":
            h["Origin"] = ORIGIN
            if self.csrf:
                h["Sekisho-Csrf"] = self.csrf
        if body is not None:
            h["Content-Type"] = mime
        elif method == "POST":
            body = ""
        h.update(headers or {})
        h = {k: v for k, v in h.items() if v is not None}
        body = json.dumps(body) if isinstance(body, (dict, list)) else body
        a = self.raw(method, path, body, h)
        # A test is quicker than all people together may be: what was refused for that was not looked at, and is said again.
        for _ in range(5 if status not in (None, 429) else 0):
            if a.status != 429:
                break
            time.sleep(1)
            a = self.raw(method, path, body, h)
        if status is not None:
            true(a.status in (status if isinstance(status, tuple) else (status,)), "%s %s: %d instead of %s: %s" % (method, path, a.status, status, a.body[:300]))
        self.take(a)
        return a

    def take(self, a):
        for set_cookie in a.headers.get_all("Set-Cookie", []):
            name, value = set_cookie.split(";")[0].split("=", 1)
            if name == "__Host-sekisho":
                self.cookie = value or None
            elif name == "__Host-sekisho-challenge":
                self.challenge = value or None
        if a.status == 200 and a.type.startswith("application/json"):
            j = a.json
            if isinstance(j, dict) and "csrf" in j:
                self.csrf, self.told = j["csrf"], j

    def get(self, path, status=200, **more):
        a = self.ask("GET", path, status=status, **more)
        return a.json if a.type == "application/json" else a

    def post(self, path, body=None, status=200, **more):
        a = self.ask("POST", path, {} if body is None else body, status=status, **more)
        return a.json if a.type == "application/json" and a.body else a

    def sign_in(self, name, password, code=None, status=200, **more):
        body = {"account": name, "password": password}
        if code:
            body["code"] = code
        return self.ask("POST", "/api/v1/session", body, status=status, **more)


class Person(Desk):
    """Somebody with an account that is set up: password changed, second factor there."""

    def __init__(self, name, *roles, scope=(), source=None, password="Kumo no Mine 1694 Basho"):
        super().__init__(source)
        self.name, self.password = name, password
        args = [x for r in roles for x in ("--role", r)] + [x for s in scope for x in ("--scope", s)]
        self.first = user("add", name, *args)
        self.sign_in(name, self.first)
        same(self.told["must"], ["password", "factor"], "what has to be done first")
        self.post("/api/v1/session/password", {"old": self.first, "new": password})
        self.secret = self.post("/api/v1/session/totp")["secret"]
        # Where its time was over when it got there, the next one is taken.
        for last in (False, False, True):
            self.used = step_before()
            a = self.ask("POST", "/api/v1/session/totp", {"code": totp(self.secret, self.used)}, 200 if last else (200, 400))
            if a.status == 200:
                break
            true(time.time() // 30 > self.used // 30 + 1, "a code whose time it was is refused")
        same(self.told["must"], [], "nothing is left to be done")

    def next_code(self):
        """A code that was not used yet."""
        self.used = next_step(self.used)
        return totp(self.secret, self.used)


def told(kind, **want):
    """Records of the access log, as the auditor's command shows them, once they are indexed."""
    out = subprocess.run(["sekishoctl", "log", "--json", "--host", "console", "--kind", kind], stdout=subprocess.PIPE)
    if out.returncode == 1:
        return []  # nothing of the console is there yet, so nobody is known by that name
    out.check_returncode()
    rows = [json.loads(line) for line in out.stdout.decode().splitlines()]
    return [r for r in rows if all(r.get(k) == v for k, v in want.items())]

// Debian's Chromium or (BROWSER=firefox, by WebDriver BiDi) Firefox, driven by playwright-core, for the flows of the console's page: a person at a browser, and what must hold on every page that he
// sees: no violation of the Content-Security-Policy, nothing that axe finds, no error in the browser's console, no request to another host, and
// of this one nothing but the page's own files and what openapi.yaml has.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const require = createRequire(join(process.env.PAGE_SOURCE, "package.json"));
const { chromium, firefox } = require("playwright-core");
const { bundle, createConfig } = require("@redocly/openapi-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const origin = process.env.CONSOLE_URL;
const pictures = process.env.SCREENSHOTS;
const PICTURE_MAX = 300 << 10;
/** Everybody's, once they have one of their own. */
export const PASSWORD = "Kumo no mine ikutsu kuzurete tsuki no yama";
/** A loaded machine takes its time: nothing here measures. */
export const LIMIT = 90_000;

export function fail(text) {
  throw new Error(text);
}
export function same(got, want, what) {
  if (JSON.stringify(got) !== JSON.stringify(want)) fail(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`);
}
let walked = "";
export function step(text) {
  walked = text;
  console.log(`  ${text}`);
}

/** The code of so many seconds from now. */
export function totp(secret, seconds = 0) {
  const at = new Date(Date.now() + seconds * 1000).toISOString().replace("T", " ").replace(/\..*/, " UTC");
  return execFileSync("oathtool", ["--totp", "--base32", "--now", at, secret.replace(/\s/g, "")]).toString().trim();
}

/** The date where these people are (Asia/Tokyo), so many days from then: a flow's evening may be another day there. */
export function day(days, then = Date.now()) {
  return new Date(then + 9 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10);
}

export function command(program, ...args) {
  return execFileSync(program, args).toString();
}

export async function until(check, what) {
  for (const end = Date.now() + LIMIT; ; await new Promise((r) => setTimeout(r, 200))) {
    if (await check()) return;
    if (Date.now() > end) fail(`not in time: ${what}`);
  }
}

/** The API's document: what may be asked, with which names in the query. */
async function operations() {
  const ref = join(process.env.PAGE_SOURCE, "..", "openapi.yaml");
  const read = await bundle({ ref, config: await createConfig({}), dereference: true });
  return Object.entries(read.bundle.parsed.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, op]) => ({
      method: method.toUpperCase(),
      path,
      shape: new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{[a-z]+\}/g, "[^/]+")}$`),
      queries: (op.parameters ?? []).filter((x) => x.in === "query").map((x) => x.name),
    })));
}
const documented = await operations();
// The OpenID provider sends the browser to /oidc, which is the page.
const files = new Set(["/", "/oidc", ...readdirSync(join(process.env.SEKISHO_ROOT, "page"), { recursive: true }).map((f) => `/${f}`)]);

/** What is wrong with asking this server so; null: nothing. */
function undocumented(method, address) {
  const { pathname, searchParams } = new URL(address);
  if (method === "GET" && files.has(pathname)) return null;
  const known = documented.filter((o) => o.method === method && o.shape.test(pathname)).sort((a, b) => a.path.includes("{") - b.path.includes("{"))[0];
  const odd = known && [...searchParams.keys()].filter((name) => !known.queries.includes(name));
  return known && !odd.length ? null : `${method} ${address}: ${known ? `${known.path} knows no ${odd}` : "no such operation"}`;
}

/** Names of the pictures that this part of the flows takes: rows of TOUR.md name it, but for those of console_page. */
function toured() {
  const part = basename(process.argv[1], ".mjs");
  const rows = readFileSync(join(process.env.PAGE_SOURCE, "..", "TOUR.md"), "utf8").split("\n").filter((row) => row.includes("](screenshots/"));
  const own = rows.filter((row) => (/<!-- (\w+) -->/.exec(row)?.[1] ?? "console_page") === part);
  return [...new Set(own.flatMap((row) => [...row.matchAll(/\]\(screenshots\/([a-z-]+)\.png\)/g)].map((m) => m[1])))].sort();
}
const taken = new Set();

export class Browser {
  static async start() {
    const it = new Browser();
    it.people = [];
    for (const [method, path] of [["GET", "/api/v1/nothing"], ["POST", "/api/v1/overview"], ["GET", "/api/v1/records?sort=x"], ["GET", "/assets/x.js"]])
      if (!undocumented(method, origin + path)) fail(`${method} ${path} is documented?`);
    it.browser =
      process.env.BROWSER === "firefox"
        ? await firefox.launch({ executablePath: "/usr/bin/firefox-esr", channel: "moz-firefox" })
        : await chromium.launch({
            executablePath: "/usr/bin/chromium",
            args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
          });
    mkdirSync(pictures, { recursive: true });
    return it;
  }

  /** Somebody with a browser of his own. */
  async person(locale = "en-GB") {
    const context = await this.browser.newContext({
      // The certificate is of the collector's own CA, which tests/flow/90-console-sign-in checks.
      ignoreHTTPSErrors: true,
      locale,
      timezoneId: "Asia/Tokyo",
      viewport: { width: 1280, height: 800 },
      acceptDownloads: true,
    });
    const who = await Person.make(context);
    this.people.push(who);
    return who;
  }

  /** Where the stories ended and what everybody sees at the moment, for whoever looks for what went wrong. */
  async failed() {
    this.broken = true;
    console.log(`failed in this step: ${walked}`);
    for (const [i, who] of this.people.entries()) {
      if (who.page.isClosed()) continue;
      console.log(who.page.url(), ...who.bad);
      await who.page.screenshot({ path: join(pictures, `failed-${i}.png`) }).catch(() => undefined);
    }
  }

  async stop() {
    await this.browser.close();
    if (this.broken) return;
    same([...taken].sort(), toured(), "pictures, beside those of TOUR.md");
    const asked = this.people.flatMap((who) => who.asked).filter((r) => r.url.startsWith(`${origin}/`));
    const odd = asked.map((r) => undocumented(r.method, r.url)).filter(Boolean);
    if (odd.length) fail(`the page asked what openapi.yaml does not have:\n${[...new Set(odd)].join("\n")}`);
    if (!asked.some((r) => r.url.includes("/api/v1/"))) fail("the page asked nothing");
    step(`${asked.length} requests of the page, all in openapi.yaml`);
  }
}

export class Person {
  static async make(context) {
    const it = new Person();
    it.context = context;
    it.page = await context.newPage();
    it.page.setDefaultTimeout(LIMIT);
    it.bad = [];
    it.sent = [];
    it.asked = [];
    it.page.on("pageerror", (e) => it.bad.push(`error: ${e.stack}`));
    it.page.on("console", (m) => {
      // A refusal that a story asks for (401, 403) is no fault of the page.
      if (["error", "warning"].includes(m.type()) && !/Failed to load resource/.test(m.text())) it.bad.push(`console: ${m.text()}`);
    });
    it.page.on("request", (r) => {
      if (!/^(blob|data):/.test(r.url()) && !r.url().startsWith(`${origin}/`)) it.bad.push(`another host: ${r.url()}`);
      it.asked.push({ method: r.method(), url: r.url() });
      const body = r.postDataBuffer();
      if (body) it.sent.push(body);
    });
    await it.page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
    });
    return it;
  }

  /** Nothing went wrong since the last time. */
  well() {
    if (this.bad.length) fail(this.bad.join("\n"));
  }

  async go(fragment) {
    await this.page.goto(`${origin}/${fragment}`);
    await this.settled();
  }

  /** The page as the server has it now: another browser may have changed what this one holds. */
  async reloaded() {
    await this.page.reload();
    await this.settled();
  }

  /** Waits until this function, which runs in the page, finds it so; in words: what is waited for. */
  async finds(what, check, argument) {
    await this.page.waitForFunction(check, argument).catch((e) => fail(`not in time, at ${this.page.url()}: ${what} (${e.message})`));
  }

  /** What the view asked for is there. */
  async settled() {
    await this.finds("a view that waits for nothing", () => !document.querySelector(".state-wait, [aria-busy=true]") && document.querySelector("main"));
  }

  async signIn(account, password) {
    const p = this.page;
    await p.locator("input[autocomplete=username]").fill(account);
    await p.locator("input[autocomplete=current-password]").fill(password);
    await p.locator("form button.main").click();
  }

  /** The first time: another password, a second factor. */
  async begin(account, first, password, between = async () => undefined) {
    const p = this.page;
    await this.go("");
    await this.signIn(account, first);
    await p.locator("input[autocomplete=new-password]").first().waitFor();
    await between("password");
    await p.locator("input[autocomplete=current-password]").fill(first);
    for (const i of [0, 1]) await p.locator("input[autocomplete=new-password]").nth(i).fill(password);
    await p.locator("form button.main").click();
    const secret = p.locator(".secret");
    await secret.waitFor();
    await between("totp");
    // Of the step before, which is still taken: the next one's time is now. Not at the end of this one, where it would be over when it gets there.
    await until(() => Date.now() % 30_000 < 20_000, "the next step");
    this.app = { secret: await secret.innerText(), used: Date.now() - 30_000 };
    await p.locator("input[autocomplete=one-time-code]").fill(totp(this.app.secret, -30));
    await p.locator("form button.main").click();
    await this.inside();
  }

  /** Signs in once more; `app` is that of the account, which may be at hand beside another browser. */
  async again(account, password, app = this.app) {
    const p = this.page;
    await this.signIn(account, password);
    await p.locator("input[autocomplete=one-time-code]").waitFor();
    await p.locator("input[autocomplete=one-time-code]").fill(await this.nextCode(app));
    await p.locator("form button.main").click();
    await this.inside();
  }

  /** A code that was not used: the server takes each number once. */
  async nextCode(app = this.app) {
    await until(() => Math.floor(Date.now() / 30_000) > Math.floor(app.used / 30_000), "the next code's time");
    app.used = Date.now();
    return totp(app.secret);
  }

  async language(name) {
    await this.page.locator(".settings select").first().selectOption(name);
    await this.finds(`the page in ${name}`, (n) => document.documentElement.lang === n, name);
  }

  async theme(name) {
    await this.page.locator(".settings select").nth(1).selectOption(name);
    await this.finds(`the page's colours: ${name}`, (n) => (document.documentElement.dataset["theme"] ?? "auto") === n, name);
  }

  /** Nothing that axe finds; on a tablet with fingers in mind: WCAG 2.2's 2.5.8, which axe does not ask for by itself. */
  async accessible(what, fingers = false) {
    // A colour on its way from the dark to the light is neither.
    await this.page.evaluate(() =>
      Promise.all(document.getAnimations().filter((a) => Number.isFinite(a.effect?.getComputedTiming().endTime)).map((a) => a.finished.catch(() => undefined))));
    await this.page.evaluate(axe);
    const found = await this.page.evaluate(async (enabled) => {
      const r = await globalThis.axe.run(document, {
        rules: { "target-size": { enabled } },
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      });
      return r.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 150)} ${n.any[0]?.message ?? ""}`).join(" | ")}`);
    }, fingers);
    if (found.length) fail(`axe on ${what}:\n${found.join("\n")}`);
  }

  /** The same in both colours; the page is light afterwards. */
  async accessibleInBoth(what) {
    for (const theme of ["dark", "light"]) {
      await this.theme(theme);
      await this.accessible(`${what}, ${theme}`);
    }
  }

  /** What is seen now, in both languages and colours. */
  async looks(name) {
    for (const language of ["ja", "en"]) {
      await this.language(language);
      await this.accessibleInBoth(`${name}, ${language}`);
      await this.picture(`${name}-${language}`);
      if (await this.overflows()) fail(`${name} is wider than the window`);
    }
  }

  /** Signed in: a view is there, and nothing went wrong on the way. */
  async inside() {
    await this.page.locator("nav a[aria-current=page]").first().waitFor();
    await this.settled();
    this.well();
  }

  /** In the dialog that signs: a stranger's key is refused, the administrator's is known. */
  async chooseKey(stranger, own) {
    const file = this.page.locator("input[type=file]");
    await file.setInputFiles(stranger);
    await this.page.locator("dialog .verdict-bad").waitFor();
    await file.setInputFiles(own);
    await this.page.getByText("This is the key of office.").waitFor();
  }

  async picture(name) {
    if (!name.endsWith("-dark")) taken.add(name);
    const path = join(pictures, `${name}.png`);
    // What was said of the step before is no part of what is shown.
    await this.page.locator(".said.shown").waitFor({ state: "hidden", timeout: LIMIT });
    await this.page.screenshot({ path, animations: "disabled", caret: "hide" });
    const { size } = statSync(path);
    if (size > PICTURE_MAX) fail(`${path} has ${size} bytes`);
  }

  /** From here to there by Tab alone. */
  async tabTo(locator) {
    await locator.waitFor({ state: "attached" });
    for (let i = 0; i < 200; i++) {
      if (await locator.evaluate((e) => e === document.activeElement, undefined, { timeout: 1000 }).catch(() => false)) return;
      await this.page.keyboard.press("Tab");
    }
    fail(`no way by Tab to ${locator}`);
  }

  /** In an open dialog Tab leads round: to the browser's own controls and back, never to what is behind it. */
  async heldIn(dialog) {
    for (let i = 0; i < 15; i++) {
      await this.page.keyboard.press("Tab");
      if (await this.page.evaluate(() => !document.activeElement?.closest("dialog[open]") && document.activeElement !== document.body)) fail("the focus left the dialog");
    }
    if (!(await dialog.evaluate((e) => e.contains(document.activeElement) || document.activeElement === document.body))) fail("the focus is elsewhere");
  }

  /** A click that makes the browser save a file: its bytes. */
  async download(locator) {
    const [file] = await Promise.all([this.page.waitForEvent("download"), locator.click()]);
    return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
  }

  /** Whether the document is wider than the window. */
  async overflows() {
    return this.page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
  }
}

// The stories of the desk, walked in a browser: tests/flow/92-console-page starts what is behind it. Each person has a browser of his own.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, PASSWORD, command, fail, origin, same, step, until } from "./console_browser.mjs";

const { AUDITOR, ADMINISTRATOR, VIEWER, KEY_FILE, STRANGER_FILE, EVIDENCE, ENROL } = process.env;
const browser = await Browser.start();
const all = "since=all";

async function auditor(who) {
  const p = who.page;
  step("the door: in the browser's language; a wrong password is told as nothing else");
  await who.go("");
  same(await p.evaluate(() => document.documentElement.lang), "ja", "language");
  await who.accessible("the door");
  for (const language of ["en", "ja"]) {
    await who.language(language);
    await who.picture(`sign-in-${language}`);
  }
  await who.language("en");
  await who.signIn("sachiko", "not the password at all");
  await p.getByRole("alert").waitFor();
  step("the first sign-in: own password, second factor");
  await who.begin("sachiko", AUDITOR, PASSWORD, async (what) => {
    await who.accessible(what);
    await who.picture(`${what}-en`);
  });

  step("overview: the fleet in numbers, traffic by channel, also as a table");
  await p.locator(".figure dd").first().waitFor();
  await p.locator(".lane svg").first().waitFor();
  await p.getByRole("button", { name: "7 days" }).click();
  await p.getByRole("button", { name: "As a table" }).click();
  await p.locator(".traffic table tbody tr").first().waitFor();
  // This month, of each channel that has anything: in years.
  await p.locator(".expiring table tbody tr").first().waitFor();

  step("logs: filtered, paged by cursor, back by the browser, the same after a reload");
  await who.go(`#/logs?${all}&c=file`);
  const rows = p.locator("a[data-row]");
  same(await rows.count(), 100, "rows of a page");
  const first = await rows.first().getAttribute("data-row");
  await p.getByRole("button", { name: "Next page" }).first().click();
  await p.waitForFunction((row) => document.querySelector("a[data-row]") && !document.querySelector(`a[data-row="${row}"]`), first);
  await who.settled();
  const second = await rows.first().getAttribute("data-row");
  await p.reload();
  await who.settled();
  same(await rows.first().getAttribute("data-row"), second, "the page that the address names");
  await p.goBack();
  await p.waitForFunction((row) => document.querySelector(`a[data-row="${row}"]`), first);
  await p.locator(".facet").first().waitFor();
  const person = p.locator(".facets section").nth(1).locator("button").first();
  const name = await person.locator(".facet-name").innerText();
  await person.click();
  await who.settled();
  for (const cell of await p.locator("td.col-user").allInnerTexts()) same(cell, name, "the person that was chosen");

  step("a record: its facts, its neighbours, its proof; the files of it");
  await rows.nth(3).click();
  await p.locator(".seal-good").waitFor();
  await p.locator(".around-here").waitFor();
  await p.getByText("O=時刻認証局").waitFor();
  for (const language of ["ja", "en"]) {
    await who.language(language);
    await p.locator(".stamped").evaluate((e) => e.scrollIntoView({ block: "center" }));
    await who.accessible(`a timestamp, ${language}`);
    await who.picture(`stamped-${language}`);
  }
  for (const what of ["Segment", "Proof", "Checkpoint", "Timestamp", "Stamped checkpoint", "Its proof"]) {
    const got = await who.download(p.getByRole("button", { name: what, exact: true }));
    if (!got.bytes.length) fail(`${got.name} is empty`);
    writeFileSync(join(EVIDENCE, got.name), got.bytes);
  }
  const opened = await p.locator("tr.opened a").getAttribute("data-row");
  await p.keyboard.press("j");
  await p.waitForFunction((row) => document.querySelector("tr.opened a")?.getAttribute("data-row") !== row, opened);
  await p.keyboard.press("Escape");
  await p.locator(".detail").waitFor({ state: "detached" });

  step("from the file to its history, from the person to the day");
  await rows.nth(3).click();
  await p.getByRole("link", { name: "All that happened to this file" }).click();
  await p.locator(".run").first().waitFor();
  await p.goBack();
  await p.getByRole("link", { name: /^The day of/ }).click();
  await p.locator(".strip svg").first().waitFor();
  await who.settled();

  who.well();
}

async function hostile(who) {
  const p = who.page;
  step("hostile names are text: nothing of them is an element, what is hidden is seen");
  await who.go(`#/logs?${all}&text=${encodeURIComponent("<img src=x>\u202e\u0007")}`);
  await p.locator(".mark-button .hidden-sign").first().waitFor();
  same(await p.locator("main :is(script, img, iframe, object, embed, style)").count(), 0, "elements that nobody made");

  who.well();
}

async function csv(who) {
  const p = who.page;
  step("CSV, with what a spreadsheet wants in front");
  await who.go(`#/logs?${all}&c=usb`);
  const csv = await who.download(p.getByRole("link", { name: "CSV" }));
  same([...csv.bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf], "its mark");
  if (csv.bytes.toString().split("\r\n").length < 3) fail("no rows in the CSV");

  step("the same search as a file that proves itself");
  const bundle = await who.download(p.getByRole("button", { name: "Evidence bundle" }));
  same(bundle.name, "sekisho-evidence.zip", "its name");
  writeFileSync(join(EVIDENCE, bundle.name), bundle.bytes);

  who.well();
}

async function alerts(who) {
  const p = who.page;
  step("alerts: open ones, what each is about, acknowledged with words, by nobody twice");
  await who.go("#/alerts");
  const open = p.locator("table.alerts tbody tr");
  await open.first().waitFor();
  await who.accessible("alerts");
  const button = p.getByRole("button", { name: /^Acknowledge:/ });
  await button.first().click();
  const send = p.getByRole("dialog").getByRole("button", { name: "Acknowledge" });
  same(await send.isDisabled(), true, "acknowledging without words");
  await p.getByLabel("What was found").fill("本人と上長に確認した。<b>問題なし</b>");
  await who.accessible("acknowledging");
  await send.click();
  await p.getByRole("dialog").waitFor({ state: "detached" });
  await p.getByRole("button", { name: "All", exact: true }).click();
  await p.getByText("本人と上長に確認した。<b>問題なし</b>").waitFor();
  await p.getByText("sachiko").first().waitFor();
  await p.locator("table.alerts th a").first().click();
  await p.locator(".detail").waitFor();

  who.well();
}

async function register(who) {
  const p = who.page;
  step("the handling register of the days before, to sign and for spreadsheets");
  await who.go("#/register");
  const day = (d) => new Date(Date.now() + d * 86400000).toISOString().slice(0, 10);
  await p.getByLabel("From").fill(day(-20));
  await p.getByLabel("Up to").fill(day(1));
  await p.getByLabel("Folder").fill("/home");
  const pdf = await who.download(p.getByRole("button", { name: "PDF to sign" }));
  same(pdf.bytes.subarray(0, 5).toString(), "%PDF-", "its first bytes");
  writeFileSync(join(EVIDENCE, "register.pdf"), pdf.bytes);
  const csv = await who.download(p.getByRole("button", { name: "CSV" }));
  if (csv.bytes.toString().split("\r\n").length < 20) fail("no rows in the register");

  who.well();
}

/** A report of the days before, as far as the role has it. */
async function report(who, sections, hidden) {
  const p = who.page;
  step("a report of the days before: on the screen, to sign, and for spreadsheets");
  await who.go("#/reports");
  const day = (d) => new Date(Date.now() + d * 86400000).toISOString().slice(0, 10);
  await p.getByRole("button", { name: "Another period" }).click();
  await p.getByLabel("From").fill(day(-10));
  await p.getByLabel("Up to").fill(day(1));
  await p.getByRole("button", { name: "Make the report" }).click();
  await p.getByText("What needs attention").waitFor();
  for (const section of sections) await p.locator("summary").getByText(section, { exact: false }).first().waitFor();
  for (const section of hidden)
    if (await p.locator("summary").getByText(section, { exact: false }).count()) fail(`${section} is not for this role`);
  await p.getByText("checkpoint verified").waitFor();
  const pdf = await who.download(p.getByRole("button", { name: "PDF to sign" }));
  same(pdf.bytes.subarray(0, 5).toString(), "%PDF-", "its first bytes");
  writeFileSync(join(EVIDENCE, "report.pdf"), pdf.bytes);
  const zip = await who.download(p.getByRole("button", { name: "CSV files" }));
  same(zip.bytes.subarray(0, 2).toString(), "PK", "its first bytes");
  writeFileSync(join(EVIDENCE, "report.zip"), zip.bytes);
  who.well();
}

/** The same, made again wherever it is to be looked at. */
async function reported(who) {
  await who.page.getByRole("button", { name: /Another period|任意の期間/ }).click();
  await who.page.locator(".report-ask button.main").click();
  await who.page.locator(".report-tiles").waitFor();
}

async function proof(who) {
  const p = who.page;
  step("a contractor's proof of disposal is filed");
  await who.go("#/register");
  await p.getByLabel("Contractor").fill("溶解処理");
  await p.getByLabel("What was destroyed").fill("書類 12箱");
  await p.getByLabel("The proof").setInputFiles({ name: "proof.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7") });
  await p.getByRole("button", { name: "File it" }).click();
  await p.getByText("Filed. SHA-256:").waitFor();

  who.well();
}

async function saved(who) {
  const p = who.page;
  step("a saved search outlives the page");
  await p.getByText("Saved searches").click();
  await p.getByRole("button", { name: "Save this search" }).click();
  await p.getByRole("textbox", { name: "Name of the search" }).fill("<b>USB</b>\u202e");
  await p.getByRole("dialog").getByRole("button", { name: "Save this search" }).click();
  await who.go("#/logs");
  await p.reload();
  await who.settled();
  await p.getByText("Saved searches").click();
  await p.getByRole("button", { name: /<b>USB<\/b>/ }).first().click();
  await p.waitForFunction(() => location.hash.includes("c=usb"));

  who.well();
}

async function travels(who) {
  const p = who.page;
  step("from a drive to everywhere it was");
  await who.go(`#/logs?${all}&c=usb&kind=plug`);
  await p.locator("a[data-row]").first().click();
  await p.getByRole("link", { name: "Everywhere this drive was" }).click();
  await p.locator(".run").first().waitFor();

  who.well();
}

/** A trial that was asked for is there. */
async function tried(who) {
  const p = who.page;
  await p.getByRole("button", { name: "Try", exact: true }).click();
  await p.locator(".trial-cases table tbody tr").first().waitFor();
  await who.settled();
}

/** In both languages and colours, and on a tablet. */
async function trialLooks(who, name) {
  const p = who.page;
  await who.looks(name);
  await p.setViewportSize({ width: 820, height: 1180 });
  if (await who.overflows()) fail(`${name} is wider than a tablet`);
  await p.setViewportSize({ width: 1280, height: 800 });
}

async function auditorsTrial(who) {
  const p = who.page;
  step("what the pushed policy would have said of last week: titles and people, and the records behind a case");
  await who.go("#/drives/trial");
  await p.getByText("Not tried yet.").waitFor();
  await p.getByText("The texts that are pushed, version 1").waitFor();
  await tried(who);
  const held = p.locator("tr", { hasText: "3F-複合機" }).filter({ hasText: "Held" });
  same(await held.count(), 1, "cases of what is marked");
  for (const what of ["3 times", "15 pages", "tanaka.mio", "sato.ken", "mori.aoi", "soumu-050", "見積書(社外秘)", "print:marked-confidential"])
    await held.getByText(what).first().waitFor();
  await p.locator("tr", { hasText: "ロビー" }).getByText("案内図<b>.pdf").waitFor();
  const noted = p.locator("tr", { hasText: "E0D55EA574" });
  same(await noted.count(), 2, "what was noted, and what was denied");
  await p.getByText(/not compared/).waitFor();
  await trialLooks(who, "trial-auditor");
  await held.locator("time").first().click();
  await p.locator(".detail").getByText("見積書(社外秘)").first().waitFor();
  for (const cell of await p.locator("a[data-row]").allInnerTexts()) if (!cell) fail("a row without words");
  await p.goBack();
  await held.getByRole("link", { name: "Records", exact: true }).click();
  await p.locator("a[data-row]").first().waitFor();
  await who.settled();
  same(await p.locator("a[data-row]").count(), 6, "jobs that this printer was allowed");
  await p.goBack();
  await p.getByRole("button", { name: "The same", exact: true }).click();
  same(await held.count(), 0, "what changes, among the same");
  await p.getByRole("button", { name: "All", exact: true }).click();
  await p.locator(".trial-cases select").selectOption("print");
  await p.getByRole("searchbox", { name: "Find in the cases" }).fill("3F-複合機");
  await p.waitForFunction(() => document.querySelectorAll(".trial-cases tbody tr").length === 2);

  who.well();
}

async function administratorsTrial(who) {
  const p = who.page;
  step("the draft is tried before it is signed: devices with their PCs, print jobs in numbers");
  await who.go("#/drives/draft");
  await p.getByRole("link", { name: "Try it against the records" }).click();
  await p.getByText("The draft, which would be version 2").waitFor();
  await tried(who);
  // What is marked is marked by its title: that rule is no question for an administrator.
  await p.getByText(/have an auditor try those/).waitFor();
  await p.getByRole("button", { name: "All", exact: true }).click();
  const jobs = p.locator(".trial-cases tbody tr", { hasText: "3F-複合機" });
  same([await jobs.count(), await jobs.filter({ hasText: "Held" }).count()], [1, 0], "cases of that printer, and of what is marked");
  same((await jobs.locator("td").allInnerTexts()).slice(3), ["1", "3", ""], "PCs, people and the last time");
  const text = await p.locator("main").innerText();
  for (const secret of ["見積書", "案内図", "tanaka.mio", "sato.ken", "mori.aoi"]) if (text.includes(secret)) fail(`an administrator reads ${secret}`);
  same(await p.locator(".trial-cases a").count(), 0, "ways to the logs");
  await p.locator("tr", { hasText: "E0D55EA574" }).getByText("soumu-050").first().waitFor();
  await trialLooks(who, "trial");

  step("a group that nobody is known to be in; another period is another question; what cannot be read is said");
  await p.getByLabel("Groups that everybody is taken to be in").fill("keiri");
  await p.getByText("The texts or the period are others now.").waitFor();
  await p.getByRole("button", { name: "Try", exact: true }).click();
  await p.getByText("The texts or the period are others now.").waitFor({ state: "detached" });
  await p.locator(".trial-ask select").selectOption("1");
  await p.getByText("The texts or the period are others now.").waitFor();
  who.well();
}

async function keyboard(who) {
  const p = who.page;
  step("keyboard: the list, the ways, the search");
  await who.go("#/");
  await p.keyboard.press("?");
  await p.getByRole("dialog").waitFor();
  await who.accessible("the list of shortcuts");
  await p.keyboard.press("Escape");
  await p.getByRole("dialog").waitFor({ state: "detached" });
  await p.keyboard.press("g");
  await p.keyboard.press("l");
  await p.waitForFunction(() => location.hash === "#/logs");
  await p.locator("[data-find]").waitFor();
  await p.keyboard.press("/");
  same(await p.evaluate(() => document.activeElement?.hasAttribute("data-find")), true, "the search has the focus");
  who.well();
}

async function administrator(who) {
  const p = who.page;
  await who.begin("tanaka", ADMINISTRATOR, PASSWORD);
  step("an administrator sees no records");
  same(await p.locator("nav a[href='#/logs']").count(), 0, "ways to the logs");
  await who.go("#/logs");
  await p.getByText("Not for your role").waitFor();

  step("a PC is let in by a token from the page, and comes into the list by itself");
  await who.go("#/pcs");
  await p.getByRole("button", { name: "Enrol a PC" }).click();
  await p.getByRole("textbox", { name: "Name of the PC" }).fill("soumu-99");
  await p.getByRole("button", { name: "Make a token" }).click();
  await p.locator(".token .mono").waitFor();
  const token = await p.locator(".token .mono").innerText();
  await who.accessible("the token");
  await p.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  command(ENROL, "soumu-99", token);
  await p.getByRole("link", { name: "soumu-99" }).waitFor();

  who.well();
}

async function policy(who) {
  const p = who.page;
  step("a drive comes into the ledger, read-only; the check, the difference");
  await who.go("#/drives/ledger");
  await p.getByRole("button", { name: "Add a row" }).click();
  for (const [column, value] of [["Vendor", "0411"], ["Product", "02f6"], ["Serial number", "S-0815-4711"], ["Label", "名札 7"]]) {
    await p.getByRole("textbox", { name: `${column}, Row 1`, exact: true }).fill(value);
    await p.keyboard.press("Tab");
  }
  await who.go("#/drives/draft");
  await p.locator(".verdict-good").waitFor();
  await p.locator(".diff-added").first().waitFor();
  await who.accessible("the draft");
  for (const language of ["ja", "en"]) {
    await who.language(language);
    await who.picture(`draft-${language}`);
  }
  await administratorsTrial(who);

  step("what would be refused is said before it is signed");
  await who.go("#/drives/rules");
  const yaml = p.getByRole("textbox", { name: "policy.yaml" });
  const good = await yaml.inputValue();
  await yaml.fill(`${good}\nno_such_key: 1\n`);
  await who.go("#/drives/draft");
  await p.locator(".finding-fatal").first().waitFor();
  await p.getByRole("link", { name: "Try it against the records" }).click();
  await p.getByRole("button", { name: "Try", exact: true }).click();
  await p.getByText(/The texts cannot be read:.*no_such_key/).waitFor();
  await who.go("#/drives/draft");
  await p.locator(".finding-fatal").first().waitFor();
  same(await p.getByRole("button", { name: "Sign and push" }).isDisabled(), true, "signing what is refused");
  await who.go("#/drives/rules");
  await yaml.fill(good);
  await who.go("#/drives/draft");
  await p.locator(".verdict-good").waitFor();

  step("a stranger's key signs nothing; the administrator's does, in the browser, and the PC obeys");
  await p.getByRole("button", { name: "Sign and push" }).click();
  await who.chooseKey(STRANGER_FILE, KEY_FILE);
  await who.accessible("signing");
  await who.picture("sign-en");
  who.sent.length = 0;
  await p.getByRole("dialog").getByRole("button", { name: "Sign and push" }).click();
  const arrived = (version) => p.locator("tr", { hasText: "soumu-99" }).filter({ hasText: "In force" }).filter({ hasText: String(version) }).waitFor();
  await arrived(2);
  same(JSON.parse(command("sekishoctl", "policy", "status", "--json")).version, 2, "version at the collector");
  const secret = process.env.KEY_TEXT;
  const raw = Buffer.from(secret, "base64").subarray(-32);
  for (const body of who.sent) if (body.includes(raw) || body.includes(secret)) fail("the key left the browser");

  step("back to the version before, under a new number");
  await who.go("#/drives/rules");
  await p.getByRole("button", { name: "Take the texts of version 1 as draft" }).click();
  await who.go("#/drives/draft");
  await p.locator(".diff-removed").first().waitFor();
  await p.getByRole("button", { name: "Sign and push" }).click();
  await p.locator("input[type=file]").setInputFiles(KEY_FILE);
  await p.getByRole("dialog").getByRole("button", { name: "Sign and push" }).click();
  await arrived(3);

  who.well();
}

async function ledger(who) {
  const p = who.page;
  step("the ledger as a table: a cell, a row; the same as text");
  await who.go("#/drives/ledger");
  await p.getByRole("button", { name: "Add a row" }).click();
  await p.getByRole("textbox", { name: "Serial number, Row 1" }).fill("S-4711");
  await p.keyboard.press("Tab");
  await p.getByRole("button", { name: "Text", exact: true }).click();
  await until(async () => (await p.getByRole("textbox", { name: "devices.csv" }).inputValue()).includes("S-4711"), "the cell in the text");
  await who.go("#/drives/draft");
  await p.getByRole("button", { name: "Discard the draft" }).click();
  await p.getByText("No changes yet.").waitFor();

  who.well();
}

async function revoke(who) {
  const p = who.page;
  step("revoked, with a reason and the name typed");
  await who.go("#/pcs");
  await p.getByRole("link", { name: /^seizo-/ }).first().click();
  await who.settled();
  const name = await p.locator("h1").innerText();
  await p.getByRole("button", { name: "Revoke" }).click();
  const go = p.getByRole("button", { name: "Revoke this PC" });
  await p.getByRole("textbox", { name: /^Reason/ }).fill("stolen");
  await p.getByRole("textbox", { name: /^Type/ }).fill("another");
  same(await go.isDisabled(), true, "revoking under another name");
  await p.getByRole("textbox", { name: /^Type/ }).fill(name);
  await go.click();
  await p.locator(".status-revoked").waitFor();
  who.well();
}

async function viewer() {
  const who = await browser.person("en-GB");
  const p = who.page;
  await who.begin("mori", VIEWER, PASSWORD);
  step("a viewer sees the own department, and nothing of the policy");
  await who.go(`#/logs?${all}&c=file`);
  await p.locator("a[data-row]").first().waitFor();
  for (const host of await p.locator("td.col-host").allInnerTexts()) if (!host.startsWith("keiri-")) fail(`${host} is not of this scope`);
  await who.go("#/drives");
  await p.getByText("Not for your role").waitFor();
  step("a session that ends: signing in again goes on where it was");
  await who.go(`#/logs?${all}&c=program`);
  await who.context.clearCookies();
  await p.getByRole("button", { name: "Files", exact: true }).click();
  await p.getByText("The session has ended.").waitFor();
  who.well();
  await who.context.close();
}

/** Every view, in both languages and both colours. */
async function everywhere(who, views) {
  const p = who.page;
  for (const [name, fragment, then] of views)
    for (const language of ["ja", "en"]) {
      await who.go(fragment);
      await who.language(language);
      if (then) await then(who);
      for (const theme of ["dark", "light"]) {
        await who.theme(theme);
        await who.settled();
        await who.accessible(`${name}, ${language}, ${theme}`);
        if (theme === "light" || ["overview", "logs", "reports"].includes(name)) await who.picture(`${name}-${language}${theme === "dark" ? "-dark" : ""}`);
      }
      who.well();
    }
  await p.setViewportSize({ width: 820, height: 1180 });
  for (const [name, fragment, then] of views) {
    await who.go(fragment);
    if (then) await then(who);
    await who.settled();
    if (await who.overflows()) fail(`${name} is wider than a tablet`);
  }
  await p.setViewportSize({ width: 1280, height: 800 });
}

const auditorsViews = [
  ["overview", "#/"],
  ["alerts", "#/alerts"],
  ["logs", "#/logs?since=-7d&c=file&text=xlsx"],
  ["reports", "#/reports", reported],
  ["register", "#/register"],
  ["account", "#/account"],
];
const administratorsViews = [
  ["drives", "#/drives"],
  ["ledger", "#/drives/ledger"],
  ["rules", "#/drives/rules"],
  ["arrival", "#/drives/arrival"],
  ["pcs", "#/pcs"],
  ["proof", "#/register"],
];

try {
  const reader = await browser.person("ja-JP");
  const writer = await browser.person();
  const stories = [
    () => auditor(reader),
    () => hostile(reader),
    () => csv(reader),
    () => saved(reader),
    () => travels(reader),
    () => auditorsTrial(reader),
    () => keyboard(reader),
    () => alerts(reader),
    () => register(reader),
    () => report(reader, ["Prints by person", "Drives by person", "Who looked at the logs", "PCs", "Statement"], []),
    () => administrator(writer),
    () => policy(writer),
    () => ledger(writer),
    () => revoke(writer),
    () => proof(writer),
    () => report(writer, ["Drives", "Versions of the policy", "PCs"], ["Prints by person", "Drives by person", "Who looked at the logs"]),
    () => viewer(),
    async () => {
      step("every view, in both languages and both colours: axe finds nothing, nothing is refused; on a tablet too");
      await everywhere(reader, auditorsViews);
    },
    () => everywhere(writer, administratorsViews),
  ];
  for (const story of stories) {
    await story();
  }
} catch (e) {
  await browser.failed();
  throw e;
} finally {
  await browser.stop();
}

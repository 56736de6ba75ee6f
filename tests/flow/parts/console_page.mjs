// The stories of the desk, walked in a browser: tests/flow/92-console-page starts what is behind it. Each person has a browser of his own.
import { mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser, PASSWORD, Person, command, day, fail, origin, same, step, until } from "./console_browser.mjs";

const require = createRequire(join(process.env.PAGE_SOURCE, "package.json"));
const jsqr = require("jsqr");
const { PNG } = require("pngjs");

const { AUDITOR, ADMINISTRATOR, VIEWER, KEY_FILE, STRANGER_FILE, EVIDENCE, ENROL, USB, LID } = process.env;
const browser = await Browser.start();
const all = "since=all";
/** Addresses that stories came by, for whoever looks at every view. */
const places = {};

async function auditor(who) {
  const p = who.page;
  step("the door: in the browser's language; a wrong password is told as nothing else");
  await who.go("");
  same(await p.evaluate(() => document.documentElement.lang), "ja", "language");
  for (const language of ["en", "ja"]) {
    await who.language(language);
    await who.accessibleInBoth(`the door, ${language}`);
    await who.theme("auto");
    await who.picture(`sign-in-${language}`);
  }
  await who.language("en");
  step("6.2.6, 6.2.7: a password is masked, may be pasted, and is known to managers of passwords as one");
  const field = p.locator("input[autocomplete=current-password]");
  same(await field.getAttribute("type"), "password", "its type");
  same(await field.evaluate((e) => e.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true }))), true, "pasting");
  await who.signIn("sachiko", "not the password at all");
  await p.getByRole("alert").waitFor();
  step("the first sign-in: own password, second factor");
  await who.begin("sachiko", AUDITOR, PASSWORD, async (what) => {
    for (const language of ["ja", "en"]) {
      await who.language(language);
      await who.accessibleInBoth(`${what}, ${language}`);
      await who.theme("auto");
      await who.picture(`first-${what}-${language}`);
    }
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
  await who.finds("another page of rows", (row) => document.querySelector("a[data-row]") && !document.querySelector(`a[data-row="${row}"]`), first);
  await who.settled();
  const second = await rows.first().getAttribute("data-row");
  await who.reloaded();
  same(await rows.first().getAttribute("data-row"), second, "the page that the address names");
  await p.goBack();
  await who.finds("the first page of rows again", (row) => document.querySelector(`a[data-row="${row}"]`), first);
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
  await who.finds("the next record, open", (row) => document.querySelector("tr.opened a")?.getAttribute("data-row") !== row, opened);
  await p.keyboard.press("Escape");
  await p.locator(".detail").waitFor({ state: "detached" });

  step("from the file to its history, from the person to the day");
  await rows.nth(3).click();
  await p.getByRole("link", { name: "All that happened to this file" }).click();
  await p.locator(".run").first().waitFor();
  places.trace = new URL(p.url()).hash;
  await p.goBack();
  await p.getByRole("link", { name: /^The day of/ }).click();
  await p.locator(".strip svg").first().waitFor();
  await who.settled();
  places.day = new URL(p.url()).hash;

  who.well();
}

const lives = { name: "/home/sato.ken/顧客一覧_提出用.xlsx", copy: "/media/sato.ken/KEY/B.xlsx" };

async function life(who) {
  const p = who.page;
  step("a file's life: from a record to its names, its copy and its end; by path too; what is asked is in the address");
  await who.go(`#/logs?${all}&host=soumu-050&kind=print&path=${encodeURIComponent(lives.name)}`);
  await p.locator("a[data-row]").first().click();
  await p.getByRole("link", { name: "This file's life" }).click();
  const rows = p.locator("table.lives tbody tr");
  await rows.nth(5).waitFor();
  const told = (await rows.allInnerTexts()).map((x) => x.replace(/\s+/g, " "));
  const wanted = [[/Made/, /顧客一覧\.xlsx/], [/renamed/, /顧客一覧\.xlsx ?→ ?.*提出用/], [/copied/, /提出用\.xlsx ?→ ?.*B\.xlsx/, /Built-in disk ?→ ?USB drive DataTraveler 60A44C413E4FE4B0 SHA-256 5e5e5e5e5e5e…/, /Almost sure/, /One program read it whole/],
    [/DataTraveler/, /Allowed, told at once/, /drives:personal-numbers/], [/2F-複合機/, /Allowed, told at once/], [/deleted/, /提出用/, /nautilus/]];
  same(told.length, wanted.length, `rows: ${told.join(" | ")}`);
  wanted.forEach((all, i) => all.forEach((one) => one.test(told[i]) || fail(`row ${i} without ${one}: ${told[i]}`)));
  same(await p.getByText("Not all of it").count(), 0, "whether it says that something is missing");
  places.life = new URL(p.url()).hash;
  const csv = await who.download(p.getByRole("link", { name: "CSV" }));
  same([csv.name, csv.bytes.toString().trimEnd().split("\r\n").length], ["sekisho-trail.csv", 1 + wanted.length], "the file");

  step("by keyboard alone: the copy alone, whose source is its ancestor as long as it was copied");
  await p.keyboard.press("/");
  await who.finds("the field for the file", () => document.activeElement?.matches("input[data-find]"));
  await p.keyboard.type(lives.copy);
  await p.keyboard.press("Enter");
  await who.finds("the copy's life", () => document.querySelectorAll("table.lives tbody tr").length === 4);
  await p.goBack();
  await who.finds("the life before", () => document.querySelectorAll("table.lives tbody tr").length === 6);
  await p.locator("table.lives tbody th a").nth(2).click();
  await p.locator(".detail .seal-good").waitFor();

  step("what is none is said so, in words, and asked of nobody");
  await who.go("#/trace/life?of=list.xlsx");
  await p.getByRole("alert").getByText("no path from the root on").waitFor();
  await who.go(`#/trace/life?of=${encodeURIComponent("/no/such")}`);
  await p.getByText("Nothing is recorded of a file of this path").waitFor();

  who.well();
}

/** Hostile names are here, and they are text. */
async function harmless(who, where) {
  const main = who.page.locator("main");
  await main.getByText("<img src=x").first().waitFor({ state: "attached" });
  same(await main.locator(":is(script, img, iframe, object, embed, style)").count(), 0, `elements that nobody made, ${where}`);
  who.well();
}

async function hostile(who) {
  const p = who.page;
  step("hostile names are text: nothing of them is an element, what is hidden is seen");
  await who.go(`#/logs?${all}&text=${encodeURIComponent("<img src=x>\u202e\u0007")}`);
  await p.locator(".mark-button .hidden-sign").first().waitFor();
  await harmless(who, "in the logs");
  const evil = encodeURIComponent(process.env.HOSTILE);
  for (const [where, address] of [
    ["in a record", `#/logs?${all}&kind=print&user=${evil}`],
    ["in a file's history", `#/trace/file?path=${encodeURIComponent("/home/")}${evil}`],
    ["in a file's life", `#/trace/life?of=${encodeURIComponent("/home/")}${evil}`],
    ["in a day", `#/trace/day?user=${evil}&date=${day(0, (Number(process.env.HOSTILE_AT) - 20 * 3600) * 1000)}`],
    ["in a drive's travels", `#/trace/drive?device=EVIL${evil}`],
    ["in the alerts", "#/alerts"],
    ["in the PCs", "#/pcs"],
  ]) {
    await who.go(address);
    if (where === "in a record") {
      await p.locator("a[data-row]").first().click();
      await p.locator(".seal-good").waitFor();
    }
    await harmless(who, where);
  }
}

async function hostileForAdministrators(who) {
  step("the same for an administrator: PCs, drives");
  for (const address of ["#/", "#/pcs", "#/drives"]) {
    await who.go(address);
    if (address === "#/") await who.settled();
    else await harmless(who, address);
  }
  await who.go("#/pcs");
  await who.page.getByRole("link", { name: /^<img/ }).first().click();
  await who.settled();
  await harmless(who, "on its own page");
}

async function elsewhere(who) {
  const p = who.page;
  step("7.5.2: where one is signed in besides, and an end to it, with password and code");
  const other = await browser.person("en-GB");
  await other.go("");
  await other.again("sachiko", PASSWORD, who.app);
  await who.go("#/account");
  const panel = p.locator("section", { has: p.getByRole("heading", { name: "Signed in elsewhere" }) });
  await panel.locator("li").first().waitFor();
  same(await panel.locator("li").count(), 1, "other sessions");
  await panel.getByRole("button", { name: /^End the session from 127\.0\.0\.1 / }).click();
  await who.accessible("ending another session");
  const dialog = p.getByRole("dialog");
  await dialog.locator("input[type=password]").fill(PASSWORD);
  await dialog.locator("input[autocomplete=one-time-code]").fill(await who.nextCode());
  await dialog.getByRole("button", { name: "End", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await panel.getByText("Nowhere else.").waitFor();
  await other.page.getByText("The session has ended.").waitFor();
  await other.context.close();
  who.well();
}

async function csv(who) {
  const p = who.page;
  step("CSV, with what a spreadsheet wants in front");
  await who.go(`#/logs?${all}&c=print&user=sato.ken`);
  await p.locator(".facets").getByRole("button", { name: "Held" }).click();
  await who.settled();
  await p.locator(".facets").getByRole("button", { name: "ロビー" }).click();
  await who.settled();
  const held = await p.locator("a[data-row]").count();
  if (held < 1 || !decodeURIComponent(p.url()).endsWith("fact=action:hold&fact=printer:ロビー")) fail(`${held} jobs held at that printer`);
  const jobs = await p.locator("td.col-object").allInnerTexts();
  if (!jobs.every((cell) => /(案内図|社外秘)\.pdf/.test(cell) && cell.includes("ロビー"))) fail(`jobs without title and printer: ${jobs.join(" | ")}`);
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
  await p.getByRole("button", { name: "Another period" }).click();
  await p.getByLabel("From").fill(day(-10));
  await p.getByLabel("Up to").fill(day(1));
  await p.getByRole("button", { name: "Make the report" }).click();
  await p.getByText("What needs attention").waitFor();
  for (const section of sections) await p.locator("summary").getByText(section, { exact: false }).first().waitFor();
  for (const section of hidden)
    if (await p.locator("summary").getByText(section, { exact: false }).count()) fail(`${section} is not for this role`);
  await p.getByText("checkpoint verified").waitFor();
  await harmless(who, "in a report");
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
  step("it is among what was filed, and whoever may fetches it as it was");
  const filed = await who.download(p.locator("table.proofs").getByRole("button", { name: /proof\.pdf/ }));
  same([filed.name, filed.bytes.toString()], ["proof.pdf", "%PDF-1.7"], "the proof");
  who.well();
}

/** The register with what a contractor certified. */
async function enclosed(who) {
  const p = who.page;
  step("the register goes out with the proof that it names");
  await who.go("#/register");
  await p.locator("table.proofs").getByText("溶解処理").waitFor();
  await p.getByLabel("From").fill(day(-1));
  await p.getByLabel("Up to").fill(day(1));
  await p.getByLabel("Folder").fill("/home");
  const zip = await who.download(p.getByRole("button", { name: "PDF with the proofs (ZIP)" }));
  if (!zip.bytes.includes("%PDF-1.7") || !zip.bytes.includes("proofs/0001-")) fail("the proof is not in it");

  who.well();
}

async function saved(who) {
  const p = who.page;
  step("a saved search outlives the page, the session and the browser; so do language and colours of this one");
  await p.getByText("Saved searches").click();
  await p.getByRole("button", { name: "Save this search" }).click();
  await p.getByRole("textbox", { name: "Name of the search" }).fill("<b>USB</b>\u202e");
  await p.getByRole("dialog").getByRole("button", { name: "Save this search" }).click();
  await p.getByRole("dialog").waitFor({ state: "detached" });
  const finds = async (it) => {
    await it.go("#/logs");
    await it.page.getByText("Saved searches").click();
    await it.page.getByRole("button", { name: /<b>USB<\/b>/ }).first().click();
    await it.finds("the saved search in the address", () => location.hash.includes("c=usb"));
  };
  await who.theme("dark");
  const other = await browser.person("en-GB");
  await other.go("");
  await other.again("sachiko", PASSWORD, who.app);
  await finds(other);
  step("and what is forgotten in one browser is forgotten in the other");
  await other.page.getByRole("button", { name: "Save this search" }).click();
  await other.page.getByRole("textbox", { name: "Name of the search" }).fill("other");
  await other.page.getByRole("dialog").getByRole("button", { name: "Save this search" }).click();
  await other.page.getByRole("dialog").waitFor({ state: "detached" });
  await other.page.getByRole("button", { name: "Sign out" }).click();
  await other.page.locator("input[autocomplete=username]").waitFor();
  other.well();
  await other.context.close();
  await p.getByRole("button", { name: "Sign out" }).click();
  await p.locator("input[autocomplete=username]").waitFor();
  await p.reload();
  await p.locator("input[autocomplete=username]").waitFor();
  same(await p.evaluate(() => [document.documentElement.lang, document.documentElement.dataset["theme"]]), ["en", "dark"], "language and colours, signed out");
  same(await p.evaluate(() => Object.keys(localStorage).sort()), ["sekisho.language", "sekisho.theme"], "what the browser keeps");
  await who.again("sachiko", PASSWORD);
  await finds(who);
  await who.theme("auto");
  await p.getByRole("button", { name: "Forget the search other" }).click();
  await p.getByRole("button", { name: "Forget the search other" }).waitFor({ state: "detached" });

  who.well();
}

async function travels(who) {
  const p = who.page;
  step("from a drive to everywhere it was");
  await who.go(`#/logs?${all}&c=usb&kind=plug`);
  await p.locator("a[data-row]").first().click();
  await p.getByRole("link", { name: "Everywhere this drive was" }).click();
  await p.locator(".run").first().waitFor();
  places.travels = new URL(p.url()).hash;

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
  await who.finds("two cases of that printer", () => document.querySelectorAll(".trial-cases tbody tr").length === 2);

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
  await who.finds("the logs' address", () => location.hash === "#/logs");
  await p.locator("[data-find]").waitFor();
  await p.keyboard.press("/");
  same(await p.evaluate(() => document.activeElement?.hasAttribute("data-find")), true, "the search has the focus");
  who.well();
}

/** What has the focus, in words. */
const focus = (p) => p.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent?.slice(0, 40)}`);

async function hands(who) {
  const p = who.page;
  step("Tab and Enter alone: from the overview to the logs, a filter, a record, its proof, and back to the row");
  await who.go("#/");
  await who.tabTo(p.locator("nav a[href='#/logs']"));
  await p.keyboard.press("Enter");
  await p.locator("a[data-row]").first().waitFor();
  // The office's last day is yesterday: in its evening, a day of hours does not reach it any more.
  await who.go(`#/logs?${all}`);
  await p.locator("a[data-row]").first().waitFor();
  await who.tabTo(p.locator("[data-find]"));
  await p.keyboard.type("xlsx");
  await p.keyboard.press("Enter");
  await who.finds("the search in the address", () => location.hash.includes("text=xlsx"));
  await who.settled();
  const row = p.locator("a[data-row]").first();
  await who.tabTo(row);
  await p.keyboard.press("Enter");
  await p.locator(".seal-good").waitFor();
  await who.tabTo(p.locator(".detail").getByRole("button", { name: "Segment", exact: true }));
  const [file] = await Promise.all([p.waitForEvent("download"), p.keyboard.press("Enter")]);
  if (!file.suggestedFilename()) fail("no segment");
  await p.keyboard.press("Escape");
  await p.locator(".detail").waitFor({ state: "detached" });
  await until(() => row.evaluate((e) => e === document.activeElement), `the row has the focus again, not ${await focus(p)}`);

  step("the same: a dialog holds the focus, and gives it back");
  await who.go("#/alerts");
  await p.getByRole("button", { name: "Open", exact: true }).waitFor();
  const button = p.getByRole("button", { name: /^Acknowledge:/ }).first();
  await who.tabTo(button);
  await p.keyboard.press("Enter");
  await p.getByRole("dialog").waitFor();
  await who.heldIn(p.getByRole("dialog"));
  await p.keyboard.press("Escape");
  await p.getByRole("dialog").waitFor({ state: "detached" });
  same(await button.evaluate((e) => e === document.activeElement), true, "the button has the focus again");
  who.well();
}

async function signingByHand(who) {
  const p = who.page;
  step("a policy is signed by Tab and Enter alone: the dialog holds the focus, and gives it back");
  // From here on: asked for only as the key is pressed, the browser may open its own dialog before it hears of it.
  const choosers = [];
  p.on("filechooser", (c) => choosers.push(c));
  // Another browser has pushed meanwhile: a draft on the version before it is refused, and the dialog says so.
  await who.go("#/drives/rules");
  await who.reloaded();
  await drafted(who);
  await who.go("#/drives/draft");
  await p.locator(".verdict-good").waitFor();
  const button = p.getByRole("button", { name: "Sign and push" });
  // One begun from the version before is not signed until somebody has compared it.
  await p.evaluate(() => {
    const d = JSON.parse(sessionStorage.getItem("sekisho.draft"));
    sessionStorage.setItem("sekisho.draft", JSON.stringify({ ...d, base: d.base - 1 }));
  });
  await p.reload();
  await who.settled();
  await p.locator(".verdict-good").waitFor();
  const onTop = p.getByRole("button", { name: /^I compared it: go on from version/ });
  await onTop.waitFor();
  await p.locator("section[aria-labelledby=check-title][aria-busy=false] .verdict-good").waitFor();
  if (await button.isEnabled()) fail("a draft on an older version can be signed");
  await onTop.click();
  await until(() => button.isEnabled(), "signing after the comparison");
  await who.tabTo(button);
  await p.keyboard.press("Enter");
  const dialog = p.getByRole("dialog");
  await dialog.waitFor();
  await who.heldIn(dialog);
  await p.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  same(await button.evaluate((e) => e === document.activeElement), true, "the button has the focus again");
  await p.keyboard.press("Enter");
  await dialog.waitFor();
  await who.tabTo(dialog.locator("input[type=file]"));
  await p.keyboard.press("Enter");
  await until(() => choosers.length, "Enter on the field for a key asks for a file");
  await choosers[0].setFiles(KEY_FILE);
  p.removeAllListeners("filechooser");
  await dialog.locator(".verdict-good").waitFor();
  await who.tabTo(dialog.getByRole("button", { name: "Sign and push" }));
  const pushing = p.waitForResponse((r) => new URL(r.url()).pathname === "/api/v1/policy" && r.request().method() === "POST");
  await p.keyboard.press("Enter");
  const pushed = await pushing;
  if (pushed.status() !== 200) fail(`not taken: ${pushed.status()} ${await pushed.text()}; the dialog says: ${await dialog.innerText()}`);
  await dialog.waitFor({ state: "detached" });
  await who.finds("the view of the arrival", () => location.hash === "#/drives/arrival");
  same(JSON.parse(command("sekishoctl", "policy", "status", "--json")).version, 7, "version at the collector");
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
  const link = p.getByRole("link", { name: "soumu-99" });
  await link.waitFor();
  places.pc = await link.getAttribute("href");

  who.well();
}

async function policy(who) {
  const p = who.page;
  step("a drive that was seen comes into the ledger, read-only, and is opened there; the check, the difference");
  command(USB, "plug", "1-1", "0411:02f6", "S-0815-4711", "storage");
  await guardSays("storage read-only default:storage");
  await who.go("#/drives");
  await p.locator("tr", { hasText: "S-0815-4711" }).getByRole("button", { name: "Add, read only" }).click();
  await who.go("#/drives/ledger");
  same(await p.getByRole("textbox", { name: `Serial number, ${ROW}` }).inputValue(), "S-0815-4711", "the drive in the ledger");
  await p.getByRole("combobox", { name: `Access, ${ROW}` }).selectOption("read-write");
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
  who.sent.length = 0;
  await p.getByRole("dialog").getByRole("button", { name: "Sign and push" }).click();
  // The number in its own cell: "seen 3 seconds ago" is no version.
  const arrived = (version, at = p) => at.locator("tr", { hasText: "soumu-99" }).filter({ hasText: "In force" })
    .filter({ has: at.locator("td.number").getByText(String(version), { exact: true }) }).waitFor();
  await arrived(2);
  same(JSON.parse(command("sekishoctl", "policy", "status", "--json")).version, 2, "version at the collector");
  const secret = process.env.KEY_TEXT;
  const raw = Buffer.from(secret, "base64").subarray(-32);
  for (const body of who.sent) if (body.includes(raw) || body.includes(secret)) fail("the key left the browser");

  await guardSays("storage read-write ledger:5");

  step("the drive's row expires, is limited, is withdrawn: each time the guard is asked what it does to what is plugged in");
  const cell = (column) => p.getByRole("textbox", { name: `${column}, ${ROW}` });
  const pushed = async (version, change, says) => {
    await who.go("#/drives/ledger");
    await change();
    await push(who, arrived, version);
    await guardSays(says);
  };
  // The line is slow: what was pushed here is worked on only when it was read back, and no old version meanwhile.
  const slow = async (route) => {
    if (route.request().method() === "GET") await sleep(4000);
    await route.continue();
  };
  await p.route("**/api/v1/policy", slow);
  await pushed(3, async () => {
    await cell("Until").fill("2020-12-31");
    await cell("Until").blur();
  }, "storage read-only default:storage");
  await pushed(4, async () => {
    await cell("Until").fill("");
    await cell("Until").blur();
    await p.getByRole("combobox", { name: `Access, ${ROW}` }).selectOption("deny");
  }, "storage deny ledger:5");
  await p.unrouteAll({ behavior: "wait" });
  await pushed(5, () => p.getByRole("button", { name: `Remove ${ROW.toLowerCase()}` }).click(), "storage read-only default:storage");
  who.well();

  step("back to an earlier version, under a new number, from a browser that never saw it");
  const other = await browser.person();
  await other.go("");
  await other.again("tanaka", PASSWORD, who.app);
  await other.go("#/drives/rules");
  await other.accessible("earlier versions");
  await other.page.getByRole("button", { name: "Take the texts of version 2 as draft" }).click();
  await other.page.getByText("The texts of version 2 are in the draft.").waitFor();
  await push(other, (version) => arrived(version, other.page), 6);
  await guardSays("storage read-write ledger:5");
  other.well();
  await other.context.close();
}

const ROW = "Row 4";
/** What the PC's guard does to what is plugged in. */
const guardSays = (want) => until(() => command(USB, "says", "1-1").trim() === want, want);

/** Signs the draft and waits for it at the PC. */
async function push(who, arrived, version) {
  const p = who.page;
  await who.go("#/drives/draft");
  await p.locator(".verdict-good").waitFor();
  await p.getByRole("button", { name: "Sign and push" }).click();
  await p.locator("input[type=file]").setInputFiles(KEY_FILE);
  await p.getByRole("dialog").getByRole("button", { name: "Sign and push" }).click();
  await arrived(version);
}

/** The line that decided, of the version that held then. */
async function decided(who) {
  const p = who.page;
  step("a record of an earlier version shows the line of that version, though newer ones have none such");
  for (const [access, line] of [["deny", /^0411,02f6,S-0815-4711,.*,deny/], ["read-write", /^0411,02f6,S-0815-4711,.*,read-write/]]) {
    await who.go(`#/logs?${all}&kind=decision&host=soumu-99&fact=access:${access}&order=oldest`);
    await p.locator("a[data-row]").first().click();
    await p.getByText(`policy version ${access === "deny" ? 4 : 2}`).waitFor();
    await p.getByText(/^Pushed .*, followed by the next one/).waitFor();
    if (!line.test(await p.locator("ol.code li").innerText())) fail(`another line: ${await p.locator("ol.code").innerText()}`);
    same(await p.locator("ol.code li").getAttribute("value"), "5", "its number");
  }
  step("and so of print jobs: the rule in its section, by the version of the record");
  await who.go(`#/logs?${all}&fact=rule:print:marked-confidential`);
  await p.locator("a[data-row]").first().click();
  await p.getByText("Rule marked-confidential for print jobs").waitFor();
  await p.locator("ol.code").getByText('match: {titles: ["*社外秘*", "*confidential*"]}').waitFor();
  await who.accessible("what decided");
  who.well();
}

async function ledger(who) {
  const p = who.page;
  step("the ledger as a table: a cell, a row; the same as text");
  await who.go("#/drives/ledger");
  // Begun with what is pushed now, as above: another browser may have pushed meanwhile.
  await who.reloaded();
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

async function asleep(who) {
  const p = who.page;
  step("a laptop whose lid is closed is asleep, since when, in both languages, and no silent PC; it is heard of again when it is opened");
  command(LID, "closed");
  await who.go("#/pcs");
  const row = p.locator("tr", { hasText: "soumu-99" });
  await row.locator(".status-asleep").waitFor({ timeout: 60000 });
  for (const [language, said, figure] of [["ja", /^スリープ中 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d から$/, "スリープ中"], ["en", /^asleep since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, "Asleep"]]) {
    await who.language(language);
    const state = (await row.locator("td").first().innerText()).trim();
    if (!said.test(state)) fail(`in ${language}: ${state}`);
    await who.accessible(`a PC that sleeps, ${language}`);
    await who.go("#/");
    await p.locator(".figure", { hasText: figure }).locator("dd", { hasText: /^1$/ }).waitFor();
    await who.go("#/pcs");
  }
  await row.getByRole("link").click();
  await p.locator(".status-asleep").waitFor();
  await who.go("#/pcs");
  command(LID, "open");
  await row.locator(".status-connected").waitFor({ timeout: 60000 });
  who.well();
}

async function retire(who) {
  const p = who.page;
  step("the PC's page: what it says of itself; out of use, with a reason and the name typed, after what it had was asked for");
  await who.go("#/pcs");
  const row = p.locator("tr", { hasText: "soumu-99" });
  const [, , , , version] = await row.locator("td, th").allInnerTexts();
  if (!/^\d+\.\d+\.\d+/.test(version)) fail(`no release of soumu-99: ${version}`);
  await p.getByRole("link", { name: "soumu-99" }).click();
  await p.getByRole("region", { name: "Guard" }).getByText(version).waitFor();
  await p.getByRole("button", { name: "Retire", exact: true }).click();
  await p.getByRole("textbox", { name: /^Reason/ }).fill("lease ended");
  await p.getByRole("textbox", { name: /^Type/ }).fill("soumu-99");
  await who.accessible("retiring");
  const go = p.getByRole("button", { name: "Retire this PC" });
  await go.click();
  await p.getByText("The PC was asked for what it has not sent yet.").waitFor();
  await until(async () => {
    if (await p.locator(".status-retired").count()) return true;
    // It is gone as soon as the PC is retired: no reason to wait for it then.
    if (await go.isEnabled({ timeout: 1000 }).catch(() => false)) await go.click({ timeout: 1000 }).catch(() => undefined);
    return false;
  }, "retired");
  await p.getByRole("button", { name: "Revoke", exact: true }).waitFor();
  who.well();
}

async function revoke(who) {
  const p = who.page;
  step("revoked, with a reason and the name typed");
  await who.go("#/pcs");
  await p.getByRole("link", { name: /^seizo-/ }).first().click();
  await who.settled();
  const name = await p.locator("h1").innerText();
  await p.getByRole("button", { name: "Revoke", exact: true }).click();
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
  await who.accessibleInBoth("the end of a session");
  who.well();
  await who.context.close();
}

/** Every view, in both languages and both colours. */
async function everywhere(who, views) {
  const p = who.page;
  const closed = async () => {
    const dialog = p.locator("dialog[open]");
    if (!(await dialog.count())) return;
    await p.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  };
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
      await closed();
      // 7.4.4: signing out is at hand.
      same(await p.getByRole("button", { name: /^(Sign out|サインアウト)/ }).first().isVisible(), true, `signing out, from ${name}`);
      who.well();
    }
  await kept(who);
  await p.setViewportSize({ width: 820, height: 1180 });
  for (const [name, fragment, then] of views) {
    await who.go(fragment);
    if (then) await then(who);
    await who.settled();
    if (await who.overflows()) fail(`${name} is wider than a tablet`);
    await who.accessible(`${name} on a tablet`, true);
    await closed();
  }
  await p.setViewportSize({ width: 1280, height: 800 });
}

/** 14.3.3: what the browser keeps is of the page alone, and nothing that was read. */
async function kept(who) {
  const storage = await who.page.evaluate(() => [...Object.entries(localStorage), ...Object.entries(sessionStorage)]);
  const text = JSON.stringify(storage);
  for (const secret of ["tanaka.mio", "sato.ken", "/home/", "3F-複合機", PASSWORD, process.env.KEY_TEXT, "checkpoint"]) if (text.includes(secret)) fail(`the browser keeps ${secret}`);
  if (!storage.length) fail("the browser keeps nothing: neither language nor colours?");
}

/** A record is open: what it says, and what is known of it. */
async function opened(who) {
  await who.page.locator("a[data-row]").nth(3).click();
  await who.page.locator(".seal-good").waitFor();
  await who.page.locator(".around-here").waitFor();
}

async function proven(who) {
  await opened(who);
  await who.page.locator(".seal-good").evaluate((e) => e.scrollIntoView({ block: "start" }));
}

/** The token of a new PC, whose QR code another program reads off the screen. */
async function enrolling(who) {
  const p = who.page;
  await p.getByRole("button", { name: /^(Enrol a PC|PC を登録)$/ }).click();
  await p.locator("dialog input[type=text]").fill("soumu-98");
  await p.locator("dialog button.main").click();
  await p.locator(".token .qr").waitFor();
  const { data, width, height } = PNG.sync.read(await p.locator(".token .qr").screenshot());
  same(jsqr(new Uint8ClampedArray(data), width, height)?.data, await p.locator(".token .mono").innerText(), "what the QR code says");
}

/** A draft that is about to be signed. */
async function signing(who) {
  const p = who.page;
  await p.locator(".verdict-good").waitFor();
  await p.getByRole("button", { name: /^(Sign and push|署名して配布)$/ }).click();
  await p.locator("dialog input[type=file]").setInputFiles(KEY_FILE);
  await p.locator("dialog .verdict-good").waitFor();
}

async function drafted(who) {
  await who.go("#/drives/rules");
  const yaml = who.page.locator("textarea").first();
  await yaml.fill(`${await yaml.inputValue()}\n# 見直し 2026\n`);
}

/** What somebody sees who opens the bundle, without this server. */
async function sheet(who) {
  step("the bundle's own page: from the file alone, nothing asked of anybody");
  const folder = mkdtempSync(join(EVIDENCE, "bundle-"));
  command("python3", "-m", "zipfile", "-e", join(EVIDENCE, "sekisho-evidence.zip"), folder);
  const it = new Person();
  it.page = await who.context.newPage();
  const asked = [];
  it.page.on("request", (r) => asked.push(r.url()));
  const address = `file://${folder}/index.html`;
  await it.page.goto(address);
  await it.page.locator("tbody tr").first().waitFor();
  same(await it.page.locator(":is(script, img, iframe, object, embed)").count(), 0, "elements that nobody made");
  same(asked, [address], "what it asks for");
  await it.picture("bundle");
  for (const colorScheme of ["light", "dark"]) {
    await it.page.emulateMedia({ colorScheme });
    await it.accessible(`the bundle's page, ${colorScheme}`);
  }
  await it.page.close();
}

const records = "#/logs?since=-7d&c=file&text=xlsx";
const auditorsViews = () => [
  ["overview", "#/"],
  ["alerts", "#/alerts"],
  ["logs", records],
  ["record", records, opened],
  ["proof", records, proven],
  ["trace", places.trace],
  ["life", places.life],
  ["day", places.day],
  ["travels", places.travels],
  ["reports", "#/reports", reported],
  ["register", "#/register"],
  ["account", "#/account"],
];
const administratorsViews = () => [
  ["drives", "#/drives"],
  ["ledger", "#/drives/ledger"],
  ["rules", "#/drives/rules"],
  ["sign", "#/drives/draft", signing],
  ["arrival", "#/drives/arrival"],
  ["pcs", "#/pcs"],
  ["pc", places.pc],
  ["enrol", "#/pcs", enrolling],
  ["disposal", "#/register"],
];

try {
  const reader = await browser.person("ja-JP");
  const writer = await browser.person();
  const stories = [
    () => auditor(reader),
    () => life(reader),
    () => hostile(reader),
    () => csv(reader),
    () => sheet(reader),
    () => saved(reader),
    () => travels(reader),
    () => auditorsTrial(reader),
    () => keyboard(reader),
    () => hands(reader),
    () => elsewhere(reader),
    () => alerts(reader),
    () => register(reader),
    () => report(reader, ["Prints by person", "Drives by person", "Who looked at the logs", "PCs", "Statement"], []),
    () => administrator(writer),
    () => hostileForAdministrators(writer),
    () => policy(writer),
    () => ledger(writer),
    () => signingByHand(writer),
    () => decided(reader),
    () => asleep(writer),
    () => retire(writer),
    () => revoke(writer),
    () => proof(writer),
    () => enclosed(reader),
    () => report(writer, ["Drives", "Versions of the policy", "PCs"], ["Prints by person", "Drives by person", "Who looked at the logs"]),
    () => viewer(),
    async () => {
      step("every view, in both languages and both colours: axe finds nothing, nothing is refused; on a tablet too");
      await everywhere(reader, auditorsViews());
    },
    async () => {
      await drafted(writer);
      await everywhere(writer, administratorsViews());
    },
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

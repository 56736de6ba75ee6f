// What the page needs of a browser, once more in Firefox: signing in, the views on a laptop and on a tablet, light and dark, in both languages, a
// proof that the page checks itself, what is saved to a file, an alert that is acknowledged, a policy that it signs.
// tests/flow/92-console-page starts it, after the stories in Chromium.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, PASSWORD, command, day, fail, same, step } from "./console_browser.mjs";

const { AUDITOR, ADMINISTRATOR, EVIDENCE, KEY_FILE, STRANGER_FILE, VERSION } = process.env;
const browser = await Browser.start();

async function views(who, list) {
  for (const [language, theme, width, height] of [["ja", "dark", 820, 1180], ["en", "light", 1280, 800]]) {
    await who.page.setViewportSize({ width, height });
    for (const [name, fragment] of list) {
      await who.go(fragment);
      await who.language(language);
      await who.theme(theme);
      await who.settled();
      await who.accessible(`${name} in Firefox, ${language}, ${theme}`);
      if (await who.overflows()) fail(`${name} in Firefox is wider than the window of ${width}`);
      who.well();
    }
  }
}

async function auditor() {
  const who = await browser.person("ja-JP");
  const p = who.page;
  step("Firefox: the door, the second factor, the overview");
  await who.go("");
  same(await p.evaluate(() => document.documentElement.lang), "ja", "language");
  await who.begin("sachiko2", AUDITOR, PASSWORD);
  await who.language("en");
  await p.locator(".lane svg").first().waitFor();

  step("Firefox: a record and its proof, which the page checks; hostile names; back by the browser");
  await who.go("#/logs?since=all&c=file");
  const rows = p.locator("a[data-row]");
  same(await rows.count(), 100, "rows of a page");
  await rows.nth(3).click();
  await p.locator(".seal-good").waitFor();
  await p.keyboard.press("Escape");
  await p.locator(".detail").waitFor({ state: "detached" });
  await who.go(`#/logs?since=all&text=${encodeURIComponent("<img src=x>\u202e\u0007")}`);
  await p.locator(".mark-button .hidden-sign").first().waitFor();
  same(await p.locator("main :is(script, img, iframe, object, embed, style)").count(), 0, "elements that nobody made");
  await p.goBack();
  await rows.nth(99).waitFor();

  step("Firefox: a search as CSV and as a bundle, the register to sign");
  await who.go("#/logs?since=all&c=usb");
  const csv = await who.download(p.getByRole("link", { name: "CSV" }));
  same([...csv.bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf], "its mark");
  const bundle = await who.download(p.getByRole("button", { name: "Evidence bundle" }));
  writeFileSync(join(EVIDENCE, "by-firefox.zip"), bundle.bytes);
  await who.go("#/register");
  await p.getByLabel("From").fill(day(-20));
  await p.getByLabel("Up to").fill(day(1));
  await p.getByLabel("Folder").fill("/home");
  // Firefox tells of no download that the page makes itself.
  const [pdf] = await Promise.all([
    p.waitForResponse((r) => new URL(r.url()).pathname === "/api/v1/register.pdf"),
    p.getByRole("button", { name: "PDF to sign" }).click(),
  ]);
  same([pdf.status(), pdf.headers()["content-type"]], [200, "application/pdf"], "the register");

  step("Firefox: an alert is acknowledged");
  await who.go("#/alerts");
  await p.getByRole("button", { name: /^Acknowledge:/ }).first().click();
  await p.getByLabel("What was found").fill("seen in Firefox");
  await p.getByRole("dialog").getByRole("button", { name: "Acknowledge" }).click();
  await p.getByRole("dialog").waitFor({ state: "detached" });
  await p.getByRole("button", { name: "All", exact: true }).click();
  await p.getByText("seen in Firefox").waitFor();

  step("Firefox: the auditor's views, on a laptop and on a tablet, light and dark, in both languages");
  await views(who, [["overview", "#/"], ["logs", "#/logs?since=all"], ["alerts", "#/alerts"], ["reports", "#/reports"], ["register", "#/register"], ["account", "#/account"]]);
}

async function administrator() {
  const who = await browser.person("en-GB");
  const p = who.page;
  await who.begin("tanaka2", ADMINISTRATOR, PASSWORD);
  step("Firefox: the administrator's views");
  await views(who, [["drives", "#/drives"], ["ledger", "#/drives/ledger"], ["PCs", "#/pcs"]]);

  step("Firefox: a policy is changed, signed in the browser, pushed");
  await who.go("#/drives/rules");
  const yaml = p.getByRole("textbox", { name: "policy.yaml" });
  await yaml.fill(`${await yaml.inputValue()}\n# by Firefox\n`);
  await who.go("#/drives/draft");
  await p.locator(".verdict-good").waitFor();
  await p.getByRole("button", { name: "Sign and push" }).click();
  await who.chooseKey(STRANGER_FILE, KEY_FILE);
  await p.getByRole("dialog").getByRole("button", { name: "Sign and push" }).click();
  await p.getByRole("dialog").waitFor({ state: "detached" });
  same(JSON.parse(command("sekishoctl", "policy", "status", "--json")).version, Number(VERSION), "version at the collector");
  if (who.sent.some((body) => body.includes(process.env.KEY_TEXT))) fail("the key left the browser");
  who.well();
}

try {
  await auditor();
  await administrator();
} catch (e) {
  await browser.failed();
  throw e;
} finally {
  await browser.stop();
}

// Client certificates in Chromium: what the sign-in offers and says, good and bad; what an account shows. tests/flow/99-console-certificates
// starts what is behind it.
import { Browser, PASSWORD, command, origin, Person, same, step } from "./console_browser.mjs";

const certs = process.env.CERTS;
const browser = await Browser.start();

/** Somebody whose browser shows this certificate. */
async function bearer(file) {
  const context = await browser.browser.newContext({
    ignoreHTTPSErrors: true,
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    clientCertificates: [{ origin, certPath: `${certs}/${file}.crt`, keyPath: `${certs}/${file}.key` }],
  });
  const who = await Person.make(context);
  browser.people.push(who);
  return who;
}

async function good() {
  const first = command("sekishoctl", "console", "user", "add", "suzuki", "--role", "administrator").trim();
  command("sekishoctl", "console", "user", "bind", "suzuki", "--certificate", `${certs}/later.crt`);
  const who = await bearer("later");
  const p = who.page;
  step("the certificate is offered, and wants account and password");
  await who.go("");
  const go = p.getByRole("button", { name: "Sign in with the certificate" });
  await go.waitFor();
  await p.getByText("hanako's next one").waitFor();
  await who.looks("sign-in-certificate");
  await go.click();
  await p.getByText("Enter account and password first").waitFor();
  await p.locator("input[autocomplete=username]").fill("suzuki");
  await p.locator("input[autocomplete=current-password]").fill("not the password at all");
  await go.click();
  await p.getByText("Account, password or certificate is wrong.").waitFor();
  step("by the keyboard alone");
  await p.locator("input[autocomplete=current-password]").fill(first);
  await p.locator("form button.main").focus();
  await p.keyboard.press("Tab");
  same(await p.evaluate(() => document.activeElement?.textContent), "Sign in with the certificate", "what comes after the button");
  await p.keyboard.press("Enter");
  await p.locator("input[autocomplete=new-password]").first().waitFor();
  await p.locator("input[autocomplete=current-password]").fill(first);
  for (const i of [0, 1]) await p.locator("input[autocomplete=new-password]").nth(i).fill(PASSWORD);
  await p.locator("form button.main").click();
  await who.inside();
  step("the account shows what is bound; so does the list of people");
  await who.go("#/account");
  await p.locator(".certificates li").waitFor();
  await p.locator(".people").getByText("hanako's next one").waitFor();
  await who.looks("certificates");
  who.well();
}

async function bad() {
  step("one that is not accepted: the page says why, and the rest works");
  const who = await bearer("gone");
  await who.go("");
  await who.page.getByText("It is not accepted: it was revoked.").waitFor();
  await who.looks("sign-in-certificate-refused");
  who.well();
  step("none: nothing of it on the page");
  const other = await browser.person();
  await other.go("");
  await other.page.locator("input[autocomplete=username]").waitFor();
  same(await other.page.getByText("certificate").count(), 0, "words of certificates");
  other.well();
}

try {
  await good();
  await bad();
} catch (e) {
  await browser.failed();
  throw e;
} finally {
  await browser.stop();
}

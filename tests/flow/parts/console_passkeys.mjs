// Second factors in Chromium, with virtual authenticators (Chrome DevTools Protocol, WebAuthn): a passkey as the first factor, codes of an app and
// recovery codes beside it, signing in with and without a password, by the keyboard alone, removing; what an administrator sees. tests/flow/98-console-passkeys starts what is behind it.
import { Browser, PASSWORD, command, fail, same, step, totp, until } from "./console_browser.mjs";

const browser = await Browser.start();

/** An authenticator in the browser: of the device itself ("internal"), or a key in a port ("usb"). */
class Authenticator {
  static async at(who, transport) {
    const it = new Authenticator();
    it.cdp = await who.context.newCDPSession(who.page);
    await it.cdp.send("WebAuthn.enable", { enableUI: false });
    it.id = (
      await it.cdp.send("WebAuthn.addVirtualAuthenticator", {
        options: {
          protocol: "ctap2",
          ctap2Version: "ctap2_1",
          transport,
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      })
    ).authenticatorId;
    return it;
  }
  send(what, more = {}) {
    return this.cdp.send(`WebAuthn.${what}`, { authenticatorId: this.id, ...more });
  }
  async keys() {
    return (await this.send("getCredentials")).credentials;
  }
}

async function signOut(who) {
  await who.page.locator(".rail-foot button").filter({ has: who.page.locator("svg") }).last().click();
  await who.page.locator("input[autocomplete=username]").waitFor();
}

/** Every language and colour of what is there now. */
async function look(who, name, part) {
  for (const language of ["ja", "en"]) {
    await who.language(language);
    for (const theme of ["dark", "light"]) {
      await who.theme(theme);
      await who.accessible(`${name}, ${language}, ${theme}`);
      if (part) await part.scrollIntoViewIfNeeded();
      await who.picture(`${name}-${language}${theme === "dark" ? "-dark" : ""}`);
    }
  }
}

async function start(who, account, password) {
  const p = who.page;
  await who.go("");
  await who.language("en");
  await who.signIn(account, password);
  await p.locator("input[autocomplete=new-password]").first().waitFor();
  await p.locator("input[autocomplete=current-password]").fill(password);
  for (const i of [0, 1]) await p.locator("input[autocomplete=new-password]").nth(i).fill(PASSWORD);
  await p.locator("form button.main").click();
}

async function hanako(who) {
  const p = who.page;
  step("the first sign-in: a passkey is the second factor");
  const own = await Authenticator.at(who, "internal");
  await start(who, "hanako", command("sekishoctl", "console", "user", "add", "hanako", "--role", "auditor").trim());
  await p.getByRole("button", { name: "Use a passkey instead" }).click();
  await look(who, "passkey-first");
  await p.getByLabel("Name of the passkey").fill("事務所の PC");
  await p.getByRole("button", { name: "Add a passkey" }).click();
  await who.inside();
  const [made] = await own.keys();
  same([made.isResidentCredential, made.rpId], [true, "localhost"], "what the authenticator keeps");

  step("an app beside it: the passkey is proof");
  await who.go("#/account");
  await p.getByRole("button", { name: "Set up an app" }).click();
  const dialog = p.getByRole("dialog");
  await who.accessible("the proof");
  await dialog.getByRole("button", { name: "Confirm with a passkey" }).click();
  const secret = await dialog.locator(".secret").innerText();
  await look(who, "codes-set");
  await until(() => Date.now() % 30_000 < 20_000, "the next step");
  await dialog.locator("input[autocomplete=one-time-code]").fill(totp(secret, -30));
  await dialog.locator("button.main").click();
  await p.getByText("The app is set up.").first().waitFor();

  step("the same authenticator a second time; a wrong password; another authenticator, with a code of the app");
  const add = async (name) => {
    await p.getByRole("button", { name: "Add a passkey" }).click();
    await dialog.getByLabel("Name of the passkey").fill(name);
  };
  const prove = async (password, code) => {
    await dialog.getByLabel("Present password").fill(password);
    await dialog.locator("input[autocomplete=one-time-code]").fill(code);
    await dialog.locator("button.main").click();
  };
  await add("again");
  await look(who, "passkey-add");
  await dialog.getByRole("button", { name: "Confirm with a passkey" }).click();
  await p.getByText("has a passkey of this account already").waitFor();
  await prove("not the password at all", totp(secret));
  await p.getByText("The password or the second factor is wrong.").waitFor();
  await p.keyboard.press("Escape");
  await own.send("removeVirtualAuthenticator");
  const key = await Authenticator.at(who, "usb");
  await add("青いキー <b>");
  await prove(PASSWORD, totp(secret));
  await p.locator(".passkeys li").nth(1).waitFor();
  await p.getByText("The passkey is added.").first().waitFor();

  step("recovery codes: shown once, to keep");
  await p.getByRole("button", { name: "Make recovery codes" }).click();
  await dialog.getByRole("button", { name: "Confirm with a passkey" }).click();
  await dialog.locator(".recovery-codes li").nth(9).waitFor();
  const codes = await dialog.locator(".recovery-codes li").allInnerTexts();
  const file = await who.download(dialog.getByRole("button", { name: "Save as a file" }));
  same([file.name, file.bytes.toString().trim().split("\n")], ["sekisho-recovery-hanako.txt", codes], "the file");
  await look(who, "recovery-codes");
  await dialog.getByRole("button", { name: "I have kept them" }).click();
  await dialog.waitFor({ state: "detached" });
  await p.getByText("10 of 10 left").waitFor();
  same(await p.getByText(codes[0]).count(), 0, "codes that are still shown");
  await look(who, "passkeys", p.locator("#passkeys-title"));

  step("signing in by the keyboard alone, without a name or a password");
  await signOut(who);
  await look(who, "sign-in-passkey");
  await p.locator("form button.main").focus();
  await p.keyboard.press("Tab");
  same(await p.evaluate(() => document.activeElement?.textContent), "Sign in with a passkey", "what comes after the button");
  await p.keyboard.press("Enter");
  await who.inside();
  await who.go("#/account");
  await p.getByText("hanako").first().waitFor();
  const [used] = await key.keys();
  if (used.signCount < 1) fail("the counter of the authenticator did not grow");

  step("nobody verified: the browser gives none; as a second factor, behind the password");
  await signOut(who);
  await key.send("setUserVerified", { isUserVerified: false });
  await p.getByRole("button", { name: "Sign in with a passkey" }).click();
  await p.getByText("No passkey was used.").waitFor();
  await who.accessible("a passkey that was not used");
  await key.send("setUserVerified", { isUserVerified: true });
  await p.locator("input[autocomplete=username]").fill("hanako");
  await p.locator("input[autocomplete=current-password]").fill("not the password at all");
  await p.getByRole("button", { name: "Sign in with a passkey" }).click();
  await p.getByText("Account, password or second factor is wrong.").waitFor();
  await p.locator("input[autocomplete=current-password]").fill(PASSWORD);
  await p.getByRole("button", { name: "Sign in with a passkey" }).click();
  await who.inside();

  step("the second step offers what the account has; a recovery code stands for it once, and the page tells how many are left");
  await signOut(who);
  await who.signIn("hanako", PASSWORD);
  await p.getByRole("heading", { name: "Second factor" }).waitFor();
  await p.getByRole("button", { name: "Sign in with a passkey" }).waitFor();
  await look(who, "second-factor");
  await p.locator("input[autocomplete=one-time-code]").fill("000000");
  await p.locator("form button.main").click();
  await p.getByText("That is not a second factor of this account.").waitFor();
  await p.getByRole("button", { name: "Use a recovery code instead" }).click();
  await look(who, "second-factor-recovery");
  await p.getByLabel("Recovery code").fill(codes[0].toUpperCase());
  await p.keyboard.press("Enter");
  await p.getByText("9 of 10 left").waitFor();
  same(new URL(p.url()).hash, "#/account", "where something is to be set up again");
  await signOut(who);
  await who.signIn("hanako", PASSWORD);
  await p.getByRole("button", { name: "Use a recovery code instead" }).click();
  await p.getByLabel("Recovery code").fill(codes[0]);
  await p.keyboard.press("Enter");
  await p.getByText("That is not a second factor of this account.").waitFor();
  await p.getByRole("button", { name: "Sign in with a passkey" }).click();
  await who.inside();

  step("removing one's own: with a proof; not the last");
  const remove = async (which) => {
    await p.getByRole("button", { name: which }).click();
    await who.accessible("removing");
    await dialog.getByRole("button", { name: "Confirm with a passkey" }).click();
  };
  await who.go("#/account");
  await remove("Remove the passkey 事務所の PC");
  await dialog.waitFor({ state: "detached" });
  await p.getByText("The passkey is removed.").first().waitFor();
  await until(async () => (await p.locator(".passkeys li").count()) === 1, "one passkey is left");
  await remove("Remove the app");
  await dialog.waitFor({ state: "detached" });
  await p.getByText("No app is set up.").waitFor();
  await remove(/^Remove the passkey/);
  await p.getByText("It is the only second factor").waitFor();
  await p.keyboard.press("Escape");
  who.well();
}

async function tanaka(who, other) {
  const p = who.page;
  step("an administrator sees who has which, and takes one away");
  await who.begin("tanaka", command("sekishoctl", "console", "user", "add", "tanaka", "--role", "administrator").trim(), PASSWORD);
  await who.go("#/account");
  await p.locator(".people tbody tr").nth(1).waitFor();
  await look(who, "people", p.locator("#people-title"));
  await p.getByRole("button", { name: "Remove 青いキー <b> of hanako" }).click();
  await who.accessible("taking one away");
  await p.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await p.getByText("the account disabled until it is reset").first().waitFor();
  await p.locator(".people tbody tr").filter({ hasText: "hanako" }).getByText("disabled").waitFor();
  who.well();
  step("it signs in no longer");
  await other.go("#/account");
  await other.page.locator("input[autocomplete=username]").waitFor();
  await other.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await other.page.getByText("Account, password or second factor is wrong.").waitFor();
  other.well();
}

try {
  const one = await browser.person();
  await hanako(one);
  await tanaka(await browser.person(), one);
} catch (e) {
  await browser.failed();
  throw e;
} finally {
  await browser.stop();
}

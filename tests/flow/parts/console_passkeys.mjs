// Passkeys in Chromium, with virtual authenticators (Chrome DevTools Protocol, WebAuthn): the first factor, another one, signing in with and
// without a password, by the keyboard alone, removing; what an administrator sees. tests/flow/98-console-passkeys starts what is behind it.
import { Browser, PASSWORD, command, fail, same, step } from "./console_browser.mjs";

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

  step("the same authenticator a second time; a wrong password; another authenticator");
  await who.go("#/account");
  const add = async (name, password) => {
    await p.getByLabel("Name of the passkey").fill(name);
    await p.locator("section:has(#passkeys-title) input[type=password]").fill(password);
    await p.getByRole("button", { name: "Add a passkey" }).click();
  };
  await add("again", PASSWORD);
  await p.getByText("has a passkey of this account already").waitFor();
  await add("again", "not the password at all");
  await p.getByText("The present password is wrong.").waitFor();
  await own.send("removeVirtualAuthenticator");
  const key = await Authenticator.at(who, "usb");
  await add("青いキー <b>", PASSWORD);
  await p.locator(".passkeys li").nth(1).waitFor();
  await p.getByText("The passkey is added.").first().waitFor();
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
  await p.getByText("Account, password, code or passkey is wrong.").waitFor();
  await p.locator("input[autocomplete=current-password]").fill(PASSWORD);
  await p.getByRole("button", { name: "Sign in with a passkey" }).click();
  await who.inside();

  step("removing one's own: with the password");
  await who.go("#/account");
  await p.getByRole("button", { name: "Remove the passkey 事務所の PC" }).click();
  await p.getByRole("dialog").getByLabel("Present password").fill(PASSWORD);
  await who.accessible("removing");
  await p.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await p.getByRole("dialog").waitFor({ state: "detached" });
  await p.getByText("The passkey is removed.").first().waitFor();
  same(await p.locator(".passkeys li").count(), 1, "passkeys left");
  await p.getByRole("button", { name: /^Remove the passkey/ }).click();
  await p.getByRole("dialog").getByLabel("Present password").fill(PASSWORD);
  await p.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
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
  await other.page.getByText("Account, password, code or passkey is wrong.").waitFor();
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

// Signing in by an OpenID provider, in Chromium: there and back, the second factor, the first time, cancelled, nobody's, signed out from there, and what
// an account shows.
// tests/flow/99-console-oidc starts what is behind it.
import { Browser, PASSWORD, command, origin, same, step, totp, until } from "./console_browser.mjs";

const browser = await Browser.start();
const issuer = `https://localhost:${process.env.OIDC_PORT}`;

/** What the provider's own pages do is theirs. */
async function atProvider(who, act) {
  await who.page.waitForURL(`${issuer}/**`);
  await act(who.page);
  await who.page.waitForURL(`${origin}/**`);
  who.bad.length = 0;
  await who.settled();
}

async function signInThere(p, name) {
  if (name) {
    await p.locator("input[name=login]").fill(name);
    await p.locator("input[name=password]").fill("any");
    await p.locator("button[type=submit]").click();
  }
  await p.getByRole("button", { name: "Continue" }).click();
}

/** It asks who somebody is. */
async function atProviderLogin(p) {
  await p.waitForURL(`${issuer}/**`);
  await p.locator("input[name=login]").waitFor();
  await p.goto(`${origin}/`);
}

async function begin(who) {
  await who.go("");
  await who.page.getByRole("button", { name: "Sign in with 事務所の ID" }).click();
}

async function hanako(who) {
  const p = who.page;
  await who.context.route(/googleapis/, (r) => r.abort());
  step("the first time: bound, without a password of one's own; a second factor is set up");
  command("sekishoctl", "console", "user", "add", "hanako", "--role", "administrator");
  await who.go("");
  await p.getByRole("button", { name: "Sign in with 事務所の ID" }).waitFor();
  await who.looks("sign-in-provider");
  step("nobody's: told in words");
  await begin(who);
  await atProvider(who, (at) => signInThere(at, "hanako-1"));
  await p.getByText("no account here belongs to that person").waitFor();
  same(new URL(p.url()).search + new URL(p.url()).pathname, "/", "the address holds nothing of it");
  await who.looks("provider-unbound");
  command("sekishoctl", "console", "user", "bind", "hanako", "--oidc", "hanako-1");
  await p.getByRole("button", { name: "Back to the sign-in" }).click();
  await p.getByRole("button", { name: "Sign in with 事務所の ID" }).focus();
  await p.keyboard.press("Enter");
  await p.locator(".secret").waitFor();
  who.bad.length = 0;
  const secret = await p.locator(".secret").innerText();
  await until(() => Date.now() % 30_000 < 20_000, "the next step");
  await p.locator("input[autocomplete=one-time-code]").fill(totp(secret, -30));
  await p.locator("form button.main").click();
  await who.inside();
  step("the account shows who its owner is there; so does the list of people");
  await who.go("#/account");
  await p.locator("#provider-title").waitFor();
  await p.locator(".people").getByText("hanako-1").waitFor();
  await who.looks("provider");
  step("again: the second factor behind the provider; a wrong one");
  const signOut = () => p.locator(".rail-foot button").filter({ has: p.locator("svg") }).last().click();
  await signOut();
  await atProvider(who, (at) => at.getByRole("button", { name: "No, stay signed in" }).click());
  await p.getByText("You are signed out here, and back from signing out at the provider.").waitFor();
  await p.getByRole("button", { name: "Sign in with 事務所の ID" }).click();
  await atProvider(who, (at) => signInThere(at));
  await p.locator("input[autocomplete=one-time-code]").waitFor();
  await p.getByRole("heading", { name: "Second factor" }).waitFor();
  who.bad.length = 0;
  await who.looks("provider-factor");
  await p.locator("input[autocomplete=one-time-code]").fill("000000");
  await p.locator("form button.main").click();
  await p.getByText("That is not a second factor of this account.").waitFor();
  await p.locator("input[autocomplete=one-time-code]").fill(totp(secret));
  await p.locator("form button.main").click();
  await who.inside();
  step("signing out, there as well: it knows this browser no more");
  await signOut();
  await atProvider(who, (at) => at.getByRole("button", { name: "Yes, sign me out" }).click());
  await p.getByText("You are signed out here, and back from signing out at the provider.").waitFor();
  same(new URL(p.url()).search, "", "the address holds nothing of it");
  await who.looks("signed-out-provider");
  await p.goto(`${origin}/?state=${"0".repeat(64)}`);
  await p.getByRole("button", { name: "Sign in with 事務所の ID" }).waitFor();
  same([await p.getByText("back from signing out").count(), new URL(p.url()).search], [0, ""], "an address of somebody else's");
  await p.getByRole("button", { name: "Sign in with 事務所の ID" }).click();
  await atProviderLogin(p);
  who.bad.length = 0;
  who.well();
}

async function nobody(who) {
  await who.context.route(/googleapis/, (r) => r.abort());
  step("cancelled there");
  await begin(who);
  await atProvider(who, (at) => at.getByText(/cancel/i).click());
  await who.page.getByText("Nobody signed in at the provider").waitFor();
  step("an answer that was used");
  await who.page.goto(`${origin}/oidc?state=x&code=y`);
  await who.page.getByText("does not belong to what this browser asked").waitFor();
  await who.looks("provider-state");
  who.well();
  step("the session of before goes on, whatever an address says");
  const first = command("sekishoctl", "console", "user", "add", "tanaka", "--role", "auditor").trim();
  await who.begin("tanaka", first, PASSWORD);
  await who.page.goto(`${origin}/oidc?state=x&code=y`);
  await who.inside();
  same(new URL(who.page.url()).search, "", "the address holds nothing of it");
}

async function suzuki(who) {
  const p = who.page;
  await who.context.route(/googleapis/, (r) => r.abort());
  step("signed out at the provider's own page: the session here is over (back-channel logout)");
  command("sekishoctl", "console", "user", "add", "suzuki", "--role", "auditor");
  command("sekishoctl", "console", "user", "bind", "suzuki", "--oidc", "suzuki-1");
  await begin(who);
  await atProvider(who, (at) => signInThere(at, "suzuki-1"));
  await p.locator(".secret").waitFor();
  const status = () => p.evaluate(() => fetch("/api/v1/session").then((r) => r.status));
  same(await status(), 200, "in");
  const there = await who.context.newPage();
  await there.goto(`${issuer}/session/end`);
  await there.getByRole("button", { name: "Yes, sign me out" }).click();
  await there.waitForURL(`${issuer}/session/end/success`);
  same(await status(), 401, "over");
  await there.close();
  await p.reload();
  await p.getByRole("button", { name: "Sign in with 事務所の ID" }).waitFor();
}

try {
  await hanako(await browser.person());
  await nobody(await browser.person());
  await suzuki(await browser.person());
} catch (e) {
  await browser.failed();
  throw e;
} finally {
  await browser.stop();
}

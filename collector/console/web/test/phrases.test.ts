// What records say in words of ours has its Japanese: held against the sources that write them, so that a new word without one is found here.
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { because, found, phrases, readings, remarks, spoken, ways } from "../src/words/phrases";

const root = new URL("../../../../", import.meta.url);
const source = (path: string) => readFileSync(new URL(path, root), "utf8");
const japanese = /[\u3040-\u30ff\u4e00-\u9fff]/;
const own = (of: Readonly<Record<string, string>>, key: string) => (Object.hasOwn(of, key) ? of[key] : undefined);
/** C's strings in a text. */
const strings = (text: string) => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1] ?? "");

it("has every word of every enumeration in Japanese, for kinds, decisions, causes and all others", () => {
  const values = [...source("policy/wire/enums.def").matchAll(/^ENUM_VALUE\((.*)\)$/gm)].map((m) => strings(m[1] ?? ""));
  expect(values.length).toBeGreaterThan(200);
  // Names that are the same everywhere.
  for (const [name, , ja] of values) if (name !== "tpm") expect([name, ja]).toEqual([name, expect.stringMatching(japanese)]);
  const fields = [...source("policy/wire/fields.def").matchAll(/^FIELD\((.*)\)$/gm)].map((m) => strings(m[1] ?? ""));
  expect(fields.length).toBeGreaterThan(100);
  for (const [en, ja] of fields) if (en !== "USB ID") expect([en, ja]).toEqual([en, expect.stringMatching(japanese)]);
});

it("has every remark that a program writes as it is", () => {
  const written = new Set<string>();
  for (const room of ["collector/console", "collector/ingest", "agent/guard", "agent/print", "agent/recorder", "agent/service"])
    for (const file of readdirSync(new URL(room, root)).filter((f) => f.endsWith(".c")))
      for (const [, what] of source(`${room}/${file}`).matchAll(/(?:\.text = |F_TEXT,)\s*([^;]*?"(?:[^"\\]|\\.)*"[^;]*);/g))
        for (const text of strings(what ?? "")) if (text.includes(" ") || text.includes("=")) written.add(text);
  expect(written.size).toBeGreaterThan(30);
  for (const text of written) expect([text, spoken("text", text, "ja")]).toEqual([text, expect.stringMatching(japanese)]);
  for (const ja of Object.values(remarks)) expect(ja).toMatch(japanese);
});

/** C's format as the table has it: what is a number is {#}, all else {}; literals beside each other are one. */
const joined = (text: string) => text.replace(/"\s*PRI\w+\s*"/g, "d").replace(/"\s*\n\s*"/g, "");
/** A remark of that format, with parts that nobody's words are; what may stand behind a word is left out. */
const filled = (format: string) => format.replace(/(?<=[a-z])(?:%s)+/g, "").replace(/%[-.*0-9]*(?:ll|l|z)?[du]/g, "17").replace(/%[-.*0-9]*s/g, "X");
const spokenOf = (text: string) => spoken("text", text, "ja");

/** Answers to requests, lines of a log, settings: no record has them. */
const notRemarks = new Set([
  ...["the password or the second factor is wrong", "the present password is wrong", "name, password or second factor is wrong"],
  ...['\\"%s\\" is missing, too long, or not base64', '\\"%s\\" is missing, empty or too long', "%s: a text of 1 to %zu bytes belongs there"],
  ...["this session began with a certificate that is not shown here", "%lld < %lld", "%s: ", "sekisho: run by cupsd only"],
  ...["it could not be scanned: %s", "clamd took longer than %d s", "clamd is not there: %s"],
  "[Sekisho] Held: the print gate does not answer. It prints when the gate is back.",
]);
/** Parts of one remark, which is tried as a whole. */
const wholes: Readonly<Record<string, string>> = {
  "account made:%s%s%s%s": "account made: administrator auditor, with a scope",
  ", with a scope": "account made: viewer, with a scope",
  ", account disabled": "passkey removed, account disabled: X",
  ", for ": "enrolment token, good for 3600 s, for pc-2",
  "set %s by %d s": "set back by 17 s",
  "%s: %s": "policy refused: forged",
  "%s: %.*s": "forged: X",
};

it("has what the recorder finds of cloud folders", () => {
  const texts = strings(source("agent/recorder/clouds.c")).filter((text) => text.startsWith("not-looked-at: "));
  expect(new Set(texts).size).toBe(6);
  for (const text of texts) expect([text, spoken("findings", text, "ja")]).toEqual([text, expect.stringMatching(/^未検査: /)]);
});

it("has every remark that a program makes of parts", () => {
  const made = new Set<string>();
  for (const room of ["collector/console", "collector/ingest", "agent/guard", "agent/print", "agent/recorder", "agent/service", "policy/wire"])
    for (const file of readdirSync(new URL(room, root)).filter((f) => f.endsWith(".c"))) {
      const text = joined(source(`${room}/${file}`));
      // Told by its name, whatever writes it; or by a function of those that tell.
      for (const [call] of text.matchAll(/\btell_(?!own)\w+\([^;{]*?\);|\bseal_say\([^;]*?\);|snprintf\((?:e->area_)?text\b[^;]*?\);|snprintf\((?:what|r(?:->|\.)text),[^;]*?\);|WHY_BOTH\(&(?:q->reason|g->outside)[^;]*?\);/g))
        for (const one of strings(call).slice(0, call.startsWith("WHY_BOTH") ? 1 : undefined)) if (/[a-z]{2,} |: /.test(one) && !notRemarks.has(one)) made.add(one);
    }
  for (const call of joined(source("agent/evidence/copy.c") + source("agent/evidence/evidence.c")).matchAll(/why_set\(why, V_(?:FULL|EXISTS), "([^"]*)"/g)) made.add(call[1] ?? "");
  expect(made.size).toBeGreaterThan(60);
  expect([...made].filter((one) => !japanese.test(spokenOf(own(wholes, one) ?? filled(one))))).toEqual([]);
});

it("has what a rule decided by, in the words that the programs themselves have for it", () => {
  const pairs = (path: string, pattern: RegExp) => [...joined(source(path)).matchAll(pattern)].map((m) => [m[1] ?? "", m[2] ?? ""] as const);
  const facts = ["content", "print", "drives", "protected"].flatMap((f) => pairs(`policy/rule/${f}.c`, /"( [^"]+)", "([^"]+)"\}/g));
  expect(facts.length).toBeGreaterThan(15);
  for (const [en, ja] of facts) if (!["印刷した人"].includes(ja)) expect([en, own(because, en.trim())]).toEqual([en, ja]);
  const verdicts = source("policy/wire/bundle.c");
  for (const word of strings(verdicts.slice(verdicts.indexOf("const char *bundle_verdict_name"), verdicts.indexOf("/*", verdicts.indexOf("const char *bundle_verdict_name"))))) {
    expect([word, spokenOf(`${word}: why`)]).toEqual([word, `${own(remarks, word)}: why`]);
    expect(spokenOf(`policy refused: ${word}`)).toBe(`ポリシーを拒否: ${own(remarks, word)}`);
  }
  expect(spokenOf("account made: administrator auditor, with a scope")).toBe("アカウントを作成: 管理者・監査者(範囲の指定あり)");
  expect(spokenOf("policy.yaml:12: who it is, personal numbers")).toBe("policy.yaml:12: 利用者、個人番号");
  expect(spokenOf("policy.yaml:12")).toBe("policy.yaml:12");
  expect(spokenOf("policy.yaml:12: something else")).toBe("policy.yaml:12: something else");
  expect(spokenOf("not refused: policy.yaml:12: its program")).toBe("拒否せず記録のみ: policy.yaml:12: プログラム");
  const devices = pairs("policy/rule/policy_decide.c", /\{"([^"]+)",\s*"([^"]+)"\}/g);
  expect(devices.length).toBe(9);
  for (const [en, ja] of devices) expect([en, spokenOf(filled(en))]).toEqual([en, filled(ja)]);
  expect(spokenOf("listed in devices.csv:4: Hanako's stick")).toBe("台帳に登録済み(devices.csv:4): Hanako's stick");
});

it("has every reading of how a PC is kept", () => {
  const formats = ["antivirus", "desktop", "disks", "firewall", "passwords", "updates"].flatMap((f) => [...source(`agent/posture/${f}.c`).matchAll(/posture_say\(\s*\w+, "([^"]*)"/g)].map((m) => m[1] ?? ""));
  expect(formats.length).toBeGreaterThan(20);
  for (const one of formats.flatMap((f) => f.split(" "))) {
    const [key = "", value = ""] = one.split("=");
    if (key.startsWith("%")) continue; // a desktop's or a place's own name
    const sample = `${key}=${value.replace(/%l*[ud]/, "3").replace("%s", "X")}`;
    expect([one, spokenOf(sample)]).toEqual([one, expect.stringContaining(Object.hasOwn(readings, key) ? (readings[key]?.label ?? "?") : `${key}: `)]);
    if (!sample.endsWith("=X")) expect([one, spokenOf(sample)]).toEqual([one, expect.not.stringContaining(`: ${value}`)]);
  }
  expect(spokenOf("/=luks2 /home=plain swap=none")).toBe("/: luks2、/home: 暗号化なし、スワップ: なし");
  expect(spokenOf("gnome=300s mate=left-to-people")).toBe("gnome: 300 秒でロック、mate: 利用者が変更可能");
  expect(spokenOf("scanner=clamav on-access=yes signatures=2d")).toBe("ウイルス対策: clamav、常時検査: あり、定義ファイル: 2 日前");
  expect(spokenOf("ipv4=refuses ipv6=off read=nft")).toBe("IPv4 の受信: 拒否、IPv6 の受信: IPv6 なし、確認元: nft");
  for (const other of ["a=b", "scanner=clamav and more", "x=y=z", "constructor=none"]) expect(spokenOf(other)).toBe(other);
});

it("has every way to sign in", () => {
  const judge = source("collector/console/judge.c");
  const factors = strings(judge.slice(judge.indexOf("static const char *factor_of"), judge.indexOf("static void put_method")));
  const methods = strings(/FEDERATE_METHOD "[^"]*"/.exec(source("collector/console/federate.h"))?.[0] ?? "");
  expect([factors.length, methods.length]).toEqual([4, 1]);
  for (const word of [...factors, ...methods, "password", "two factors"]) expect([word, Object.hasOwn(ways, word)]).toEqual([word, true]);
  expect(spoken("service", "password and recovery code", "ja")).toBe("パスワード、回復コード");
  expect(spoken("service", "OpenID Connect, two factors", "ja")).toBe("OpenID Connect、二要素");
  // A name of something else stays whole, whatever it holds.
  expect(spoken("service", "password and sshd", "ja")).toBe("password and sshd");
  expect(spoken("service", "constructor", "ja")).toBe("constructor");
});

it("has every finding of a document", () => {
  const names = source("agent/inspect/names.c");
  const words = [...strings(names.slice(names.indexOf("flag_names[] ="), names.indexOf("int inspect_numbers"))), ...strings(/names\[FIND_KINDS\][^;]*;/.exec(source("agent/inspect/find_check.c"))?.[0] ?? "")];
  expect(words.length).toBeGreaterThan(25);
  for (const word of words) expect([word, Object.hasOwn(found, word)]).toEqual([word, true]);
  expect(spoken("found", "my-number 3 to 5 (1234****), card 1", "ja")).toBe("個人番号 3〜5 (1234****), カード番号 1");
  expect(spoken("findings", "encrypted, 2 blank; text: needs-password (a password, too-big)", "ja")).toBe("暗号化, 2 白紙; 文字: パスワードが必要 (a password, too-big)");
});

it("shows everything else as it was told, and English as it is", () => {
  for (const text of ["signed out", "a second factor: codes"]) expect(spoken("text", text, "en")).toBe(text);
  expect(spoken("text", "__proto__", "ja")).toBe("__proto__");
  expect(spoken("path", "signed out", "ja")).toBe("signed out");
  expect(spoken("text", "passkey added: <b>$1</b>", "ja")).toBe("パスキーを追加: <b>$1</b>");
  // What a person wrote is not ours, whatever it looks like.
  expect(spoken("text", "signed out", "ja", "reason-given")).toBe("signed out");
  expect(spoken("text", "process 人事", "ja")).toBe("process 人事");
  for (const ja of Object.values(phrases)) expect(ja).toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/);
});

// What records say in words of ours has its Japanese: held against the sources that write them, so that a new word without one is found here.
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { found, remarks, spoken, ways } from "../src/words/phrases";

const root = new URL("../../../../", import.meta.url);
const source = (path: string) => readFileSync(new URL(path, root), "utf8");
const japanese = /[\u3040-\u30ff\u4e00-\u9fff]/;
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
});

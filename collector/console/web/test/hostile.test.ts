// Hostile text: what is hidden is made visible, and nothing is lost.
import { describe, expect, it } from "vitest";
import { factText, hexText, lastPart, pieces, plain } from "../src/core/hostile";

describe("pieces", () => {
  it("leaves what can be read alone, in every script", () => {
    for (const text of ["", "報告書 (最終).docx", "été", "𠮷野家", "👍", "a b", "全角 空白"]) expect(plain(text)).toBe(text);
  });
  it("makes direction marks, controls and invisible signs visible", () => {
    expect(plain("invoice\u202efdp.exe")).toBe("invoice[U+202E]fdp.exe");
    expect(plain("a\u0000b\nc\u0085\u007f")).toBe("a[U+0000]b[U+000A]c[U+0085][U+007F]");
    expect(plain("\u200b\u200f\u2066\u2069\ufeff\u00ad\u00a0\u3164")).toBe("[U+200B][U+200F][U+2066][U+2069][U+FEFF][U+00AD][U+00A0][U+3164]");
    expect(plain("x\u{e0041}")).toBe("x[U+E0041]");
    expect(plain("\ud800x")).toBe("[U+D800]x");
  });
  it("keeps every sign, in order", () => {
    let all = "";
    for (let i = 0; i < 0x3000; i++) all += String.fromCharCode(i);
    expect(pieces(all).map((p) => p.text).join("")).toBe(all);
  });
  it("shows no bidirectional control of Unicode as it stands", () => {
    for (const c of [0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069])
      expect(pieces(String.fromCodePoint(c))[0]?.code).toBeDefined();
  });
});

describe("names that are not UTF-8", () => {
  it("shows what is text and spells out what is not", () => {
    expect(hexText("2f746d702fff80e697a5")).toBe("/tmp/\\xff\\x80日");
    expect(hexText("f09f918d")).toBe("👍");
    expect(hexText("eda080")).toBe("\\xed\\xa0\\x80");
    expect(hexText("")).toBe("");
  });
});

it("takes facts of every shape", () => {
  expect([undefined, null, 0, true, "a", { hex: "ff" }, [], ["not-last-close", "guessed"], [1, { hex: "41" }]].map((f) => factText(f))).toEqual([
    "", "", "0", "true", "a", "\\xff", "", "not-last-close, guessed", "1, A",
  ]);
});

it("takes the last part of a path", () => {
  expect(lastPart("/usr/bin/cp")).toBe("cp");
  expect(lastPart("/usr/")).toBe("usr");
  expect(lastPart("cp")).toBe("cp");
  expect(lastPart("/")).toBe("/");
});

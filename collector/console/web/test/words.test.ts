// The two dictionaries. That both have the same keys is the compiler's to say; here: that every entry says something.
import { describe, expect, it } from "vitest";
import { languageOf, languages } from "../src/words";

function entries(of: object, at = ""): [string, unknown][] {
  return Object.entries(of).flatMap(([name, value]): [string, unknown][] =>
    typeof value === "object" && value !== null ? entries(value as object, `${at}${name}.`) : [[`${at}${name}`, value]],
  );
}
const silent = ["drives.warnings.none"];

describe.each(["en", "ja"] as const)("%s", (language) => {
  it("says something everywhere", () => {
    for (const [name, value] of entries(languages[language])) if (!silent.includes(name)) says(name, value);
  });
});

function says(name: string, value: unknown): void {
  const texts =
    typeof value === "function" ? [1, 2, 12000].map((n) => (value as (...a: unknown[]) => string)(...Array.from({ length: value.length }, () => n))) : [value];
  for (const text of texts) {
    expect([name, typeof text]).toEqual([name, "string"]);
    expect([name, text]).not.toEqual([name, ""]);
    expect([name, text]).not.toEqual([name, expect.stringMatching(/undefined|NaN|\[object/)]);
    expect([name, text]).toEqual([name, String(text).trim()]);
  }
}

it("has the same keys in the same order", () => {
  expect(entries(languages.ja).map(([n]) => n)).toEqual(entries(languages.en).map(([n]) => n));
});

it("takes the browser's first language that there is", () => {
  expect(languageOf(["fr", "ja-JP", "en"])).toBe("ja");
  expect(languageOf(["en-GB"])).toBe("en");
  expect(languageOf(["de"])).toBe("en");
  expect(languageOf([])).toBe("en");
});

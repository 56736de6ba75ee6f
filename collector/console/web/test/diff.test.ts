// What changes: applying the difference to the old text gives the new one.
import { expect, it } from "vitest";
import { diffLines, hunks } from "../src/policy/diff";

function sides(a: string, b: string): [string, string, number] {
  const d = diffLines(a, b);
  const pick = (not: string) => d.filter((l) => l.what !== not).map((l) => l.text).join("\n");
  return [pick("added"), pick("removed"), d.filter((l) => l.what !== "same").length];
}

it("finds the fewest lines", () => {
  expect(sides("a\nb\nc\nd", "a\nc\nx\nd")).toEqual(["a\nb\nc\nd", "a\nc\nx\nd", 2]);
  expect(sides("", "a\nb")).toEqual(["", "a\nb", 2]);
  expect(sides("a\nb", "")).toEqual(["a\nb", "", 2]);
  expect(sides("same\n", "same\n")[2]).toBe(0);
});
it("holds for many texts", () => {
  let seed = 1;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 300; round++) {
    const make = () => Array.from({ length: random(25) }, () => "abcd"[random(4)]).join("\n");
    const [a, b] = [make(), make()];
    const [left, right] = sides(a, b);
    expect(left).toBe(a);
    expect(right).toBe(b);
  }
});
it("stays bounded for texts that have nothing in common", () => {
  const a = Array.from({ length: 20000 }, (_, i) => `a${i}`).join("\n");
  const b = Array.from({ length: 20000 }, (_, i) => `b${i}`).join("\n");
  expect(diffLines(a, b)).toHaveLength(40000);
});
it("shows only what changes", () => {
  const a = Array.from({ length: 100 }, (_, i) => `${i}`);
  const b = a.map((line, i) => (i === 50 ? "fifty" : line));
  const h = hunks(diffLines(a.join("\n"), b.join("\n")), 2);
  expect(h.hunks).toHaveLength(1);
  expect(h.hunks[0]?.skipped).toBe(48);
  expect(h.hunks[0]?.lines).toHaveLength(6);
  expect(h.rest).toBe(47);
});

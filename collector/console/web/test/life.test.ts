// The life of a file: what may be asked, from which records it can be, and what a use is called.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Fact, Record_ } from "../src/core/api";
import { actOf, lensesOf, lifeKind, lifeNothing, lifeOf } from "../src/core/record";

const hash = "0a".repeat(32);
const record = (facts: Record<string, Fact>): Record_ => ({ row: "1", host: "pc-1", host_id: "ab".repeat(32), facts: { kind: "file", time: "2026-11-23T10:00:00Z", ...facts } });

describe("a question", () => {
  it("is a path, a number or a hash, as the server has it", () => {
    for (const of of ["/", "/home/a b", "/8:1/2"]) expect(lifeKind(of)).toBe("path");
    for (const of of ["8:1/1234", "0:57/0"]) expect(lifeKind(of)).toBe("number");
    for (const of of [hash, hash.toUpperCase()]) expect(lifeKind(of)).toBe("hash");
    for (const of of ["", "list.xlsx", "8:1/", "8:1/x", "08:1/2", "8:1/-2", "8/1/2", "8:1/12 ", hash.slice(1), `${hash}0`]) expect([of, lifeKind(of)]).toEqual([of, null]);
  });
});

describe("an answer", () => {
  it("says that nothing is recorded where all was looked at, and only there", () => {
    expect(lifeNothing("path", { records: [], complete: true })).toBe("none");
    expect(lifeNothing("number", { records: [], complete: true })).toBe("noneBy");
    expect(lifeNothing("number", { records: [], complete: false })).toBe(null);
    expect(lifeNothing("path", { records: [record({})], complete: true })).toBe(null);
  });
});

describe("a record", () => {
  it("leads to its file's life by the path, else by what else it says", () => {
    expect(lifeOf(record({ path: "/a", device: "8:1", inode: 3 }))).toBe("/a");
    expect(lifeOf(record({ path: { hex: "2fff" }, device: "8:1", inode: 3 }))).toBe("8:1/3");
    expect(lifeOf(record({ kind: "print", hash }))).toBe(hash);
    expect(lifeOf(record({ kind: "print", path: "/a", hash }))).toBe("/a");
  });
  it("leads to none where it is about none, or its hash is something else's", () => {
    expect(lifeOf(record({}))).toBe("");
    expect(lifeOf(record({ kind: "mount", path: "/media" }))).toBe("");
    expect(lifeOf(record({ kind: "file", hash }))).toBe("");
    expect(lifeOf(record({ kind: "policy", hash }))).toBe("");
    expect(lensesOf(record({ kind: "exec", path: "/bin/sh" })).life).toBeUndefined();
  });
  it("names its PC in the address", () => {
    expect(lensesOf(record({ path: "/a&b" })).life).toBe("#/trace/life?of=%2Fa%26b&host=pc-1");
    expect(lensesOf({ ...record({ path: "/a" }), host: "" }).life).toBe(`#/trace/life?of=%2Fa&host=${"ab".repeat(32)}`);
  });
  it("knows the kinds whose hash the server asks for", () => {
    const c = readFileSync(new URL("../../../store/life.c", import.meta.url), "utf8");
    const kinds = [...(/hash_kinds\[\] = \{([^}]*)\}/.exec(c)?.[1] ?? "").matchAll(/KIND_(\w+)/g)].map((m) => (m[1] ?? "").toLowerCase().replaceAll("_", "-"));
    expect(kinds.length).toBeGreaterThan(5);
    for (const kind of kinds) expect([kind, lifeOf(record({ kind, hash }))]).toEqual([kind, hash]);
  });
});

it("says what a use of a file was", () => {
  expect(actOf(record({ flags: ["created"], written: 5 }))).toBe("made");
  expect(actOf(record({ flags: ["read"], written: 5, read: 3 }))).toBe("changed");
  expect(actOf(record({ read: 3 }))).toBe("read");
  expect(actOf(record({}))).toBeNull();
  expect(actOf(record({ kind: "copy", flags: ["created"] }))).toBeNull();
});

// Searches: address, question, saved; and the policy line that decided.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CHANNELS, channelOf, KINDS_MAX, kindsIn } from "../src/core/channels";
import { parseRoute, routeText } from "../src/core/router";
import { policyLines } from "../src/policy/lines";
import { activeFilters, parseSearch, searchParams, searchQuery } from "../src/views/logs/search";

describe("a search", () => {
  it("comes out of its address as it went in", () => {
    const text = "since=-7d&c=usb&user=t*&path=%2Fsrv%2F%E7%B5%A6%E4%B8%8E+%26.xlsx&fact=access%3Adeny&fact=rule%3Aledger%3A17&order=oldest";
    const s = parseSearch(new URLSearchParams(text));
    expect(searchParams(s).toString()).toBe(text.replace("t*", "t*"));
    expect(activeFilters(s).map((f) => f.name)).toEqual(["channel", "user", "path", "fact", "fact"]);
  });
  it("means the last day where it says nothing, and everything only where it says so", () => {
    const known = ["plug", "file"];
    expect(searchQuery(parseSearch(new URLSearchParams("")), known)["since"]).toBe("-24h");
    expect(searchQuery(parseSearch(new URLSearchParams("since=all")), known)["since"]).toBe("");
    expect(searchQuery(parseSearch(new URLSearchParams("c=usb")), known)["kind"]).toBe("plug");
    expect(searchQuery(parseSearch(new URLSearchParams("c=usb&kind=file")), known)["kind"]).toBe("file");
  });
  it("takes no channel that there is not", () => {
    expect(parseSearch(new URLSearchParams("c=__proto__")).channel).toBe("");
  });
});

it("knows the channel of every kind in the table, and hides none that it does not know", () => {
  const table = readFileSync(new URL("../../../../policy/wire/enums.def", import.meta.url), "utf8");
  const kinds = [...table.matchAll(/ENUM_VALUE\(KIND, *\d+, *\w+, *"([^"]+)"/g)].map((m) => m[1] ?? "");
  expect(kinds.length).toBeGreaterThan(40);
  for (const kind of kinds) expect([kind, channelOf(kind)]).not.toEqual([kind, "other"]);
  const store = readFileSync(new URL("../../../store/store.h", import.meta.url), "utf8");
  expect(KINDS_MAX).toBe(Number(/STORE_FILTER_MAX (\d+)/.exec(store)?.[1]));
  for (const c of CHANNELS) {
    expect(kindsIn(c, kinds).length).toBeLessThanOrEqual(KINDS_MAX);
    expect(kindsIn(c, kinds).join(",").length).toBeLessThanOrEqual(800);
  }
  expect(channelOf("toString")).toBe("other");
});

it("reads and writes addresses", () => {
  expect(parseRoute("").path).toBe("/");
  expect(parseRoute("#/logs?a=%26").query.get("a")).toBe("&");
  expect(routeText("/logs", { a: "&", b: "", c: ["1", "2"] })).toBe("#/logs?a=%26&c=1&c=2");
});

it("finds the lines of a rule and of a default", () => {
  const yaml = readFileSync(new URL("../../../../packaging/examples/policy.yaml", import.meta.url), "utf8");
  expect(policyLines(yaml, "rule", "listed-in-office-hours").map((l) => l.text)).toEqual([
    "  - name: listed-in-office-hours",
    "    match: {kind: storage, listed: yes, days: mon-fri, hours: 07:00-20:00}",
    "    access: listed",
  ]);
  expect(policyLines(yaml, "default", "phone").map((l) => l.text)).toEqual(["  phone: deny"]);
  expect(policyLines(yaml, "rule", "listed")).toEqual([]);
  expect(policyLines('rules: [{name: "a.b", access: deny}]', "rule", "a.b")).toHaveLength(1);
  expect(policyLines('rules: [{name: "axb", access: deny}]', "rule", "a.b")).toEqual([]);
});

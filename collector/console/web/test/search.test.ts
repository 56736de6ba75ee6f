// Searches: address, question, saved; and the policy line that decided.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CHANNELS, channelOf, KINDS_MAX, kindsIn } from "../src/core/channels";
import { parseRoute, routeText } from "../src/core/router";
import { policyLines, ruleName } from "../src/policy/lines";
import { activeFilters, parseSearch, searchParams, searchQuery, withSaved } from "../src/views/logs/search";

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

describe("the lines of a rule", () => {
  const yaml = readFileSync(new URL("../../../../packaging/examples/policy.yaml", import.meta.url), "utf8");
  const found = (rule: string, text = yaml) => policyLines(text, ruleName(rule)).map((l) => l.text.trim());
  it("of devices and their defaults", () => {
    expect(found("rule:listed-in-office-hours")).toEqual([
      "- name: listed-in-office-hours",
      "match: {kind: storage, listed: yes, days: mon-fri, hours: 07:00-20:00}",
      "access: listed",
    ]);
    expect(found("default:phone")).toEqual(["phone: deny"]);
    expect(found("rule:listed")).toEqual([]);
    expect(found("rule:a.b", 'rules: [{name: "a.b", access: deny}]')).toHaveLength(1);
    expect(found("rule:a.b", 'rules: [{name: "axb", access: deny}]')).toEqual([]);
    expect(found("rule:a", "rules:\n- {access: deny, name: a}\n- {name: b}\nprint: {}")).toEqual(["- {access: deny, name: a}"]);
  });
  it("of print jobs and of files on drives: each in its own section, though both have one of that name", () => {
    expect(found("print:personal-numbers")[2]).toBe("action: deny");
    expect(found("drives:personal-numbers")[2]).toBe("action: alert");
    expect(found("rule:personal-numbers")).toEqual([]);
    expect(found("drives:many-pages")).toEqual([]);
    // What is expected is no rule.
    expect(found("print:the same, marked")).toEqual([]);
    expect(found("print:reception")).toEqual([]);
  });
  it("of their settings, where the text has them", () => {
    const text = "print:\n  unavailable: hold\n  default: note # all of it\n  expectations:\n    - {default: x}\ndrives: {default: alert, rules: []}\n";
    expect(found("print-default", text)).toEqual(["default: note # all of it"]);
    expect(found("print-unavailable", text)).toEqual(["unavailable: hold"]);
    expect(found("drives-default", text)).toEqual(["drives: {default: alert, rules: []}"]);
    expect(found("print-default")).toEqual([]);
  });
  it("is known by its name alone", () => {
    expect(ruleName("release:0011")).toEqual({ what: "release", name: "0011" });
    for (const rule of ["constructor:x", "x", "", ":", "print-", "print"]) expect(ruleName(rule).what).toBe(null);
  });
});

it("keeps one saved search of a name, the last one in front", () => {
  const s = parseSearch(new URLSearchParams("c=usb"));
  const list = [{ name: "a", query: "" }, { name: "b", query: "since=-7d" }];
  expect(withSaved(list, "b", s)).toEqual([{ name: "b", query: "c=usb" }, { name: "a", query: "" }]);
});

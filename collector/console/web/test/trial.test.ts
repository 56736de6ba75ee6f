// Which cases of a trial are shown, and by which search their records are found.
import { expect, it } from "vitest";
import type { Trial, TrialCase } from "../src/core/api";
import { routeText } from "../src/core/router";
import { casesShown, groupsOf, searchOf } from "../src/policy/trial";
import { parseSearch } from "../src/views/logs/search";

const nobody = { count: 0, more: false, names: [] };
const one = (change: Partial<TrialCase>): TrialCase => ({
  effect: "stricter", decided: "allow", noted: false, was: "allow", now: "deny", rule: "rule:x", reason: "", reason_ja: "", times: 1, last: null,
  hosts: nobody, users: nobody, device: null, print: null, records: [], ...change,
});
const stick = one({ decided: "deny", noted: true, device: { kind: "storage", usb_id: "0951:1666", serial: "A:B*&c", product: "Stick" } });
const job = one({ effect: "looser", print: { printer: "1F 複合機", pages: 3, title: "給与" }, users: { count: 1, more: false, names: ["花子"] } });
const still = one({ effect: "same", device: { kind: "hid", usb_id: "", serial: "", product: "Keyboard" } });
const trial: Trial = {
  version: 2, since: "2026-11-19T00:00:00.000000Z", until: "2026-11-26T00:00:00.000000Z", reads: true, looked_at: 3, of: 3, of_more: false, cut: [],
  stricter: 1, looser: 1, same: 1, not_compared: 0, left_out: 0, cases_found: 3, cases: [stick, job, still],
};

it("shows what was asked for", () => {
  expect(casesShown(trial, "changes", "all", "")).toEqual([stick, job]);
  expect(casesShown(trial, "stricter", "all", "")).toEqual([stick]);
  expect(casesShown(trial, "same", "all", "")).toEqual([still]);
  expect(casesShown(trial, "all", "device", "")).toEqual([stick, still]);
  expect(casesShown(trial, "all", "print", "")).toEqual([job]);
  expect(casesShown(trial, "all", "all", " 給与 ")).toEqual([job]);
  expect(casesShown(trial, "all", "all", "花子")).toEqual([job]);
  expect(casesShown(trial, "all", "all", "a:b")).toEqual([stick]);
  expect(casesShown(trial, "changes", "all", "keyboard")).toEqual([]);
});

it("finds the records behind a case, whatever a device calls itself", () => {
  const search = (c: TrialCase) => parseSearch(new URLSearchParams(routeText("/logs", searchOf(trial, c)).split("?")[1]));
  expect(search(stick)).toMatchObject({
    since: trial.since, until: trial.until, kind: "decision",
    facts: ["device_kind:storage", "usb_id:0951:1666", "serial:A:B*&c", "access:deny", "policy_mode:note"],
  });
  expect(search(job)).toMatchObject({ kind: "print", facts: ["printer:1F 複合機", "action:allow"] });
  expect(search(still).facts).toEqual(["device_kind:hid", "access:allow"]);
});

it("takes groups as people write them", () => {
  expect(groupsOf("")).toEqual([]);
  expect(groupsOf(" finance, 営業、finance ,, ")).toEqual(["finance", "営業"]);
});

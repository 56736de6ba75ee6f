// Which lines of the policy's texts a rule of a record speaks of ("ledger:17", "rule:finance", "default:storage", "print:finance", "drives:customers",
// "print-default"): for showing them, not for deciding anything.
import type { Policy } from "../core/api";

export interface Line {
  number: number;
  text: string;
}

const WHAT = ["rule", "ledger", "default", "release", "print", "drives"] as const;
export interface RuleName {
  /** null: nothing that is known here. */
  what: (typeof WHAT)[number] | "print-setting" | "drives-setting" | null;
  name: string;
}

/** "print:finance" is a rule of that section, "print-default" the setting `default` in it. */
export function ruleName(rule: string): RuleName {
  const cut = rule.indexOf(":");
  const what = WHAT.find((w) => w === rule.slice(0, Math.max(cut, 0)));
  if (what) return { what, name: rule.slice(cut + 1) };
  const setting = /^(print|drives)-([a-z]+)$/.exec(rule);
  return setting?.[2] ? { what: setting[1] === "print" ? "print-setting" : "drives-setting", name: setting[2] } : { what: null, name: rule };
}

const indentOf = (line: string) => /^\s*/.exec(line)?.[0].length ?? 0;
const isBare = (line: string) => !line.trim() || /^\s*#/.test(line);

/** Where the lines below `key` begin and end; the line of the key itself belongs to them, since all of it may stand there. */
function below(lines: string[], key: string, from: number, to: number, deep: boolean): [number, number] | null {
  const named = new RegExp(`^${deep ? "\\s+" : ""}${key}\\s*:`);
  for (let i = from; i < to; i++) {
    if (!named.test(lines[i] ?? "")) continue;
    const indent = indentOf(lines[i] ?? "");
    let end = i + 1;
    // A list may stand as far left as its key.
    while (end < to && (isBare(lines[end] ?? "") || indentOf(lines[end] ?? "") > indent || (indentOf(lines[end] ?? "") === indent && /^\s*-/.test(lines[end] ?? "")))) end++;
    return [i, end];
  }
  return null;
}

function ruleLines(lines: string[], name: string, [from, to]: [number, number]): Line[] {
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const named = new RegExp(`\\bname:\\s*(?:"${quoted}"|'${quoted}'|${quoted})\\s*([,}#]|$)`);
  let begin = from;
  while (begin < to && (isBare(lines[begin] ?? "") || !named.test(lines[begin] ?? ""))) begin++;
  if (begin === to) return [];
  while (begin > from && !/^\s*-/.test(lines[begin] ?? "")) begin--;
  const indent = indentOf(lines[begin] ?? "");
  const out: Line[] = [];
  for (let i = begin; i < to && out.length < 20; i++) {
    const line = lines[i] ?? "";
    if (i > begin && line.trim() && indentOf(line) <= indent) break;
    if (line.trim()) out.push({ number: i + 1, text: line });
  }
  return out;
}

function settingLines(lines: string[], name: string, [from, to]: [number, number]): Line[] {
  const named = new RegExp(`(^|[\\s{,])${name.replace(/[^a-z_]/g, "\\$&")}\\s*:`);
  for (let i = from; i < to; i++) if (!isBare(lines[i] ?? "") && named.test(lines[i] ?? "")) return [{ number: i + 1, text: lines[i] ?? "" }];
  return [];
}

/** Lines of policy.yaml that a rule of a record names. */
export function policyLines(yaml: string, { what, name }: RuleName): Line[] {
  const lines = yaml.split(/\r?\n/);
  const section = (key: string) => below(lines, key, 0, lines.length, false);
  if (what === "rule") {
    const at = section("rules");
    return at ? ruleLines(lines, name, at) : [];
  }
  if (what === "default") {
    const at = section("defaults");
    return at ? settingLines(lines, name, at) : [];
  }
  const at = what === "print" || what === "print-setting" ? section("print") : what === "drives" || what === "drives-setting" ? section("drives") : null;
  if (!at) return [];
  // What is expected of a section has names, too.
  const rules = below(lines, "rules", at[0] + 1, at[1], true);
  if (what === "print" || what === "drives") return ruleLines(lines, name, rules ?? at);
  const expected = below(lines, "expectations", at[0] + 1, at[1], true);
  return settingLines(lines, name, at).filter((l) => ![rules, expected].some((x) => x && l.number > x[0] && l.number <= x[1]));
}

export function linesOf(policy: Policy, rule: RuleName): Line[] {
  if (rule.what !== "ledger") return policyLines(policy.policy_yaml, rule);
  const n = Number(rule.name);
  const text = policy.devices_csv.replace(/^\ufeff/, "").split(/\r?\n/)[n - 1];
  return text ? [{ number: n, text }] : [];
}

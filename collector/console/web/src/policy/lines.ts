// Which lines of the policy's texts a rule of a record speaks of ("ledger:17", "rule:finance", "default:storage"): for showing them, not for deciding
// anything.
import type { Policy } from "../core/api";

export interface Line {
  number: number;
  text: string;
}

/** Lines of the rule with that name, or of that default, in policy.yaml: from its own line to the next of its rank. */
export function policyLines(yaml: string, what: "rule" | "default", name: string): Line[] {
  const lines = yaml.split(/\r?\n/);
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (what === "default") {
    const at = lines.findIndex((l) => new RegExp(`(^|[\\s{,])${quoted}\\s*:`).test(l));
    return at < 0 ? [] : [{ number: at + 1, text: lines[at] ?? "" }];
  }
  const begin = lines.findIndex((l) => new RegExp(`\\bname:\\s*["']?${quoted}["']?\\s*([,}#]|$)`).test(l));
  if (begin < 0) return [];
  let from = begin;
  while (from > 0 && !/^\s*-/.test(lines[from] ?? "")) from--;
  const indent = /^\s*/.exec(lines[from] ?? "")?.[0].length ?? 0;
  const out: Line[] = [];
  for (let i = from; i < lines.length && out.length < 20; i++) {
    const line = lines[i] ?? "";
    if (i > from && line.trim() && (/^\s*/.exec(line)?.[0].length ?? 0) <= indent) break;
    if (line.trim()) out.push({ number: i + 1, text: line });
  }
  return out;
}

export function linesOf(policy: Policy, what: string, name: string): Line[] {
  if (what === "ledger") {
    const n = Number(name);
    const text = policy.devices_csv.replace(/^\ufeff/, "").split(/\r?\n/)[n - 1];
    return text ? [{ number: n, text }] : [];
  }
  return what === "rule" || what === "default" ? policyLines(policy.policy_yaml, what, name) : [];
}

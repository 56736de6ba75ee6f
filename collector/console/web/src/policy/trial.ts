// A policy that was tried: which of its cases are shown, and where the records behind one are found in the logs.
import type { Trial, TrialCase } from "../core/api";

export const SHOWS = ["changes", "stricter", "looser", "same", "all"] as const;
export type Show = (typeof SHOWS)[number];
export const WHATS = ["all", "device", "print"] as const;
export type What = (typeof WHATS)[number];

export function casesShown(t: Trial, show: Show, what: What, text: string): TrialCase[] {
  const wanted = text.trim().toLowerCase();
  return t.cases.filter((c) => {
    if (show === "changes" ? c.effect === "same" : show !== "all" && c.effect !== show) return false;
    if (what !== "all" && (what === "device") !== (c.device !== null)) return false;
    if (!wanted) return true;
    const words = [c.rule, c.device?.usb_id, c.device?.serial, c.device?.product, c.print?.printer, c.print?.title, ...c.hosts.names, ...c.users.names];
    return words.some((w) => w?.toLowerCase().includes(wanted));
  });
}

/** The search of the logs by which the records behind a case are found: what it is about and what was decided, in the period of the trial. */
export function searchOf(t: Trial, c: TrialCase): Record<string, string | string[]> {
  const facts: [string, string | undefined][] = c.device
    ? [
        ["device_kind", c.device.kind],
        ["usb_id", c.device.usb_id],
        ["serial", c.device.serial],
        ["access", c.decided],
      ]
    : [
        ["printer", c.print?.printer],
        ["action", c.decided],
      ];
  facts.push(["policy_mode", c.noted ? "note" : undefined]);
  return {
    since: t.since,
    until: t.until,
    kind: c.device ? "decision" : "print",
    fact: facts.flatMap(([name, value]) => (value ? [`${name}:${value}`] : [])),
  };
}

/** "finance, sales" */
export function groupsOf(text: string): string[] {
  return [...new Set(text.split(/[,、]/).map((g) => g.trim()))].filter((g) => g !== "").slice(0, 32);
}

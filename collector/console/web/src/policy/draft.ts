// The draft of the next policy: one for the page, whichever view changes it, kept over a reload of this tab. And what earlier versions this browser
// has seen, for going back. Nothing here signs or sends anything.
import { useEffect, useState } from "preact/hooks";
import type { Policy } from "../core/api";
import { keep, kept } from "../core/kept";
import type { Texts } from "./bundle";

export interface Draft extends Texts {
  /** The version that it was begun from. */
  base: number;
}

const NAME = "sekisho.draft";
const listeners = new Set<() => void>();
let draft: Draft | null = load();

function isDraft(x: unknown): x is Draft {
  return (
    typeof x === "object" && x !== null && "base" in x && typeof x.base === "number" && "policy_yaml" in x && typeof x.policy_yaml === "string" &&
    "devices_csv" in x && typeof x.devices_csv === "string"
  );
}

function load(): Draft | null {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(NAME) ?? "null");
    return isDraft(found) ? found : null;
  } catch {
    return null;
  }
}

export function setDraft(next: Draft | null): void {
  draft = next;
  try {
    if (next) sessionStorage.setItem(NAME, JSON.stringify(next));
    else sessionStorage.removeItem(NAME);
  } catch {
    // Too large to be kept over a reload: it lives as long as the page.
  }
  for (const listener of listeners) listener();
}

export function useDraft(): Draft | null {
  const [, turn] = useState(0);
  useEffect(() => {
    const listener = () => turn((n) => n + 1);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return draft;
}

/** Changes the draft; begins one from what is pushed where there is none. What differs in nothing from it is no draft. */
export function editDraft(policy: Policy, change: (t: Texts) => Partial<Texts>): void {
  const from: Draft = draft ?? { base: policy.version, policy_yaml: policy.policy_yaml, devices_csv: policy.devices_csv };
  const next = { ...from, ...change(from) };
  const same = next.policy_yaml === policy.policy_yaml && next.devices_csv === policy.devices_csv;
  setDraft(same ? null : next);
}

export interface SeenVersion extends Texts {
  version: number;
  signer: string;
}

const SEEN_MAX = 20;
const SEEN_CHARS = 1 << 20;

function checkSeen(value: unknown): SeenVersion[] | null {
  if (!Array.isArray(value)) return null;
  return value.filter((x: unknown): x is SeenVersion => isDraft({ base: 0, ...(x as object) }) && typeof (x as SeenVersion).version === "number");
}

export function seenVersions(): SeenVersion[] {
  return kept("policies", checkSeen) ?? [];
}

export function rememberVersion(p: Policy): void {
  if (!p.version) return;
  const list = seenVersions();
  if (list[0]?.version === p.version && list[0].policy_yaml === p.policy_yaml) return;
  const next = [
    { version: p.version, signer: p.signer, policy_yaml: p.policy_yaml, devices_csv: p.devices_csv },
    ...list.filter((x) => x.version !== p.version),
  ].sort((a, b) => b.version - a.version);
  let chars = 0;
  keep(
    "policies",
    next.slice(0, SEEN_MAX).filter((x) => (chars += x.policy_yaml.length + x.devices_csv.length) <= SEEN_CHARS),
  );
}

// The draft of the next policy: one for the page, whichever view changes it, kept over a reload of this tab. Nothing here
// signs or sends anything.
import { useEffect, useState } from "preact/hooks";
import type { Policy } from "../core/api";
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

/** Another version was pushed since it was begun: to sign it would undo what is new there. */
export function isStale(d: Draft, policy: Policy): boolean {
  return d.base < policy.version;
}

/** Somebody has compared it with what is pushed, and wants it so. */
export function rebaseDraft(policy: Policy): void {
  if (draft) setDraft({ ...draft, base: policy.version });
}

/** Changes the draft; begins one from what is pushed where there is none. What differs in nothing from it is no draft. */
export function editDraft(policy: Policy, change: (t: Texts) => Partial<Texts>): void {
  const from: Draft = draft ?? { base: policy.version, policy_yaml: policy.policy_yaml, devices_csv: policy.devices_csv };
  const next = { ...from, ...change(from) };
  const same = next.policy_yaml === policy.policy_yaml && next.devices_csv === policy.devices_csv;
  setDraft(same ? null : next);
}

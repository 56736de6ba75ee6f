// What this browser remembers for its user: language, colours, the folder of the last register. Never records, keys or secrets; nor anything
// that must be there after the next sign-in, since signing out clears it. A browser that forbids it forgets, and nothing else happens.

export function kept<T>(name: string, check: (value: unknown) => T | null): T | null {
  try {
    const text = localStorage.getItem(`sekisho.${name}`);
    return text === null ? null : check(JSON.parse(text));
  } catch {
    return null;
  }
}

export function keep(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(`sekisho.${name}`);
    else localStorage.setItem(`sekisho.${name}`, JSON.stringify(value));
  } catch {
    // Private windows and full disks: it is only remembered until the page goes.
  }
}

export function oneOf<T extends string>(...values: T[]): (value: unknown) => T | null {
  return (value) => values.find((v) => v === value) ?? null;
}

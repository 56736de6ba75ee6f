// What changes between two texts, by lines: the fewest lines taken away and added (Myers). Of texts that have next to nothing in common it stops
// looking for the fewest and shows all old lines as taken away, all new ones as added.

export interface DiffLine {
  what: "same" | "removed" | "added";
  text: string;
  /** Numbers of the line, from 1, in the old and the new text. */
  old: number | null;
  new: number | null;
}

const STEPS_MAX = 3000;

function script(a: string[], b: string[]): ("same" | "removed" | "added")[] {
  const n = a.length;
  const m = b.length;
  const max = Math.min(n + m, STEPS_MAX);
  const trace: Int32Array[] = [];
  const at = (v: Int32Array, k: number) => v[k + max + 1] ?? 0;
  let v = new Int32Array(2 * max + 3);
  for (let d = 0; d <= max; d++) {
    trace.push(v.slice());
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && at(v, k - 1) < at(v, k + 1)) ? at(v, k + 1) : at(v, k - 1) + 1;
      while (x < n && x - k < m && a[x] === b[x - k]) x++;
      v[k + max + 1] = x;
      if (x >= n && x - k >= m) return back(trace, n, m, d, at);
    }
    // Memory, not time, is the bound: one row of the trace a step.
    if (trace.length * v.length > 20_000_000) break;
  }
  return [...a.map(() => "removed" as const), ...b.map(() => "added" as const)];
}

function back(trace: Int32Array[], n: number, m: number, steps: number, at: (v: Int32Array, k: number) => number): ("same" | "removed" | "added")[] {
  const out: ("same" | "removed" | "added")[] = [];
  let x = n;
  let y = m;
  for (let d = steps; d > 0; d--) {
    const v = trace[d] ?? new Int32Array();
    const k = x - y;
    const before = k === -d || (k !== d && at(v, k - 1) < at(v, k + 1)) ? k + 1 : k - 1;
    const px = at(v, before);
    const py = px - before;
    while (x > px && y > py) {
      out.push("same");
      x--;
      y--;
    }
    out.push(before === k + 1 ? "added" : "removed");
    x = px;
    y = py;
  }
  while (x-- > 0) out.push("same");
  return out.reverse();
}

export function diffLines(oldText: string, newText: string): DiffLine[] {
  const lines = (t: string) => (t === "" ? [] : t.replace(/^\ufeff/, "").replace(/\r?\n$/, "").split(/\r?\n/));
  const a = lines(oldText);
  const b = lines(newText);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let tail = 0;
  while (tail < a.length - start && tail < b.length - start && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = script(a.slice(start, a.length - tail), b.slice(start, b.length - tail));
  const all = [...a.slice(0, start).map(() => "same" as const), ...middle, ...a.slice(a.length - tail).map(() => "same" as const)];
  const out: DiffLine[] = [];
  let i = 0;
  let k = 0;
  for (const what of all) {
    if (what === "same") out.push({ what, text: b[k] ?? "", old: ++i, new: ++k });
    else if (what === "removed") out.push({ what, text: a[i] ?? "", old: ++i, new: null });
    else out.push({ what, text: b[k] ?? "", old: null, new: ++k });
  }
  return out;
}

export interface Hunk {
  /** Unchanged lines that are left out before it. */
  skipped: number;
  lines: DiffLine[];
}

/** Only what changes, with `around` unchanged lines about it. */
export function hunks(all: DiffLine[], around = 3): { hunks: Hunk[]; rest: number } {
  const keep = all.map(() => false);
  all.forEach((l, i) => {
    if (l.what !== "same") for (let k = Math.max(0, i - around); k <= Math.min(all.length - 1, i + around); k++) keep[k] = true;
  });
  const out: Hunk[] = [];
  let skipped = 0;
  let open: Hunk | null = null;
  all.forEach((l, i) => {
    if (keep[i]) {
      if (!open) {
        open = { skipped, lines: [] };
        out.push(open);
        skipped = 0;
      }
      open.lines.push(l);
    } else {
      open = null;
      skipped++;
    }
  });
  return { hunks: out, rest: skipped };
}

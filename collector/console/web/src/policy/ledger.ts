// devices.csv as a table and back: RFC 4180 as devices.csv(5) has it. Columns that the page does not know stay where they are; a table that was
// read and written without a change is the same text but for needless quotes.

export const COLUMNS = [
  "vendor", "product", "serial", "fingerprint", "owner", "label", "access", "users", "groups", "hosts", "from", "until", "encrypted", "medium", "note",
] as const;
export type Column = (typeof COLUMNS)[number];
/** In the order in which people look at them. */
export const SHOWN: readonly Column[] = [
  "vendor", "product", "serial", "label", "owner", "access", "until", "encrypted", "users", "groups", "hosts", "from", "medium", "fingerprint", "note",
];
export const ACCESSES = ["deny", "read-only", "read-write"] as const;

export interface Ledger {
  mark: boolean;
  end: "\n" | "\r\n";
  header: string[];
  rows: string[][];
}

export class LedgerError extends Error {
  constructor(readonly line: number) {
    super(`line ${line}`);
  }
}

interface Cells {
  rows: string[][];
  lines: number[];
}

function split(text: string): Cells {
  const rows: string[][] = [];
  const lines: number[] = [];
  let row: string[] = [];
  let at = 0;
  let line = 1;
  let begun = 1;
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) throw new LedgerError(begun);
        const c = text[at] ?? "";
        if (c === '"' && text[at + 1] === '"') at++;
        else if (c === '"') break;
        if (c === "\n") line++;
        cell += c;
      }
      at++;
    }
    while (at < text.length && !",\r\n".includes(text[at] ?? "")) cell += text[at++];
    row.push(cell);
    if (text[at] === ",") {
      at++;
      if (at >= text.length) row.push("");
      else continue;
    }
    if (at < text.length) {
      if (text[at] === "\r") at++;
      if (text[at] !== "\n") throw new LedgerError(line);
      at++;
    }
    rows.push(row);
    lines.push(begun);
    row = [];
    line++;
    begun = line;
  }
  return { rows, lines };
}

export function parseLedger(text: string): Ledger {
  const mark = text.startsWith("\ufeff");
  const body = mark ? text.slice(1) : text;
  const { rows, lines } = split(body);
  const end = /\r\n/.test(body) ? "\r\n" : "\n";
  const [first, ...rest] = rows;
  if (!first) return { mark: true, end, header: [...COLUMNS], rows: [] };
  const header = first.map((c) => c.trim().toLowerCase());
  const kept: string[][] = [];
  rest.forEach((r, i) => {
    if (r.length === 1 && r[0]?.trim() === "") return;
    if (r.length > header.length) throw new LedgerError(lines[i + 1] ?? 0);
    kept.push([...r, ...Array.from({ length: header.length - r.length }, () => "")]);
  });
  return { mark, end, header, rows: kept };
}

function cellText(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

export function ledgerText(l: Ledger): string {
  return (l.mark ? "\ufeff" : "") + [l.header, ...l.rows].map((r) => r.map(cellText).join(",") + l.end).join("");
}

/** Without the apostrophe that keeps a spreadsheet from making a number or a formula of it. */
export function shownCell(cell: string): string {
  return cell.startsWith("'") ? cell.slice(1) : cell;
}

/** As a spreadsheet will not run it. */
export function safeCell(value: string): string {
  return /^[=+\-@'\t\r]/.test(value) ? `'${value}` : value;
}

export function cellOf(l: Ledger, row: string[], column: Column): string {
  const i = l.header.indexOf(column);
  return i < 0 ? "" : shownCell(row[i] ?? "");
}

export function withCell(l: Ledger, row: number, column: Column, value: string): Ledger {
  const at = l.header.indexOf(column);
  const wide = at < 0;
  const header = wide ? [...l.header, column] : l.header;
  const index = wide ? header.length - 1 : at;
  const rows = l.rows.map((r, i) => {
    const out = wide ? [...r, ""] : i === row ? [...r] : r;
    if (i === row) out[index] = safeCell(value);
    return out;
  });
  return { ...l, header, rows };
}

/** With one more row, of a line in the usual order of columns (as the server suggests it). */
export function withLine(l: Ledger, line: string): Ledger {
  const cells = split(line).rows[0] ?? [];
  const header = [...l.header];
  COLUMNS.forEach((c, i) => {
    if (cells[i] && !header.includes(c)) header.push(c);
  });
  const wide = (r: string[]) => [...r, ...Array.from({ length: header.length - r.length }, () => "")];
  const row = header.map((name) => cells[COLUMNS.findIndex((c) => c === name)] ?? "");
  return { ...l, header, rows: [...l.rows.map(wide), row] };
}

/** Whether the ledger names this device already: for marking what was just added, not for deciding anything. */
export function hasLine(l: Ledger, line: string): boolean {
  const cells = split(line).rows[0] ?? [];
  const same = (c: Column) => (r: string[]) => cellOf(l, r, c).toLowerCase() === shownCell(cells[COLUMNS.indexOf(c)] ?? "").toLowerCase();
  return l.rows.some((r) => (["vendor", "product", "serial", "fingerprint"] as const).every((c) => same(c)(r)));
}

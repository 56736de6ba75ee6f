// devices.csv: what a spreadsheet makes of it is read, and comes back as it was.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cellOf, hasLine, ledgerText, LedgerError, parseLedger, withCell, withLine } from "../src/policy/ledger";

const example = readFileSync(new URL("../../../../packaging/examples/devices.csv", import.meta.url), "utf8");
const head = "vendor,product,serial,fingerprint,owner,label,access,users,groups,hosts,from,until,encrypted,medium,note";

describe("reading and writing", () => {
  it("gives the example back, byte for byte", () => {
    expect(ledgerText(parseLedger(example))).toBe(example);
    expect(parseLedger(example).rows).toHaveLength(3);
  });
  it("reads quotes, newlines in cells, both ends of line, and a comma at the end", () => {
    const l = parseLedger('\ufeffserial,access,note\r\n"a,""b""\r\nc",deny,\r\nx,deny,y');
    expect(l.end).toBe("\r\n");
    expect(l.rows).toEqual([['a,"b"\r\nc', "deny", ""], ["x", "deny", "y"]]);
    expect(parseLedger(ledgerText(l))).toEqual(l);
  });
  it("keeps columns that it does not know", () => {
    const text = `colour,${head}\nred,0951,1666,S1,,,,deny,,,,,,,,\n`;
    expect(ledgerText(withCell(parseLedger(text), 0, "access", "read-only"))).toBe(text.replace("deny", "read-only"));
  });
  it("says in which line it cannot go on", () => {
    expect(() => parseLedger('serial\n"open')).toThrow(new LedgerError(2));
    expect(() => parseLedger("serial,access\na,deny,too much\n")).toThrow(new LedgerError(2));
  });
  it("makes an empty ledger into one with a head", () => {
    expect(ledgerText(parseLedger(""))).toBe(`\ufeff${head}\n`);
  });
});

describe("changing", () => {
  it("adds the line that the server suggests, whatever the order of columns", () => {
    const l = withLine(parseLedger("access,serial,vendor,product\n"), '0411,02f6,"S,1",,,Disk,read-only,,,,,,,,seen on keiri-01');
    expect(ledgerText(l)).toBe('access,serial,vendor,product,label,note\nread-only,"S,1",0411,02f6,Disk,seen on keiri-01\n');
    expect(hasLine(l, '0411,02F6,"S,1",,,Other,deny,,,,,,,,')).toBe(true);
    expect(hasLine(l, "0411,02f6,S2,,,Other,deny,,,,,,,,")).toBe(false);
  });
  it("gives a spreadsheet nothing to run, and shows it as it was typed", () => {
    const l = withCell(parseLedger(`${head}\n${",".repeat(14)}\n`), 0, "note", "=HYPERLINK(1)");
    expect(ledgerText(l)).toContain(",'=HYPERLINK(1)\n");
    expect(cellOf(l, l.rows[0] ?? [], "note")).toBe("=HYPERLINK(1)");
  });
});

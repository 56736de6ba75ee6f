// The ledger as a table that can be edited cell by cell, and as the text that it is; the same draft under both. A spreadsheet's file can be opened
// and saved.
import { useMemo, useRef, useState } from "preact/hooks";
import type { Policy } from "../../core/api";
import { useDesk } from "../../core/desk";
import { editDraft, useDraft } from "../../policy/draft";
import { ACCESSES, cellOf, ledgerText, LedgerError, parseLedger, SHOWN, withCell, type Column, type Ledger } from "../../policy/ledger";
import { Empty, Icon, saveFile } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Editor } from "./editor";

const STEP = 200;

export function LedgerView({ policy, write }: { policy: Policy; write: boolean }) {
  const { words } = useDesk();
  const d = words.drives;
  const draft = useDraft();
  const text = draft?.devices_csv ?? policy.devices_csv;
  const [asText, setAsText] = useState(false);
  const [find, setFind] = useState("");
  const [most, setMost] = useState(STEP);
  const file = useRef<HTMLInputElement>(null);
  const ledger = useMemo<Ledger | LedgerError>(() => {
    try {
      return parseLedger(text);
    } catch (e) {
      return e instanceof LedgerError ? e : new LedgerError(0);
    }
  }, [text]);
  const set = (next: string) => editDraft(policy, () => ({ devices_csv: next }));
  const bad = ledger instanceof LedgerError;
  return (
    <div>
      <div class="list-bar">
        <div class="switch" role="group" aria-label={d.tabs.ledger}>
          <button type="button" aria-pressed={!asText && !bad} disabled={bad} onClick={() => setAsText(false)}>
            {d.ledgerTable}
          </button>
          <button type="button" aria-pressed={asText || bad} onClick={() => setAsText(true)}>
            {d.ledgerText}
          </button>
        </div>
        {!asText && !bad && (
          <input type="search" data-find aria-label={d.filter} placeholder={d.filter} value={find} onInput={(e) => setFind(e.currentTarget.value)} />
        )}
        <span class="grow" />
        {write && (
          <>
            <input
              ref={file}
              type="file"
              class="unseen"
              tabIndex={-1}
              aria-label={d.ledgerFile}
              accept=".csv,text/csv"
              onChange={(e) => {
                const chosen = e.currentTarget.files?.[0];
                e.currentTarget.value = "";
                // Kept as its bytes are: the mark in front is part of the text.
                if (chosen) void chosen.arrayBuffer().then((b) => set(new TextDecoder("utf-8", { ignoreBOM: true }).decode(b)));
              }}
            />
            <button type="button" class="quiet" onClick={() => file.current?.click()}>
              {d.ledgerFile}
            </button>
          </>
        )}
        <button type="button" class="quiet" onClick={() => saveFile("devices.csv", text, "text/csv")}>
          <Icon name="save" />
          {d.ledgerSave}
        </button>
        {write && !asText && !bad && (
          <button type="button" onClick={() => set(ledgerText(withRow(ledger)))}>
            {d.addRow}
          </button>
        )}
      </div>
      {bad && <p class="wrong" role="alert">{d.ledgerBad(ledger.line)}</p>}
      {asText || bad ? (
        <Editor label="devices.csv" value={text} {...(write ? { set } : {})} />
      ) : (
        <Table ledger={ledger} find={find} most={most} more={() => setMost(most + STEP)} {...(write ? { set: (l: Ledger) => set(ledgerText(l)) } : {})} />
      )}
    </div>
  );
}

function withRow(l: Ledger): Ledger {
  const header = l.header.includes("access") ? l.header : [...l.header, "access"];
  const at = header.indexOf("access");
  const row = header.map((_, i) => (i === at ? "read-only" : ""));
  return { ...l, header, rows: [row, ...l.rows.map((r) => [...r, ...Array.from({ length: header.length - r.length }, () => "")])] };
}

function Table(props: { ledger: Ledger; find: string; most: number; more: () => void; set?: (l: Ledger) => void }) {
  const { words } = useDesk();
  const d = words.drives;
  const { ledger, set } = props;
  const wanted = props.find.trim().toLowerCase();
  const rows = ledger.rows.map((row, index) => ({ row, index })).filter(({ row }) => !wanted || row.some((c) => c.toLowerCase().includes(wanted)));
  if (!ledger.rows.length) return <Empty>{d.ledgerNone}</Empty>;
  return (
    <>
      <div class="table-room" tabIndex={0} role="region" aria-label={d.tabs.ledger}>
        <table class="plain ledger">
          <thead>
            <tr>
              {SHOWN.map((c) => (
                <th key={c} scope="col" class={`cell-${c}`} title={c}>
                  {d.cells[c]}
                </th>
              ))}
              {set && <th scope="col"><span class="unseen">{words.common.remove}</span></th>}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, props.most).map(({ row, index }) => (
              <tr key={index} class={`ledger-${/^[a-z-]+$/.test(cellOf(ledger, row, "access")) ? cellOf(ledger, row, "access") : "other"}`}>
                {SHOWN.map((c) => (
                  <td key={c} class={`cell-${c}`}>
                    <Cell column={c} number={index + 1} value={cellOf(ledger, row, c)} {...(set ? { set: (v: string) => set(withCell(ledger, index, c, v)) } : {})} />
                  </td>
                ))}
                {set && (
                  <td>
                    <button
                      type="button"
                      class="icon"
                      aria-label={d.removeRow(index + 1)}
                      title={d.removeRow(index + 1)}
                      onClick={() => set({ ...ledger, rows: ledger.rows.filter((_, i) => i !== index) })}
                    >
                      <Icon name="close" />
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > props.most && (
        <button type="button" class="quiet" onClick={props.more}>
          {words.common.more}
        </button>
      )}
    </>
  );
}

function Cell({ column, number, value, set }: { column: Column; number: number; value: string; set?: (v: string) => void }) {
  const { words } = useDesk();
  const d = words.drives;
  const label = `${d.cells[column]}, ${d.row(number)}`;
  // What is being typed is this field's own: the page may be drawn anew at any moment.
  const [typed, setTyped] = useState<string | null>(null);
  if (!set) return column === "access" && isAccess(value) ? <>{d.access[value]}</> : <Text of={value} cut />;
  if (column === "access" && isAccess(value))
    return (
      <select aria-label={label} value={value} onChange={(e) => set(e.currentTarget.value)}>
        {ACCESSES.map((a) => (
          <option key={a} value={a}>
            {d.access[a]}
          </option>
        ))}
      </select>
    );
  if (column === "encrypted")
    return <input type="checkbox" aria-label={label} checked={/^(yes|true|1)$/i.test(value)} onChange={(e) => set(e.currentTarget.checked ? "yes" : "")} />;
  // Written when the field is left, not with every key: a row is one change.
  const write = () => {
    if (typed !== null && typed !== value) set(typed);
    setTyped(null);
  };
  return (
    <input
      type="text"
      aria-label={label}
      spellcheck={false}
      maxLength={1000}
      value={typed ?? value}
      onInput={(e) => setTyped(e.currentTarget.value)}
      onBlur={write}
      onKeyDown={(e) => e.key === "Enter" && write()}
    />
  );
}

function isAccess(value: string): value is (typeof ACCESSES)[number] {
  return ACCESSES.some((a) => a === value);
}

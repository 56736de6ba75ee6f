// A page of records. The server looks at a bounded number of records for each answer, so an answer may be short or empty although
// more follows: asks on until the page is full, the end is reached, or somebody stops it.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, queryText, type Query, type Record_, type Refusal } from "../../core/api";
import { toRefusal } from "../../core/resource";

export const PAGE = 100;
const ROUNDS = 40;

export interface Page {
  records: Record_[];
  next: string | null;
  looked: number;
  loading: boolean;
  /** It gave up, or was stopped, before the page was full. */
  paused: boolean;
  error: Refusal | null;
}

const nothing: Page = { records: [], next: null, looked: 0, loading: true, paused: false, error: null };

async function fill(from: Page, query: Query, cursor: string | null, signal: AbortSignal, tell: (p: Page) => void): Promise<void> {
  let page = from;
  let at = cursor;
  for (let round = 0; round < ROUNDS; round++) {
    const got = await api.records({ ...query, cursor: at ?? undefined, limit: PAGE - page.records.length }, signal);
    if (signal.aborted) return;
    page = {
      records: [...page.records, ...got.records],
      next: got.next,
      looked: page.looked + got.looked_at,
      loading: true,
      paused: false,
      error: null,
    };
    at = got.next;
    if (at === null || page.records.length >= PAGE) break;
    tell(page);
  }
  tell({ ...page, loading: false, paused: at !== null && page.records.length < PAGE });
}

export interface Pages extends Page {
  reload: () => void;
  stop: () => void;
  goOn: () => void;
}

export function useRecords(query: Query, cursor: string | null): Pages {
  const [page, setPage] = useState<Page>(nothing);
  const what = `${queryText(query)} ${cursor ?? ""}`;
  const shown = useRef("");
  const running = useRef<AbortController | null>(null);
  const latest = useRef({ page, query, cursor });
  latest.current = { page, query, cursor };

  const begin = useCallback((from: Page, at: string | null, quietly: boolean) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    if (!quietly) setPage(from);
    // Of a page that is only looked at anew, no half is shown: rows would jump.
    const tell = (p: Page) => {
      if (!stop.signal.aborted && (!quietly || !p.loading)) setPage(p);
    };
    fill(from, latest.current.query, at, stop.signal, tell).catch((e: unknown) => {
      if (!stop.signal.aborted) setPage((p) => ({ ...p, loading: false, error: toRefusal(e) }));
    });
  }, []);

  useEffect(() => {
    shown.current = what;
    begin(nothing, latest.current.cursor, false);
    return () => running.current?.abort();
  }, [what, begin]);

  const reload = useCallback(() => begin(nothing, latest.current.cursor, latest.current.page.records.length > 0), [begin]);
  const stop = useCallback(() => {
    running.current?.abort();
    setPage((p) => ({ ...p, loading: false, paused: p.next !== null }));
  }, []);
  const goOn = useCallback(() => begin({ ...latest.current.page, loading: true, paused: false }, latest.current.page.next, false), [begin]);
  return { ...page, reload, stop, goOn };
}

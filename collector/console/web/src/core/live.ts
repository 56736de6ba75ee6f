// What is new at the server, without reload: one stream of server-sent events a page, handed to whoever listens. It says only that
// something came; views ask again themselves. The stream is no use of the page: a desk that nobody touches is signed out.
import { useEffect, useRef } from "preact/hooks";

export type Kinds = Record<string, number>;
type Listener = (kinds: Kinds) => void;

const listeners = new Set<Listener>();
let stream: EventSource | null = null;
let onEnd: () => void = () => undefined;
let onState: (open: boolean) => void = () => undefined;

export function liveStart(ended: () => void, state: (open: boolean) => void): void {
  liveStop();
  onEnd = ended;
  onState = state;
  stream = new EventSource("/api/v1/live");
  stream.addEventListener("open", () => onState(true));
  stream.addEventListener("error", () => onState(false));
  stream.addEventListener("records", (event) => {
    try {
      const said = JSON.parse(String((event as MessageEvent<unknown>).data)) as { kinds?: Kinds };
      for (const listener of listeners) listener(said.kinds ?? {});
    } catch {
      // Half an event, as a connection ends: the next one tells again.
    }
  });
  stream.addEventListener("end", () => {
    liveStop();
    onEnd();
  });
}

export function liveStop(): void {
  stream?.close();
  stream = null;
}

/**
 * Calls `listener` at most once in `wait` ms, with all kinds that came meanwhile; not at all while the page is hidden. Where `every` is
 * given also without any, so often: whether a PC is silent, away or asleep changes by time, and no record tells of it.
 */
export function useLive(listener: Listener, wait = 1500, every = 0): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    let gathered: Kinds = {};
    let timer = 0;
    const flush = () => {
      timer = 0;
      if (document.hidden || !Object.keys(gathered).length) return;
      const kinds = gathered;
      gathered = {};
      latest.current(kinds);
    };
    const hear: Listener = (kinds) => {
      for (const [kind, n] of Object.entries(kinds)) gathered[kind] = (gathered[kind] ?? 0) + n;
      timer ||= setTimeout(flush, wait);
    };
    listeners.add(hear);
    document.addEventListener("visibilitychange", flush);
    const byTime = every ? setInterval(() => document.hidden || latest.current({}), every) : 0;
    return () => {
      clearInterval(byTime);
      listeners.delete(hear);
      document.removeEventListener("visibilitychange", flush);
      clearTimeout(timer);
    };
  }, [wait, every]);
}

/** So often what is shown of PCs is looked at anew though nothing came. */
export const STATES_EVERY = 15_000;

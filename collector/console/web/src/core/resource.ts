// Loading something for a view: nothing, it, or why not; again when what it depends on changes, or when asked. A question after another
// thing stops the older one. The same asked anew waits for the answer that is under way: news come faster than a slow line answers, and
// would let none through. Meanwhile the old answer stays on the page.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Refusal } from "./api";

export interface Resource<T> {
  data: T | null;
  error: Refusal | null;
  loading: boolean;
  reload: () => void;
}

export function toRefusal(e: unknown): Refusal {
  return e instanceof Refusal ? e : new Refusal(0, "page", String(e), null);
}

/** `what` names the thing: another name forgets the old answer. null: nothing is asked. */
export function useResource<T>(what: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<{ what: string | null; data: T | null; error: Refusal | null; loading: boolean }>({
    what: null,
    data: null,
    error: null,
    loading: what !== null,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const running = useRef(false);
  const again = useRef(false);
  useEffect(() => {
    running.current = what !== null;
    again.current = false;
    if (what === null) {
      setState({ what, data: null, error: null, loading: false });
      return;
    }
    const stop = new AbortController();
    setState((s) => (s.what === what ? { ...s, loading: true } : { what, data: null, error: null, loading: true }));
    const ended = () => {
      running.current = false;
      if (again.current) setTurn((n) => n + 1);
    };
    latest.current(stop.signal).then(
      (data) => {
        if (stop.signal.aborted) return;
        setState({ what, data, error: null, loading: false });
        ended();
      },
      (e: unknown) => {
        if (stop.signal.aborted) return;
        setState((s) => ({ what, data: s.data, error: toRefusal(e), loading: false }));
        ended();
      },
    );
    return () => stop.abort();
  }, [what, turn]);
  const reload = useCallback(() => {
    if (running.current) again.current = true;
    else setTurn((n) => n + 1);
  }, []);
  const own = state.what === what;
  return {
    data: own ? state.data : null,
    error: own ? state.error : null,
    loading: own ? state.loading : what !== null,
    reload,
  };
}

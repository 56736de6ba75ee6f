// From one thing to all that happened with it: a file, a drive, a person's day. One list in order of time, what is alike and follows
// itself folded; above it who, where, from when to when.
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type Query, type Record_, type Refusal } from "../../core/api";
import { useDesk } from "../../core/desk";
import { dayOf } from "../../core/format";
import { factText } from "../../core/hostile";
import { toRefusal } from "../../core/resource";
import { go, routeText, type Route } from "../../core/router";
import { Empty, Failure, Icon, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";
import { DayStrip } from "./strip";
import { Timeline } from "./timeline";

const MOST = 5000;

interface Subject {
  title: string;
  which: string;
  value: string;
  query: Query;
  logs: string;
  date?: string;
}

function dayQuery(date: string): { since: string; until: string } {
  const begin = new Date(`${date}T00:00:00`);
  const end = new Date(begin);
  end.setDate(end.getDate() + 1);
  return { since: begin.toISOString(), until: end.toISOString() };
}

function subjectOf(route: Route, words: ReturnType<typeof useDesk>["words"]): Subject | null {
  const q = route.query;
  const t = words.trace;
  switch (route.path) {
    case "/trace/file": {
      const path = q.get("path");
      return path ? { title: t.file, which: t.fileWhich, value: path, query: { path }, logs: routeText("/logs", { path, since: "all" }) } : null;
    }
    case "/trace/drive": {
      const device = q.get("device");
      return device ? { title: t.drive, which: t.driveWhich, value: device, query: { device }, logs: routeText("/logs", { device, since: "all" }) } : null;
    }
    case "/trace/day": {
      const user = q.get("user");
      const date = /^\d{4}-\d{2}-\d{2}$/.test(q.get("date") ?? "") ? (q.get("date") ?? "") : dayOf(new Date());
      if (!user || Number.isNaN(new Date(`${date}T00:00:00`).getTime())) return null;
      const range = dayQuery(date);
      return { title: t.day, which: t.dayWhich, value: user, query: { user, ...range }, logs: routeText("/logs", { user, ...range }), date };
    }
    default:
      return null;
  }
}

interface Loaded {
  records: Record_[];
  done: boolean;
  looked: number;
  more: boolean;
  error: Refusal | null;
}

/** The newest MOST records, oldest first. */
function useAll(query: Query | null, what: string): Loaded {
  const [state, setState] = useState<Loaded>({ records: [], done: false, looked: 0, more: false, error: null });
  useEffect(() => {
    if (!query) return;
    const stop = new AbortController();
    const run = async () => {
      let records: Record_[] = [];
      let looked = 0;
      let cursor: string | null = null;
      setState({ records, done: false, looked, more: false, error: null });
      do {
        const page = await api.records({ ...query, cursor: cursor ?? undefined, limit: 500 }, stop.signal);
        if (stop.signal.aborted) return;
        records = records.concat(page.records);
        looked += page.looked_at;
        cursor = page.next;
        setState({ records: records.toReversed(), done: false, looked, more: cursor !== null, error: null });
      } while (cursor !== null && records.length < MOST);
      setState((s) => ({ ...s, done: true }));
    };
    run().catch((e: unknown) => {
      if (!stop.signal.aborted) setState((s) => ({ ...s, done: true, error: toRefusal(e) }));
    });
    return () => stop.abort();
  }, [what]);
  return state;
}

export function Trace({ route }: { route: Route }) {
  const { words } = useDesk();
  const t = words.trace;
  const subject = subjectOf(route, words);
  const what = `${route.path}?${route.query}`;
  const all = useAll(subject?.query ?? null, what);
  const who = useMemo(() => tally(all.records, "user"), [all.records]);
  const where = useMemo(() => tally(all.records, "host"), [all.records]);
  if (!subject) return <Empty>{t.missing}</Empty>;
  const step = (days: number) => {
    const d = new Date(`${subject.date}T12:00:00`);
    d.setDate(d.getDate() + days);
    return routeText("/trace/day", { user: subject.value, date: dayOf(d) });
  };
  const first = all.records[0];
  const last = all.records[all.records.length - 1];
  return (
    <div class="trace">
      <header class="trace-head">
        <p class="quiet-text">
          <a href={subject.logs}>{t.asLogs}</a>
        </p>
        <h1>{subject.title}</h1>
        <p class="trace-subject">
          <Text of={subject.value} />
        </p>
        {subject.date && (
          <div class="trace-date">
            <a class="icon" href={step(-1)} aria-label={t.before} title={t.before}>
              <Icon name="left" />
            </a>
            <input
              type="date"
              aria-label={t.date}
              value={subject.date}
              onChange={(e) => e.currentTarget.value && go(routeText("/trace/day", { user: subject.value, date: e.currentTarget.value }))}
            />
            <a class="icon" href={step(1)} aria-label={t.after} title={t.after}>
              <Icon name="right" />
            </a>
          </div>
        )}
      </header>
      {all.error && <Failure error={all.error} />}
      {!all.done && !all.error && all.records.length === 0 && <Loading />}
      {all.done && !all.error && all.records.length === 0 && <Empty>{subject.date ? t.noneDay : t.none}</Empty>}
      {first && last && (
        <>
          <dl class="trace-facts">
            {!subject.date && (
              <>
                <div>
                  <dt>{t.first}</dt>
                  <dd>{dayOf(first.facts.time)}</dd>
                </div>
                <div>
                  <dt>{t.last}</dt>
                  <dd>{dayOf(last.facts.time)}</dd>
                </div>
                <Tally label={t.people} of={who} link={(name) => routeText("/trace/day", { user: name, date: dayOf(last.facts.time) })} />
              </>
            )}
            <Tally label={t.pcs} of={where} link={(name) => routeText("/logs", { host: name, since: "-7d" })} />
          </dl>
          {subject.date && <DayStrip date={subject.date} records={all.records} />}
          <p class="list-count" role="status">
            {all.done ? words.logs.rows(all.records.length) : words.logs.searching(all.looked)}
            {all.done && all.more && <span class="quiet-text"> · {t.newest}</span>}
          </p>
          <Timeline records={all.records} days={!subject.date} subject={subject.value} />
        </>
      )}
    </div>
  );
}

export function tally(records: Record_[], by: "user" | "host"): [string, number][] {
  const sums = new Map<string, number>();
  for (const r of records) {
    const fact = by === "host" ? r.host : r.facts["user"];
    const name = factText(fact);
    if (name) sums.set(name, (sums.get(name) ?? 0) + 1);
  }
  return [...sums].sort((a, b) => b[1] - a[1]);
}

function Tally({ label, of, link }: { label: string; of: [string, number][]; link: (name: string) => string }) {
  if (!of.length) return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <ul class="tally">
          {of.slice(0, 12).map(([name, n]) => (
            <li key={name}>
              <a href={link(name)}>
                <Text of={name} />
              </a>{" "}
              <span class="quiet-text number">{n}</span>
            </li>
          ))}
        </ul>
      </dd>
    </div>
  );
}

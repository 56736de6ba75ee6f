// Reports: a month (or another period) in figures, made by the server from one reading of the log; looked at here, and taken away as PDF to
// sign and as CSV files. What an account does not see is not in it.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Refusal, type Report, type ReportFigure, type ReportTable } from "../core/api";
import { may, useDesk } from "../core/desk";
import { clockOf, count, dayOf, momentOf, size, toMoment } from "../core/format";
import { toRefusal } from "../core/resource";
import { explain, saveFile } from "../ui/parts";
import { Mono, Text } from "../ui/text";

const AGAIN_MS = 250;
const SHOWN_ROWS = 100;

const two = (n: number) => String(n).padStart(2, "0");
/** The month before this one, as the input wants it. */
function lastMonth(): string {
  const now = new Date();
  const d = new Date(now.getFullYear(), now.getMonth() - 1, 1);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}`;
}
function dayBefore(days: number): string {
  const d = new Date();
  d.setDate(d.getDate() - days);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

interface Made {
  id: string;
  report: Report;
}

export function Reports() {
  const { words, language, session } = useDesk();
  const r = words.reports;
  const [by, setBy] = useState<"month" | "period">("month");
  const [month, setMonth] = useState(lastMonth);
  const [since, setSince] = useState(() => dayBefore(7));
  const [until, setUntil] = useState(() => dayBefore(0));
  const [percent, setPercent] = useState<number | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  const [error, setError] = useState<Refusal | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const make = async () => {
    stop.current?.abort();
    const mine = new AbortController();
    stop.current = mine;
    setError(null);
    setMade(null);
    setPercent(0);
    try {
      const period = by === "month" ? { month } : { since: toMoment(`${since}T00:00:00`), until: toMoment(`${until}T00:00:00`) };
      const { id } = await api.makeReport({ ...period, lang: language });
      for (;;) {
        const now = await api.report(id, mine.signal);
        setPercent(now.percent);
        if (now.report) {
          setMade({ id, report: now.report });
          break;
        }
        await new Promise((done) => setTimeout(done, AGAIN_MS));
        if (mine.signal.aborted) return;
      }
    } catch (e) {
      if (!mine.signal.aborted) setError(toRefusal(e));
    }
    if (!mine.signal.aborted) setPercent(null);
  };
  return (
    <div class="stack reports">
      <h1>{r.title}</h1>
      <p>{may(session, "auditor") ? r.why : may(session, "viewer") ? r.whyViewer : r.whyAdministrator}</p>
      <form
        class="report-ask"
        onSubmit={(e) => {
          e.preventDefault();
          void make();
        }}
      >
        <div class="switch" role="group" aria-label={r.period}>
          {(["month", "period"] as const).map((x) => (
            <button key={x} type="button" aria-pressed={by === x} onClick={() => setBy(x)}>
              {x === "month" ? r.byMonth : r.byPeriod}
            </button>
          ))}
        </div>
        {by === "month" ? (
          <label class="field">
            {r.month}
            <input type="month" required pattern="[0-9]{4}-[0-9]{2}" placeholder="2026-10" value={month} onInput={(e) => setMonth(e.currentTarget.value)} />
          </label>
        ) : (
          <>
            <label class="field">
              {words.register.since}
              <input type="date" required value={since} onInput={(e) => setSince(e.currentTarget.value)} />
            </label>
            <label class="field">
              {words.register.until}
              <input type="date" required value={until} onInput={(e) => setUntil(e.currentTarget.value)} />
            </label>
          </>
        )}
        <button type="submit" class="main" disabled={percent !== null}>
          {r.make}
        </button>
      </form>
      {percent !== null && (
        <p class="report-progress" role="status">
          <progress max={100} value={percent} aria-label={r.making} /> {r.making} {percent} %
        </p>
      )}
      {error && (
        <p class="wrong" role="alert">
          {explain(error, words)}
        </p>
      )}
      {made && <Shown made={made} failed={setError} />}
    </div>
  );
}

function Shown({ made, failed }: { made: Made; failed: (e: Refusal) => void }) {
  const { words, language } = useDesk();
  const r = words.reports;
  const { id, report } = made;
  const [busy, setBusy] = useState(false);
  const name = `sekisho-report${report.month ? `-${report.month}` : ""}`;
  const take = (form: "pdf" | "zip") => {
    setBusy(true);
    api
      .reportFile(id, form)
      .then((blob) => saveFile(`${name}.${form}`, blob, form === "pdf" ? "application/pdf" : "application/zip"))
      .catch((e: unknown) => failed(toRefusal(e)))
      .finally(() => setBusy(false));
  };
  const key = report.figures.filter((f) => f.key);
  return (
    <section class="stack" aria-labelledby="report-title">
      <header class="report-head">
        <h2 id="report-title">{report.month || !report.since || !report.until ? report.period : `${momentOf(report.since)} - ${momentOf(report.until)}`}</h2>
        <p class="hint">
          {r.collector} <Text of={report.host} /> · {report.made && momentOf(report.made)} · {report.log.verified ? r.verified(count(report.log.size, language)) : r.unverified}
        </p>
        <div class="actions">
          <button type="button" class="main" disabled={busy} onClick={() => take("pdf")}>
            {r.pdf}
          </button>
          <button type="button" disabled={busy} onClick={() => take("zip")}>
            {r.csv}
          </button>
        </div>
      </header>
      <dl class="report-tiles">
        {(key.length ? key : report.figures.slice(0, 8)).map((f) => (
          <Tile key={f.name} of={f} />
        ))}
      </dl>
      <div class="report-charts">
        {report.charts.map((c) => (
          <Bars key={c.name} of={c} />
        ))}
      </div>
      <section class="panel" aria-labelledby="report-attention">
        <header class="panel-head">
          <h3 id="report-attention">{r.attention}</h3>
        </header>
        {report.attention.length ? (
          <ul class="report-remarks">
            {report.attention.map((a) => (
              <li key={a.text} class={`severity-${a.severity}`}>
                <span class="severity">{words.overview.severity[a.severity]}</span> <Text of={a.text} />
              </li>
            ))}
          </ul>
        ) : (
          <p class="calm">{r.nothing}</p>
        )}
      </section>
      <details class="panel">
        <summary>{r.figures}</summary>
        <Figures of={report.figures} />
      </details>
      {report.tables.map((t) => (
        <Table key={t.name} of={t} />
      ))}
      {report.log.root && (
        <p class="hint">
          {r.checkpoint} <Text of={report.log.origin ?? ""} />, {count(report.log.size, language)}, <Mono>{report.log.root}</Mono>
        </p>
      )}
    </section>
  );
}

function useShown(): (n: number | null, type: "count" | "bytes") => string {
  const { language } = useDesk();
  return (n, type) => (n === null ? "" : type === "bytes" ? size(n) : count(n, language));
}

function Tile({ of }: { of: ReportFigure }) {
  const { words } = useDesk();
  const shown = useShown();
  const change = of.before ? Math.round(((of.now - of.before) * 100) / of.before) : 0;
  return (
    <div class="report-tile">
      <dt>{of.title}</dt>
      <dd class="report-now">{shown(of.now, of.type)}</dd>
      {of.before !== null && (
        <dd class="report-before">
          {words.reports.before} {shown(of.before, of.type)}
          {change !== 0 && ` (${change > 0 ? "+" : ""}${change} %)`}
        </dd>
      )}
    </div>
  );
}

function Bars({ of }: { of: Report["charts"][number] }) {
  const { words } = useDesk();
  const shown = useShown();
  const most = Math.max(...of.values, 0);
  const begin = of.since ? new Date(of.since) : new Date();
  const at = (i: number) => dayOf(new Date(begin.getTime() + i * of.days * 86400000));
  const label = `${of.title}: ${words.reports.most} ${shown(most, of.type)}`;
  return (
    <figure class="panel report-chart">
      <figcaption>
        <span>{of.title}</span> <span class="hint">{words.reports.most} {shown(most, of.type)}</span>
      </figcaption>
      <svg class="lane-bars" viewBox={`0 0 ${of.values.length} 20`} preserveAspectRatio="none" role="img" aria-label={label}>
        {of.values.map((v, i) => {
          const height = most ? (v / most) * 20 : 0;
          return v > 0 ? (
            <rect key={i} x={i + 0.12} width={0.76} y={20 - Math.max(height, 0.5)} height={Math.max(height, 0.5)}>
              <title>{`${at(i)}: ${shown(v, of.type)}`}</title>
            </rect>
          ) : null;
        })}
      </svg>
      <p class="report-axis hint">
        <span>{at(0)}</span> <span>{at(of.values.length - 1)}</span>
      </p>
    </figure>
  );
}

function Figures({ of }: { of: ReportFigure[] }) {
  const { words } = useDesk();
  const shown = useShown();
  const r = words.reports;
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label={r.figures}>
      <table class="plain numbers report-table">
        <thead>
          <tr>
            <th scope="col">{r.figure}</th>
            <th scope="col" class="number">{r.period}</th>
            <th scope="col" class="number">{r.before}</th>
          </tr>
        </thead>
        <tbody>
          {of.map((f) => (
            <tr key={f.name}>
              <th scope="row">{f.title}</th>
              <td class="number">{shown(f.now, f.type)}</td>
              <td class="number">{shown(f.before, f.type)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Table({ of }: { of: ReportTable }) {
  const { words, language } = useDesk();
  const r = words.reports;
  const shown = useShown();
  const [all, setAll] = useState(false);
  const rows = all ? of.rows : of.rows.slice(0, SHOWN_ROWS);
  const cell = (v: string | number | null, type: ReportTable["columns"][number]["type"]) => {
    if (v === null) return "";
    if (type === "time") return <time dateTime={String(v)}>{`${dayOf(String(v))} ${clockOf(String(v), false)}`}</time>;
    return typeof v === "number" ? shown(v, type === "bytes" ? "bytes" : "count") : <Text of={v} />;
  };
  return (
    <details class="panel" open={of.rows.length > 0 && of.rows.length <= 10}>
      <summary>
        <span class="hint">{of.section}</span> {of.title} <span class="badge">{count(of.rows.length, language)}</span>
      </summary>
      {of.note && <p class="hint">{of.note}</p>}
      {of.rows.length === 0 ? (
        <p class="state">{r.none}</p>
      ) : (
        <div class="table-room" tabIndex={0} role="region" aria-label={of.title}>
          <table class="plain report-table">
            <thead>
              <tr>
                {of.columns.map((c) => (
                  <th key={c.name} scope="col" class={c.type === "count" || c.type === "bytes" ? "number" : undefined}>
                    {c.title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, i) => (
                <tr key={i}>
                  {of.columns.map((c, k) => (
                    <td key={c.name} class={c.type === "count" || c.type === "bytes" ? "number" : undefined}>
                      {cell(row[k] ?? null, c.type)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length < of.rows.length && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>
          {r.all(count(of.rows.length, language))}
        </button>
      )}
      {of.more > 0 && <p class="hint">{r.more(count(of.more, language))}</p>}
    </details>
  );
}

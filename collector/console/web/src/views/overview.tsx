// The first view: what needs a person, how the fleet is, and records by hour and channel. Live.
import { useState } from "preact/hooks";
import { api, type Attention, type Expiring, type Overview, type Traffic } from "../core/api";
import { channelOf, CHANNELS, type Channel } from "../core/channels";
import { may, useDesk, valueLabel, type Vocabulary } from "../core/desk";
import { ago, clockOf, count, dayOf, listed, momentOf } from "../core/format";
import { STATES_EVERY, useLive } from "../core/live";
import { useResource } from "../core/resource";
import { routeText } from "../core/router";
import { Failure, Icon, Loading } from "../ui/parts";
import { Text } from "../ui/text";
import type { Language } from "../words";
import { spoken } from "../words/phrases";

export function OverviewView() {
  const { words } = useDesk();
  const [hours, setHours] = useState(24);
  const overview = useResource("overview", (signal) => api.overview(signal));
  const traffic = useResource(`traffic ${hours}`, (signal) => api.traffic(hours, signal));
  const expiring = useResource("expiring", (signal) => api.expiring(signal));
  // Right after the console's start, and for a scope that nobody has asked for, counting takes a while.
  const counting = traffic.data?.complete === false;
  useLive(() => {
    overview.reload();
    traffic.reload();
  }, 4000, counting ? 5000 : STATES_EVERY);
  return (
    <div class="overview">
      <h1>{words.overview.title}</h1>
      {overview.error && <Failure error={overview.error} retry={overview.reload} />}
      {!overview.data && !overview.error && <Loading />}
      {overview.data && <Health of={overview.data} />}
      <div class="overview-body">
        {overview.data && <AttentionList of={overview.data} />}
        <section class="panel traffic" aria-labelledby="traffic-title">
          <header class="panel-head">
            <h2 id="traffic-title">{words.overview.traffic}</h2>
            <div class="switch" role="group" aria-label={words.logs.time}>
              {[24, 168].map((h) => (
                <button key={h} type="button" aria-pressed={hours === h} onClick={() => setHours(h)}>
                  {h === 24 ? words.overview.hours24 : words.overview.hours168}
                </button>
              ))}
            </div>
          </header>
          {traffic.error && <Failure error={traffic.error} retry={traffic.reload} />}
          {!traffic.data && !traffic.error && <Loading />}
          {traffic.data && <TrafficLanes of={traffic.data} />}
        </section>
        <section class="panel expiring" aria-labelledby="expiring-title">
          <header class="panel-head">
            <h2 id="expiring-title">{words.overview.expiring}</h2>
          </header>
          {expiring.error && <Failure error={expiring.error} retry={expiring.reload} />}
          {!expiring.data && !expiring.error && <Loading />}
          {expiring.data && <ExpiringTable of={expiring.data} />}
        </section>
      </div>
    </div>
  );
}

/** What goes first; the plan is long, and the first ones are what somebody may still want to hold. */
function ExpiringTable({ of }: { of: Expiring }) {
  const { words, language } = useDesk();
  const o = words.overview;
  if (!of.months.length) return <p class="state">{o.expiringNone}</p>;
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label={`${o.expiring} (${o.asTable})`}>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">{o.expiringDue}</th>
            <th scope="col">{o.expiringMonth}</th>
            <th scope="col">{o.expiringWhat}</th>
            <th scope="col">{o.segments}</th>
            <th scope="col">{o.expiringState}</th>
          </tr>
        </thead>
        <tbody>
          {of.months.slice(0, 6).map((m) => (
            <tr key={`${m.month} ${m.channel}`}>
              <th scope="row">{dayOf(new Date(m.due))}</th>
              <td>{m.month}</td>
              <td>{o.producer[m.channel]}</td>
              <td class="number">{m.segments === null ? "…" : count(m.segments, language)}</td>
              <td>
                {m.hold === null ? o.retention[m.state] : o.heldBy(m.hold)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Figure(props: { label: string; value: string; bad?: boolean; href?: string }) {
  const inner = (
    <>
      <dt>{props.label}</dt>
      <dd class={props.bad ? "figure-bad" : undefined}>{props.value}</dd>
    </>
  );
  return <div class="figure">{inner}</div>;
}

function Health({ of: { fleet: f, log: l } }: { of: Overview }) {
  const { words, language } = useDesk();
  const o = words.overview;
  const n = (x: number) => count(x, language);
  return (
    <div class="health">
      <section aria-label={o.fleet}>
        <h2><a href="#/pcs">{o.fleet}</a></h2>
        <dl class="figures">
          <Figure label={o.known} value={n(f.known)} />
          <Figure label={o.connected} value={n(f.connected)} />
          <Figure label={o.asleep} value={n(f.asleep)} />
          <Figure label={o.silent} value={n(f.silent)} bad={f.silent > 0} />
          <Figure label={o.revoked} value={n(f.revoked)} />
        </dl>
      </section>
      <section aria-label={o.policy}>
        <h2>{o.policy}</h2>
        {f.policy === 0 ? (
          <p>{o.policyNone}</p>
        ) : (
          <>
            <p class="health-line">
              <strong>{o.policyVersion(f.policy)}</strong> {f.policy_old === 0 ? o.policyAll : o.policyOf(f.policy_current, f.policy_current + f.policy_old)}
            </p>
            <Share part={f.policy_current} whole={f.policy_current + f.policy_old} />
          </>
        )}
      </section>
      <section aria-label={o.log}>
        <h2>{o.log}</h2>
        <dl class="figures">
          <Figure label={o.records} value={n(l.records)} />
          <Figure label={o.segments} value={n(l.size)} />
        </dl>
        {l.disk_full && <p class="wrong">{o.diskFull}</p>}
        {l.index_lag > 0 && <p class="hint">{o.lag(l.index_lag)}</p>}
      </section>
    </div>
  );
}

export function Share({ part, whole }: { part: number; whole: number }) {
  return (
    <div class="share" aria-hidden="true">
      <div style={{ inlineSize: `${whole ? (part / whole) * 100 : 0}%` }} />
    </div>
  );
}

function AttentionList({ of }: { of: Overview }) {
  const { words } = useDesk();
  const o = words.overview;
  return (
    <section class="panel attention" aria-labelledby="attention-title">
      <header class="panel-head">
        <h2 id="attention-title">{o.attention}</h2>
        {of.attention.length > 0 && <span class="badge">{of.attention.length}</span>}
      </header>
      {of.attention.length === 0 && (
        <p class="calm">
          <Icon name="check" />
          {o.attentionNone}
        </p>
      )}
      <ul class="attention-list">
        {of.attention.map((a, i) => (
          <AttentionRow key={`${a.what} ${a.host_id} ${a.row ?? i}`} of={a} now={new Date(of.now).getTime()} />
        ))}
      </ul>
      {!of.attention_complete && <p class="hint">{o.attentionCut}</p>}
    </section>
  );
}

/** What it is about, in the language of the page: names of causes, checks and permissions are its words, names of people and devices stay. */
function matter({ what, text }: Attention, vocabulary: Vocabulary, language: Language): string {
  const named = (name: string, value: string) => valueLabel(vocabulary, name, value, language);
  if (what === "posture") return listed(text.split(", ").map((check) => named("check", check)), language);
  if (what === "loss" || what === "refused" || what === "sign-in-refused") return text.replace(/^[a-z-]+/, (cause) => named("cause", cause));
  if (["held", "denied", "write-seen", "release", "release-refused"].includes(what)) return text.replace(/(: )([a-z-]+)(?=: |, |$)/, (_, before: string, access: string) => before + named("access", access));
  return spoken("text", text, language);
}

function AttentionRow({ of: a, now }: { of: Attention; now: number }) {
  const { words, session, vocabulary, language } = useDesk();
  const o = words.overview;
  const what = (o.what as Partial<Record<string, string>>)[a.what] ?? a.what;
  const to =
    a.row && may(session, "auditor", "viewer")
      ? routeText("/logs", { since: "-7d", open: a.row, ...(a.host ? { host: a.host } : {}) })
      : a.what === "alert" && may(session, "auditor", "viewer")
        ? "#/alerts"
      : a.what === "policy-old"
        ? "#/drives/arrival"
        : null;
  return (
    <li class={`attention-row severity-${a.severity}`}>
      <span class="severity">{o.severity[a.severity]}</span>
      <div class="attention-what">
        <p>
          {to ? <a href={to}>{what}</a> : <span class="attention-name">{what}</span>}
          {a.count > 1 && <span class="times">× {count(a.count, language)}</span>}
        </p>
        {a.text && (
          <p class="attention-text">
            <Text of={matter(a, vocabulary, language)} />
          </p>
        )}
      </div>
      <p class="attention-where">{a.host_id ? <a href={`#/pcs/${a.host_id}`}><Text of={a.host || words.common.unknownPc} /></a> : <Text of={a.host} />}</p>
      <p class="attention-when">{a.last && <time dateTime={a.last} title={momentOf(a.last)}>{ago(a.last, now, language)}</time>}</p>
    </li>
  );
}

interface Lane {
  channel: Channel;
  counts: number[];
  total: number;
  most: number;
}

export function lanesOf(t: Traffic): Lane[] {
  const sums = new Map<Channel, number[]>();
  for (const { kind, counts } of t.series) {
    const lane = sums.get(channelOf(kind)) ?? Array.from({ length: t.hours }, () => 0);
    counts.forEach((c, i) => {
      if (i < lane.length) lane[i] = (lane[i] ?? 0) + c;
    });
    sums.set(channelOf(kind), lane);
  }
  return CHANNELS.flatMap((channel) => {
    const counts = sums.get(channel);
    return counts ? [{ channel, counts, total: counts.reduce((a, b) => a + b, 0), most: Math.max(...counts) }] : [];
  });
}

/**
 * One lane a channel, each with a scale of its own: ten thousand files an hour must not flatten the one drive that matters. The same
 * numbers are there as a table.
 */
function TrafficLanes({ of: t }: { of: Traffic }) {
  const { words, language, session } = useDesk();
  const [table, setTable] = useState(false);
  const lanes = lanesOf(t);
  const o = words.overview;
  const begin = new Date(t.from).getTime();
  const timeOf = (i: number) => new Date(begin + i * t.step * 1000);
  const reads = may(session, "auditor", "viewer");
  if (!lanes.length) return <p class="state">{o.trafficNone}</p>;
  // As many as do not lie on one another, and none that the end of the axis would cut.
  const ticks = Array.from({ length: t.hours }, (_, i) => i)
    .filter((i) => (t.hours <= 24 ? timeOf(i).getHours() % 6 === 0 : timeOf(i).getHours() === 0))
    .filter((i, n) => (t.hours <= 24 || n % 2 === 0) && i < 0.82 * t.hours);
  return (
    <>
      {table ? (
        <TrafficTable lanes={lanes} hours={t.hours} timeOf={timeOf} />
      ) : (
        <div class="lanes">
          {lanes.map((lane) => (
            <div key={lane.channel} class={`lane channel-${lane.channel}`}>
              <p class="lane-name">
                <span class="kind-mark" aria-hidden="true" />
                {reads ? (
                  <a href={routeText("/logs", { c: lane.channel, ...(t.hours > 24 ? { since: "-7d" } : {}) })}>{words.channels[lane.channel]}</a>
                ) : (
                  words.channels[lane.channel]
                )}
              </p>
              <svg class="lane-bars" viewBox={`0 0 ${t.hours} 20`} preserveAspectRatio="none" role="img" aria-label={`${words.channels[lane.channel]}: ${o.total(lane.total)}, ${o.peak(lane.most)}`}>
                {lane.counts.map((c, i) => {
                  const height = lane.most ? (c / lane.most) * 20 : 0;
                  return c > 0 ? (
                    <rect key={i} x={i + 0.120} width={0.760} y={20 - Math.max(height, 0.800)} height={Math.max(height, 0.800)}>
                      <title>{`${dayOf(timeOf(i))} ${clockOf(timeOf(i), false)}: ${count(c, language)}`}</title>
                    </rect>
                  ) : null;
                })}
              </svg>
              <p class="lane-total number" title={o.peak(lane.most)}>
                {count(lane.total, language)}
              </p>
            </div>
          ))}
          <div class="lane lane-axis" aria-hidden="true">
            <span />
            <div class="axis">
              {ticks.map((i) => (
                <span key={i} style={{ insetInlineStart: `${(i / t.hours) * 100}%` }}>
                  {t.hours <= 24 ? clockOf(timeOf(i), false) : dayOf(timeOf(i)).slice(5)}
                </span>
              ))}
            </div>
            <span />
          </div>
        </div>
      )}
      <div class="panel-foot">
        {!t.complete && <p class="hint">{o.trafficPartial}</p>}
        <button type="button" class="quiet" onClick={() => setTable(!table)}>
          {table ? o.asChart : o.asTable}
        </button>
      </div>
    </>
  );
}

function TrafficTable({ lanes, hours, timeOf }: { lanes: Lane[]; hours: number; timeOf: (i: number) => Date }) {
  const { words, language } = useDesk();
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label={words.overview.traffic}>
      <table class="plain numbers">
        <thead>
          <tr>
            <th scope="col">{words.overview.hour}</th>
            {lanes.map((l) => (
              <th key={l.channel} scope="col">
                {words.channels[l.channel]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: hours }, (_, k) => hours - 1 - k).map((i) => (
            <tr key={i}>
              <th scope="row">
                {dayOf(timeOf(i))} {clockOf(timeOf(i), false)}
              </th>
              {lanes.map((l) => (
                <td key={l.channel}>{count(l.counts[i] ?? 0, language)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// The draft, or what is pushed, tried against what happened: what would have been decided otherwise. Nothing is asked before somebody says so:
// each trial is a record of the access log. What came of it stays while the page does, so that one can look at a record and come back.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, Refusal, type Policy, type Trial, type TrialCase, type TrialWords } from "../../core/api";
import { may, useDesk, valueLabel } from "../../core/desk";
import { ago, count, momentOf } from "../../core/format";
import { plain } from "../../core/hostile";
import { toRefusal } from "../../core/resource";
import { go, routeText } from "../../core/router";
import { useDraft } from "../../policy/draft";
import { casesShown, groupsOf, searchOf, SHOWS, WHATS, type Show, type What } from "../../policy/trial";
import { Empty, Failure } from "../../ui/parts";
import { Text } from "../../ui/text";
import { nextTexts } from "./review";

const DAYS = [1, 7, 30, 90];
const STEP = 100;

interface Asked {
  version: number;
  policy_yaml: string;
  devices_csv: string;
  days: number;
  groups: string;
}

/** The last one, of the session that asked for it: another one that signs in here has other rights. */
let kept: { csrf: string; asked: Asked; trial: Trial } | null = null;

const sameAsked = (a: Asked, b: Asked) =>
  a.policy_yaml === b.policy_yaml && a.devices_csv === b.devices_csv && a.days === b.days && groupsOf(a.groups).join() === groupsOf(b.groups).join();

export function TrialView({ policy, query }: { policy: Policy; query: URLSearchParams }) {
  const { words, session, say } = useDesk();
  const d = words.drives;
  const w = d.trial;
  const draft = useDraft();
  const mine = may(session, "administrator") ? draft : null;
  const texts = useMemo(() => (mine ? nextTexts(policy.version, mine) : policy), [mine, policy]);
  const days = DAYS.find((n) => String(n) === query.get("days")) ?? 7;
  const [groups, setGroups] = useState(kept?.csrf === session.csrf ? kept.asked.groups : "");
  const [done, setDone] = useState(kept?.csrf === session.csrf ? kept : null);
  const [busy, setBusy] = useState<AbortController | null>(null);
  const [error, setError] = useState<Refusal | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const asked: Asked = { version: texts.version, policy_yaml: texts.policy_yaml, devices_csv: texts.devices_csv, days, groups };

  const set = (name: string, value: string, usual: string) => {
    const q = new URLSearchParams(query);
    if (value === usual) q.delete(name);
    else q.set(name, value);
    go(routeText("/drives/trial", q), true);
  };
  const run = async () => {
    const stop = new AbortController();
    running.current = stop;
    setBusy(stop);
    setError(null);
    try {
      const trial = await api.policyReplay(asked, `-${days}d`, groupsOf(groups), stop.signal);
      kept = { csrf: session.csrf, asked, trial };
      setDone(kept);
      say(`${w.stricter(trial.stricter)}, ${w.looser(trial.looser)}, ${w.same(trial.same)}`);
    } catch (e) {
      if (!stop.signal.aborted) setError(toRefusal(e));
    } finally {
      setBusy((now) => (now === stop ? null : now));
    }
  };
  const stop = () => {
    busy?.abort();
    setBusy(null);
  };
  return (
    <div class="trial" aria-busy={busy !== null}>
      <section class="panel" aria-labelledby="trial-title">
        <h2 id="trial-title">{w.title}</h2>
        <p class="hint">{w.why}</p>
        <form
          class="trial-ask"
          onSubmit={(e) => {
            e.preventDefault();
            if (!busy) void run();
          }}
        >
          <p>
            <strong>{mine ? w.ofDraft(texts.version) : w.ofPushed(texts.version)}</strong>
          </p>
          <label class="inline">
            {w.period}
            <select value={String(days)} onChange={(e) => set("days", e.currentTarget.value, "7")}>
              {DAYS.map((n) => (
                <option key={n} value={String(n)}>
                  {d.daysOf(n)}
                </option>
              ))}
            </select>
          </label>
          <label class="inline" title={w.groupsHint}>
            {w.groups}
            <input type="text" value={groups} spellcheck={false} autocapitalize="none" onInput={(e) => setGroups(e.currentTarget.value)} />
          </label>
          {busy ? (
            <button type="button" onClick={stop}>
              {w.busy}
            </button>
          ) : (
            <button type="submit" class="main">
              {w.go}
            </button>
          )}
        </form>
        {error && error.word === "policy" && (
          <p class="wrong" role="alert">
            {w.refused(plain(error.reason))}
          </p>
        )}
        {error && error.word !== "policy" && <Failure error={error} />}
        {!done && !busy && !error && <Empty>{w.none}</Empty>}
        {done && <Summary of={done.trial} />}
        {done && !busy && !sameAsked(done.asked, asked) && <p class="notice">{w.stale}</p>}
      </section>
      {done && <Cases trial={done.trial} query={query} set={set} />}
    </div>
  );
}

function Summary({ of: t }: { of: Trial }) {
  const { words } = useDesk();
  const w = words.drives.trial;
  return (
    <div class="trial-summary">
      <ul class="legend">
        <li>
          <span class="dot trial-stricter" aria-hidden="true" />
          {w.stricter(t.stricter)}
        </li>
        <li>
          <span class="dot trial-looser" aria-hidden="true" />
          {w.looser(t.looser)}
        </li>
        <li>
          <span class="dot trial-same" aria-hidden="true" />
          {w.same(t.same)}
        </li>
        {t.not_compared > 0 && (
          <li class="quiet-text" title={w.notComparedWhy}>
            {w.notCompared(t.not_compared)}
          </li>
        )}
      </ul>
      <p class="quiet-text">
        {w.looked(t.looked_at, t.of, t.of_more)} · <time dateTime={t.since}>{momentOf(t.since)}</time> – <time dateTime={t.until}>{momentOf(t.until)}</time>
      </p>
      {t.cut.map((c) => (
        <p key={c} class="notice">
          {w.cut[c]}
        </p>
      ))}
      {!t.reads && <p class="hint">{w.noReads}</p>}
    </div>
  );
}

interface CasesProps {
  trial: Trial;
  query: URLSearchParams;
  set: (name: string, value: string, usual: string) => void;
}

function Cases({ trial, query, set }: CasesProps) {
  const { words, language, vocabulary } = useDesk();
  const w = words.drives.trial;
  const show: Show = SHOWS.find((x) => x === query.get("show")) ?? "changes";
  const what: What = WHATS.find((x) => x === query.get("what")) ?? "all";
  const text = query.get("text") ?? "";
  const [most, setMost] = useState(STEP);
  const cases = useMemo(() => casesShown(trial, show, what, text), [trial, show, what, text]);
  return (
    <div class="trial-cases">
      <div class="list-bar">
        <div class="switch" role="group" aria-label={w.show}>
          {SHOWS.map((x) => (
            <button key={x} type="button" aria-pressed={x === show} onClick={() => set("show", x, "changes")}>
              {w.shows[x]}
            </button>
          ))}
        </div>
        <label class="inline">
          {w.what}
          <select value={what} onChange={(e) => set("what", e.currentTarget.value, "all")}>
            {WHATS.map((x) => (
              <option key={x} value={x}>
                {w.whats[x]}
              </option>
            ))}
          </select>
        </label>
        <input type="search" data-find aria-label={w.find} placeholder={w.find} value={text} onInput={(e) => set("text", e.currentTarget.value, "")} />
      </div>
      {cases.length === 0 && <Empty>{show === "changes" && what === "all" && !text && !trial.left_out ? w.unchanged : w.nothing}</Empty>}
      {cases.length > 0 && (
        <div class="table-room" tabIndex={0} role="region" aria-label={w.show}>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{w.columns.what}</th>
                <th scope="col">{w.columns.change}</th>
                <th scope="col">{w.columns.rule}</th>
                <th scope="col">{w.columns.times}</th>
                <th scope="col">{w.columns.where}</th>
                <th scope="col">{w.columns.who}</th>
                <th scope="col">{w.columns.last}</th>
              </tr>
            </thead>
            <tbody>
              {cases.slice(0, most).map((c) => (
                <Row key={keyOf(c)} of={c} trial={trial} label={(field, value) => valueLabel(vocabulary, field, value, language)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {cases.length > most && (
        <button type="button" class="quiet" onClick={() => setMost(most + STEP)}>
          {words.common.more}
        </button>
      )}
    </div>
  );
}

const keyOf = (c: TrialCase) => [c.device?.kind, c.device?.usb_id, c.device?.serial, c.print?.printer, c.decided, c.noted, c.now, c.rule, c.reason].join("\n");

interface RowProps {
  of: TrialCase;
  trial: Trial;
  label: (field: string, value: string) => string;
}

function Row({ of: c, trial, label }: RowProps) {
  const { words, session, language } = useDesk();
  const w = words.drives.trial;
  const field = c.device ? "access" : "action";
  const opens = trial.reads && may(session, "auditor", "viewer");
  const search = searchOf(trial, c);
  return (
    <tr>
      <th scope="row">
        {c.device && (
          <>
            <Text of={c.device.product || label("device_kind", c.device.kind)} /> <span class="mono quiet-text"><Text of={c.device.usb_id} /></span>
            <br />
            {c.device.serial ? <span class="mono"><Text of={c.device.serial} /></span> : <span class="quiet-text">{label("device_kind", c.device.kind)}</span>}
          </>
        )}
        {c.print && (
          <>
            <span class="quiet-text">{w.printing}</span> <Text of={c.print.printer} />
            {c.print.title && (
              <p class="quiet-text trial-title">
                {w.lastTitle}: <Text of={c.print.title} />
              </p>
            )}
          </>
        )}
      </th>
      <td class="trial-change">
        <span class={`access ${accessClass(c.was)}`}>{label(field, c.was)}</span>
        {c.noted && <span class="quiet-text"> ({label(field, c.decided)}, {w.noted})</span>}
        {c.effect !== "same" && (
          <>
            {" "}
            <span class="arrow" aria-hidden="true">→</span>
            <span class="unseen">{w.becomes}</span>{" "}
            <span class={`access ${accessClass(c.now)}`}>{label(field, c.now)}</span>
          </>
        )}
        <br />
        <span class={`trial-effect trial-effect-${c.effect}`}>{w.effect[c.effect]}</span>
      </td>
      <td>
        <span class="mono"><Text of={c.rule} /></span>
        <p class="quiet-text"><Text of={language === "ja" ? c.reason_ja : c.reason} /></p>
      </td>
      <td class="trial-times">
        {words.drives.times(c.times)}
        {c.print && <p class="quiet-text">{w.pages(c.print.pages)}</p>}
        {opens && (
          <p>
            <a href={routeText("/logs", search)}>{w.records}</a>
          </p>
        )}
      </td>
      <td><Counted of={c.hosts} /></td>
      <td><Counted of={c.users} /></td>
      <td>
        {c.last && <When of={c.last} {...(opens && c.records[0] ? { address: routeText("/logs", { ...search, open: c.records[0].row }) } : {})} />}
        {opens &&
          c.records.slice(1, 2).map((r) => r.time && <When key={r.row} of={r.time} address={routeText("/logs", { ...search, open: r.row })} quiet />)}
      </td>
    </tr>
  );
}

function accessClass(value: string): string {
  return value === "deny" ? "access-deny" : value === "read-only" || value === "hold" ? "access-read-only" : "access-read-write";
}

function When({ of, address, quiet }: { of: string; address?: string; quiet?: boolean }) {
  const { words, language } = useDesk();
  const time = (
    <time dateTime={of} title={momentOf(of)}>
      {quiet ? momentOf(of) : ago(of, Date.now(), language)}
    </time>
  );
  return (
    <p class={quiet ? "quiet-text" : undefined}>
      {address ? (
        <a href={address} title={words.drives.trial.open(momentOf(of))}>
          {time}
        </a>
      ) : (
        time
      )}
    </p>
  );
}

function Counted({ of }: { of: TrialWords }) {
  const { words, language } = useDesk();
  const w = words.drives.trial;
  const others = of.count - of.names.length;
  if (!of.count) return <>{words.common.none}</>;
  if (!of.names.length) return <>{w.many(of.count, of.more)}</>;
  return (
    <>
      <span class="unseen">{count(of.count, language)}: </span>
      <ul class="names">
        {of.names.slice(0, 4).map((n) => (
          <li key={n}>
            <Text of={n} />
          </li>
        ))}
      </ul>
      {(others > 0 || of.names.length > 4 || of.more) && <span class="quiet-text">{w.others(others + Math.max(0, of.names.length - 4))}{of.more ? "+" : ""}</span>}
    </>
  );
}

// One PC: its state, what it last said of itself, its chains; retiring and revoking it, with a reason and its name typed.
import { useState } from "preact/hooks";
import { api, type Host, type HostMore, type Record_ } from "../../core/api";
import { fieldLabel, may, useDesk, valueLabel } from "../../core/desk";
import { count, momentOf } from "../../core/format";
import { STATES_EVERY, useLive } from "../../core/live";
import { useResource } from "../../core/resource";
import { routeText } from "../../core/router";
import { useTask } from "../../ui/form";
import { Copy, Dialog, explain, Failure, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Facts } from "../logs/detail";
import { factText, plain } from "../../core/hostile";
import { StateOf } from "./pcs";

export function Pc({ id, newest, changed }: { id: string; newest: number; changed: () => void }) {
  const { words, session } = useDesk();
  const [ending, setEnding] = useState<Way | null>(null);
  const pc = useResource(`host ${id}`, (signal) => api.host(id, signal));
  useLive(() => pc.reload(), 5000, STATES_EVERY);
  const p = words.pcs;
  return (
    <div class="pc">
      <p class="quiet-text">
        <a href="#/pcs">{p.title}</a>
      </p>
      {pc.error && <Failure error={pc.error} retry={pc.reload} />}
      {!pc.data && !pc.error && <Loading />}
      {pc.data && (
        <>
          <div class="head-line">
            <h1>
              <Text of={pc.data.host.name || id.slice(0, 16)} />
            </h1>
            <StateOf host={pc.data.host} />
            {pc.data.host.forked && <span class="tag tag-alarm">{p.forked}</span>}
            {may(session, "auditor", "viewer") && (
              <a class="button" href={routeText("/logs", { host: pc.data.host.name || id, since: "-7d" })}>
                {p.toLogs}
              </a>
            )}
            {may(session, "administrator") && pc.data.host.state === "active" && (
              <button type="button" class="push" onClick={() => setEnding("retire")}>
                {p.retire.button}
              </button>
            )}
            {may(session, "administrator") && ["active", "retired"].includes(pc.data.host.state) && (
              <button type="button" class={pc.data.host.state === "active" ? "danger" : "danger push"} onClick={() => setEnding("revoke")}>
                {p.revoke.button}
              </button>
            )}
          </div>
          <More of={pc.data} newest={newest} />
          {ending && (
            <End
              way={ending}
              host={pc.data.host}
              close={(done) => {
                setEnding(null);
                if (done) {
                  pc.reload();
                  changed();
                }
              }}
            />
          )}
        </>
      )}
    </div>
  );
}

function More({ of, newest }: { of: HostMore; newest: number }) {
  const { words, language } = useDesk();
  const p = words.pcs;
  const h = of.host;
  return (
    <div class="columns">
      <section class="panel" aria-label={p.columns.state}>
        <dl class="facts">
          <div class="fact">
            <dt>{p.columns.seen}</dt>
            <dd>{h.seen ? momentOf(h.seen) : words.common.never}</dd>
          </div>
          <div class="fact">
            <dt>{p.columns.enrolled}</dt>
            <dd>{h.enrolled ? momentOf(h.enrolled) : words.common.never}</dd>
          </div>
          <div class="fact">
            <dt>{p.columns.policy}</dt>
            <dd>
              {h.policy || words.common.none}
              {h.policy > 0 && h.policy < newest && <span class="tag">{p.old}</span>}
            </dd>
          </div>
          <div class="fact">
            <dt>{p.columns.version}</dt>
            <dd>{h.version ? <Text of={h.version} /> : p.notSaid}</dd>
          </div>
          <div class="fact">
            <dt>{p.means}</dt>
            <dd>{h.means ? <span class="mono breakable">{h.means}</span> : p.notSaid}</dd>
          </div>
          <div class="fact">
            <dt>{p.columns.id}</dt>
            <dd>
              <span class="mono breakable">{h.id}</span>
              <Copy text={h.id} />
            </dd>
          </div>
        </dl>
        <h2>{p.chains}</h2>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{p.chain.producer}</th>
              <th scope="col">{p.chain.seq}</th>
              <th scope="col">{p.chain.heads}</th>
            </tr>
          </thead>
          <tbody>
            {of.chains.map((c) => (
              <tr key={c.producer}>
                <th scope="row">
                  <Text of={c.producer} />
                </th>
                <td class="number">{count(c.seq, language)}</td>
                <td>
                  {c.heads > 1 ? <span class="tag tag-alarm">{p.heads(c.heads)}</span> : p.heads(1)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Said title={p.recorder} record={of.recorder} />
      <Said title={p.guard} record={of.guard} />
      <Said title={p.proof} record={of.proof} />
      <Kept records={of.posture} />
    </div>
  );
}

function Said({ title, record }: { title: string; record: Record_ | null }) {
  const { words } = useDesk();
  return (
    <section class="panel said-panel" aria-label={title}>
      <h2>{title}</h2>
      {record ? <Facts record={record} /> : <p class="hint">{words.pcs.notSaid}</p>}
    </section>
  );
}

/** How it is kept: each check with what it was read from. */
function Kept({ records }: { records: Record_[] }) {
  const { words, vocabulary, language } = useDesk();
  const p = words.pcs;
  const fact = (r: Record_, name: string) => factText(r.facts[name]);
  return (
    <section class="panel said-panel" aria-label={p.posture}>
      <h2>{p.posture}</h2>
      {records.length === 0 && <p class="hint">{p.notSaid}</p>}
      {records.length > 0 && (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{fieldLabel(vocabulary, "check", language)}</th>
              <th scope="col">{fieldLabel(vocabulary, "state", language)}</th>
              <th scope="col">{fieldLabel(vocabulary, "text", language)}</th>
            </tr>
          </thead>
          <tbody>
            {[...records].reverse().map((r) => (
              <tr key={r.row}>
                <th scope="row">{valueLabel(vocabulary, "check", fact(r, "check"), language)}</th>
                <td>
                  <span class={fact(r, "state") === "weak" ? "tag tag-alarm" : "tag"} title={momentOf(r.facts.time)}>
                    {valueLabel(vocabulary, "state", fact(r, "state"), language)}
                  </span>
                </td>
                <td class="mono breakable">
                  <Text of={fact(r, "text")} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

type Way = "retire" | "revoke";

/** Out of use, or out of trust: both want a reason, and the name typed. */
function End({ way, host, close }: { way: Way; host: Host; close: (done: boolean) => void }) {
  const { words, say } = useDesk();
  const p = words.pcs;
  const w = p[way];
  const name = host.name || host.id.slice(0, 16);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [unheard, setUnheard] = useState(false);
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    run(async () => {
      if (way === "revoke") await api.revoke(host.id, reason.trim());
      else await api.retire(host.id, reason.trim(), unheard);
      say(w.done(plain(name)), true);
      close(true);
    });
  };
  const wrong = error && (error.word === "sending" ? p.retire.sending : error.word === "away" ? p.retire.away : explain(error, words));
  return (
    <Dialog title={w.title(plain(name))} close={() => close(false)}>
      <form class="stack" onSubmit={submit}>
        <p>{w.why}</p>
        <label class="field">
          {p.endReason}
          <input type="text" required maxLength={200} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
        </label>
        <label class="field">
          {p.endType(plain(name))}
          <input type="text" required autocomplete="off" spellcheck={false} value={typed} onInput={(e) => setTyped(e.currentTarget.value)} />
        </label>
        {way === "retire" && (!host.connected || error?.word === "away") && (
          <label class="inline">
            <input type="checkbox" checked={unheard} onChange={(e) => setUnheard(e.currentTarget.checked)} />
            {p.retire.unheard(host.seen ? momentOf(host.seen) : words.common.never)}
          </label>
        )}
        {wrong && (
          <p class="wrong" role="alert">
            {wrong}
          </p>
        )}
        <div class="actions">
          <button type="submit" class="danger" disabled={busy || typed !== plain(name) || !reason.trim()}>
            {w.go}
          </button>
          <button type="button" onClick={() => close(false)}>
            {words.common.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

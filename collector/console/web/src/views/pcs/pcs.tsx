// The PCs: who they are, whether they are heard of, what policy they obey; from here into one of them, and to enrolling another.
import { useState } from "preact/hooks";
import { api, type Host } from "../../core/api";
import { may, useDesk } from "../../core/desk";
import { ago, dayOf, momentOf } from "../../core/format";
import { STATES_EVERY, useLive } from "../../core/live";
import { useResource } from "../../core/resource";
import type { Route } from "../../core/router";
import { Empty, Failure, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Enrol, Tokens } from "./enrol";
import { Pc } from "./pc";

export type Status = "connected" | "away" | "asleep" | "silent" | "revoked" | "retired" | "unknown";

export function statusOf(h: Host): Status {
  if (h.state !== "active") return h.state;
  return h.asleep ? "asleep" : h.silent ? "silent" : h.connected ? "connected" : "away";
}

/** What it is now; of one that sleeps also since when. */
export function StateOf({ host: h }: { host: Host }) {
  const { words } = useDesk();
  return (
    <>
      <StatusMark of={statusOf(h)} />{" "}
      {h.asleep && statusOf(h) === "asleep" && <time class="quiet-text" dateTime={h.asleep}>{words.pcs.since(momentOf(h.asleep))}</time>}
    </>
  );
}

export function StatusMark({ of }: { of: Status }) {
  const { words } = useDesk();
  return (
    <span class={`status status-${of}`}>
      <span class="dot" aria-hidden="true" />
      {words.pcs.status[of]}
    </span>
  );
}

/** All pages: a fleet has thousands of PCs at most, and a person looks for one by name. */
async function allHosts(signal: AbortSignal): Promise<{ hosts: Host[]; policy: number }> {
  const hosts: Host[] = [];
  let cursor: string | null = null;
  let policy = 0;
  do {
    const page = await api.hosts(cursor, signal);
    hosts.push(...page.hosts);
    policy = page.policy;
    cursor = page.next;
  } while (cursor !== null && hosts.length < 20_000);
  return { hosts, policy };
}

export function Pcs({ route }: { route: Route }) {
  const { words, session, language } = useDesk();
  const [enrolling, setEnrolling] = useState(false);
  const [find, setFind] = useState("");
  const [state, setState] = useState<Status | "">("");
  const list = useResource("hosts", allHosts);
  useLive(() => list.reload(), 5000, STATES_EVERY);
  const id = route.path.split("/")[2];
  if (id) return <Pc id={id} newest={list.data?.policy ?? 0} changed={list.reload} />;
  const p = words.pcs;
  const wanted = find.trim().toLowerCase();
  const hosts = list.data?.hosts ?? [];
  const shown = hosts.filter((h) => (!wanted || h.name.toLowerCase().includes(wanted) || h.id.startsWith(wanted)) && (!state || statusOf(h) === state));
  const states = [...new Set(hosts.map(statusOf))];
  const now = Date.now();
  return (
    <div class="pcs">
      <div class="head-line">
        <h1>{p.title}</h1>
        <input type="search" data-find aria-label={p.find} placeholder={p.find} value={find} onInput={(e) => setFind(e.currentTarget.value)} />
        <select aria-label={p.state} value={state} onChange={(e) => setState(e.currentTarget.value as Status | "")}>
          <option value="">{p.all}</option>
          {states.map((s) => (
            <option key={s} value={s}>
              {p.status[s]}
            </option>
          ))}
        </select>
        <span class="list-count" role="status">
          {list.data && p.shown(shown.length)}
        </span>
        {may(session, "administrator") && (
          <button type="button" class="main push" onClick={() => setEnrolling(true)}>
            {p.enrol}
          </button>
        )}
      </div>
      {list.error && <Failure error={list.error} retry={list.reload} />}
      {!list.data && !list.error && <Loading />}
      {list.data && hosts.length === 0 && <Empty>{p.none}</Empty>}
      {list.data && hosts.length > 0 && shown.length === 0 && <Empty>{p.noneMatch}</Empty>}
      {shown.length > 0 && (
        <div class="table-room" tabIndex={0} role="region" aria-label={p.title}>
          <table class="plain pcs">
            <thead>
              <tr>
                <th scope="col">{p.columns.name}</th>
                <th scope="col">{p.columns.state}</th>
                <th scope="col">{p.columns.seen}</th>
                <th scope="col">{p.columns.policy}</th>
                <th scope="col">{p.columns.version}</th>
                <th scope="col">{p.columns.enrolled}</th>
                <th scope="col">{p.columns.id}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((h) => (
                <tr key={h.id}>
                  <th scope="row">
                    <a href={`#/pcs/${h.id}`}>
                      <Text of={h.name || h.id.slice(0, 16)} />
                    </a>
                  </th>
                  <td>
                    <StateOf host={h} />
                    {h.forked && <span class="tag tag-alarm">{p.forked}</span>}
                  </td>
                  <td>{h.seen ? <time dateTime={h.seen} title={momentOf(h.seen)}>{ago(h.seen, now, language)}</time> : words.common.never}</td>
                  <td>
                    {h.policy || <span class="quiet-text">{words.common.none}</span>}
                    {h.policy > 0 && h.policy < (list.data?.policy ?? 0) && <span class="tag">{p.old}</span>}
                  </td>
                  <td>{h.version ? <Text of={h.version} cut /> : <span class="quiet-text">{words.common.none}</span>}</td>
                  <td>{h.enrolled && dayOf(h.enrolled)}</td>
                  <td class="mono quiet-text">{h.id.slice(0, 16)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {may(session, "administrator") && <Tokens again={enrolling} />}
      {enrolling && <Enrol close={() => setEnrolling(false)} />}
    </div>
  );
}

// The newest policy on its way: which PC has it in force, live.
import { useEffect } from "preact/hooks";
import { api } from "../../core/api";
import { useDesk } from "../../core/desk";
import { ago, count, momentOf } from "../../core/format";
import { useLive } from "../../core/live";
import { useResource } from "../../core/resource";
import { Empty, Failure, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";

export function Arrival() {
  const { words, language } = useDesk();
  const d = words.drives;
  const status = useResource("policy status", (signal) => api.policyStatus(signal));
  useLive((kinds) => {
    if (kinds["policy"] || kinds["policy-refused"] || kinds["admin"]) status.reload();
  }, 700);
  const s = status.data;
  // PCs tell of it within a second or two; what is told by none of them (they went away) is looked at now and then.
  useEffect(() => {
    if (!s || s.behind === 0) return;
    const timer = setInterval(status.reload, 5000);
    return () => clearInterval(timer);
  }, [s?.behind === 0, status.reload]);
  if (status.error && !s) return <Failure error={status.error} retry={status.reload} />;
  if (!s) return <Loading />;
  if (!s.version) return <Empty>{d.versionNone}</Empty>;
  if (!s.hosts.length) return <Empty>{d.arrivalNone}</Empty>;
  const all = s.in_force + s.behind + s.away;
  const now = Date.now();
  const stateOf = (h: (typeof s.hosts)[number]) => (h.policy >= s.version ? "in" : h.connected ? "behind" : "away");
  const label = { in: d.inForce, behind: d.behind, away: d.away };
  const parts = [
    ["in", s.in_force],
    ["behind", s.behind],
    ["away", s.away],
  ] as const;
  return (
    <div>
      <h2 class="unseen">
        {d.arrival}
      </h2>
      <p class="arrival-line" role="status">
        {d.arrivalSay(s.in_force, all)}
      </p>
      <div class="arrival-bar" aria-hidden="true">
        {parts.map(([what, n]) => n > 0 && <div key={what} class={`arrival-${what}`} style={{ flexGrow: n }} />)}
      </div>
      <ul class="legend">
        {parts.map(([what, n]) => (
          <li key={what}>
            <span class={`dot arrival-${what}`} aria-hidden="true" />
            {label[what]} <strong>{count(n, language)}</strong>
          </li>
        ))}
      </ul>
      <div class="table-room" tabIndex={0} role="region" aria-label={d.arrival}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{words.pcs.columns.name}</th>
              <th scope="col">{words.pcs.columns.state}</th>
              <th scope="col">{words.pcs.columns.policy}</th>
              <th scope="col">{words.pcs.columns.seen}</th>
            </tr>
          </thead>
          <tbody>
            {[...s.hosts]
              .sort((a, b) => a.policy - b.policy || a.name.localeCompare(b.name))
              .map((h) => (
                <tr key={h.id}>
                  <th scope="row">
                    <a href={`#/pcs/${h.id}`}>
                      <Text of={h.name || h.id.slice(0, 16)} />
                    </a>
                  </th>
                  <td>
                    <span class="status">
                      <span class={`dot arrival-${stateOf(h)}`} aria-hidden="true" />
                      {label[stateOf(h)]}
                    </span>
                  </td>
                  <td class="number">{h.policy || words.common.none}</td>
                  <td>{h.seen && <time dateTime={h.seen} title={momentOf(h.seen)}>{ago(h.seen, now, language)}</time>}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

// Alerts: what the rules of the herald found, newest first; open ones until somebody says what was found. Live.
import { useState } from "preact/hooks";
import { api, type Alert, type Refusal } from "../core/api";
import { useDesk } from "../core/desk";
import { count, momentOf } from "../core/format";
import { useLive } from "../core/live";
import { toRefusal, useResource } from "../core/resource";
import { routeText } from "../core/router";
import { Dialog, Empty, explain, Failure, Icon, Loading } from "../ui/parts";
import { Text } from "../ui/text";

const DAYS = [7, 30, 90, 366];

export function Alerts() {
  const { words } = useDesk();
  const a = words.alerts;
  const [days, setDays] = useState(30);
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState<Alert | null>(null);
  const alerts = useResource(`alerts ${days}`, (signal) => api.alerts(days, signal));
  useLive((kinds) => {
    if (kinds["alert"] || kinds["alert-acknowledged"] || kinds["alert-unsent"]) alerts.reload();
  });
  // The server has them by when they were recorded; what is shown beside each is when it happened.
  const shown = (alerts.data?.alerts.filter((x) => all || !x.acknowledged) ?? []).sort((x, y) => Date.parse(y.time) - Date.parse(x.time));
  return (
    <div>
      <h1>{a.title}</h1>
      <div class="list-bar">
        <div class="switch" role="group" aria-label={a.which}>
          {[false, true].map((x) => (
            <button key={String(x)} type="button" aria-pressed={all === x} onClick={() => setAll(x)}>
              {x ? a.all : a.open}
            </button>
          ))}
        </div>
        <label class="inline">
          {a.days}
          <select value={String(days)} onChange={(e) => setDays(Number(e.currentTarget.value))}>
            {DAYS.map((n) => (
              <option key={n} value={String(n)}>
                {words.drives.daysOf(n)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {alerts.error && <Failure error={alerts.error} retry={alerts.reload} />}
      {!alerts.data && !alerts.error && <Loading />}
      {alerts.data && shown.length === 0 && <Empty>{all ? a.none : a.noneOpen}</Empty>}
      {shown.length > 0 && <List of={shown} choose={setChosen} />}
      {alerts.data && !alerts.data.complete && <p class="hint">{a.cut}</p>}
      {chosen && (
        <Acknowledge
          of={chosen}
          close={(done) => {
            setChosen(null);
            if (done) alerts.reload();
          }}
        />
      )}
    </div>
  );
}

function List({ of, choose }: { of: Alert[]; choose: (a: Alert) => void }) {
  const { words } = useDesk();
  const a = words.alerts;
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label={a.title}>
      <table class="plain alerts">
        <thead>
          <tr>
            <th scope="col">{a.columns.what}</th>
            <th scope="col">{a.columns.where}</th>
            <th scope="col">{a.columns.who}</th>
            <th scope="col">{a.columns.when}</th>
            <th scope="col">{a.columns.state}</th>
          </tr>
        </thead>
        <tbody>
          {of.map((x) => (
            <Row key={x.id} of={x} choose={() => choose(x)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ of: x, choose }: { of: Alert; choose: () => void }) {
  const { words, language } = useDesk();
  const a = words.alerts;
  return (
    <tr>
      <th scope="row" class={`severity-${x.severity}`}>
        <span class="severity">{words.overview.severity[x.severity]}</span>{" "}
        <a href={routeText("/logs", { since: "all", open: x.about ?? x.row })}>
          <Text of={x.title} />
        </a>
        {x.count > 1 && <span class="times"> × {count(x.count, language)}</span>}
        {x.unsent.map((u) => (
          <p key={u} class="caution">
            {a.unsent} <Text of={u} />
          </p>
        ))}
      </th>
      <td>{x.host_id ? <a href={`#/pcs/${x.host_id}`}><Text of={x.host} /></a> : <Text of={x.host} />}</td>
      <td>{x.user === "" ? <span class="quiet-text">–</span> : <Text of={x.user} />}</td>
      <td>
        <time dateTime={x.time}>{momentOf(x.time)}</time>
      </td>
      <td>
        {x.acknowledged ? (
          <>
            <span class="done">
              <Icon name="check" />
              <Text of={x.acknowledged.by} />
            </span>{" "}
            <time class="quiet-text" dateTime={x.acknowledged.time}>
              {momentOf(x.acknowledged.time)}
            </time>
            <p>
              <Text of={x.acknowledged.comment} />
            </p>
          </>
        ) : (
          <button type="button" aria-label={`${a.acknowledge}: ${x.title}, ${x.host}`} onClick={choose}>
            {a.acknowledge}
          </button>
        )}
      </td>
    </tr>
  );
}

function Acknowledge({ of: x, close }: { of: Alert; close: (done: boolean) => void }) {
  const { words, say } = useDesk();
  const a = words.alerts;
  const [comment, setComment] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refusal | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await api.acknowledge(x.row, comment.trim());
      say(a.acknowledged, true);
      close(true);
    } catch (e) {
      setError(toRefusal(e));
      setBusy(false);
    }
  };
  return (
    <Dialog title={a.acknowledge} close={() => close(false)}>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        <p>
          <Text of={x.title} /> (<Text of={x.host} />, {momentOf(x.time)})
        </p>
        <label class="field">
          {a.comment}
          <textarea rows={4} maxLength={300} required value={comment} onInput={(e) => setComment(e.currentTarget.value)} />
        </label>
        <p class="hint">{a.commentWhy}</p>
        {error && (
          <p class="wrong" role="alert">
            {error.word === "acknowledged" ? a.before : explain(error, words)}
          </p>
        )}
        <div class="actions">
          <button type="submit" class="main" disabled={busy || !comment.trim()}>
            {a.acknowledge}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

// What was plugged in and is not in the ledger, with where and by whom; one step puts it into the draft, read-only, for a person to decide.
import { useMemo, useState } from "preact/hooks";
import { api, type Policy, type Unlisted } from "../../core/api";
import { may, useDesk } from "../../core/desk";
import { dayOf, momentOf } from "../../core/format";
import { useLive } from "../../core/live";
import { useResource } from "../../core/resource";
import { routeText } from "../../core/router";
import { editDraft, useDraft } from "../../policy/draft";
import { hasLine, ledgerText, parseLedger, withLine } from "../../policy/ledger";
import { Empty, Failure, Icon, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";

const DAYS = [7, 30, 90, 366];

export function Seen({ policy, write }: { policy: Policy; write: boolean }) {
  const { words } = useDesk();
  const d = words.drives;
  const [days, setDays] = useState(90);
  const seen = useResource(`unlisted ${days} ${policy.version}`, (signal) => api.unlisted(days, signal));
  const draft = useDraft();
  const csv = draft?.devices_csv ?? policy.devices_csv;
  const ledger = useMemo(() => {
    try {
      return parseLedger(csv);
    } catch {
      return null;
    }
  }, [csv]);
  useLive((kinds) => {
    if (kinds["plug"]) seen.reload();
  });
  return (
    <div>
      <div class="list-bar">
        <label class="inline">
          {d.days}
          <select value={String(days)} onChange={(e) => setDays(Number(e.currentTarget.value))}>
            {DAYS.map((n) => (
              <option key={n} value={String(n)}>
                {d.daysOf(n)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {seen.error && <Failure error={seen.error} retry={seen.reload} />}
      {!seen.data && !seen.error && <Loading />}
      {seen.data && seen.data.devices.length === 0 && <Empty>{d.seenNone}</Empty>}
      {seen.data && seen.data.devices.length > 0 && (
        <div class="table-room" tabIndex={0} role="region" aria-label={d.tabs.seen}>
          <table class="plain unlisted">
            <thead>
              <tr>
                <th scope="col">{d.columns.device}</th>
                <th scope="col">{d.columns.serial}</th>
                <th scope="col">{d.columns.seen}</th>
                <th scope="col">{d.columns.where}</th>
                <th scope="col">{d.columns.who}</th>
                {write && <th scope="col">{d.columns.act}</th>}
              </tr>
            </thead>
            <tbody>
              {seen.data.devices.map((u) => (
                <Device
                  key={`${u.usb_id} ${u.serial} ${u.fingerprint}`}
                  of={u}
                  listed={ledger !== null && hasLine(ledger, u.ledger)}
                  {...(write && ledger ? { add: () => editDraft(policy, () => ({ devices_csv: ledgerText(withLine(ledger, u.ledger)) })) } : {})}
                  write={write}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {seen.data && !seen.data.complete && <p class="hint">{d.seenCut}</p>}
    </div>
  );
}

function Device({ of: u, listed, add, write }: { of: Unlisted; listed: boolean; add?: () => void; write: boolean }) {
  const { words, session, say } = useDesk();
  const d = words.drives;
  const name = [u.maker, u.product].filter(Boolean).join(" ");
  return (
    <tr>
      <th scope="row">
        <Text of={name || u.usb_id} /> <span class="mono quiet-text">{u.usb_id}</span>
        {u.warning !== "none" && <p class="caution">{d.warnings[u.warning]}</p>}
      </th>
      <td class="mono">
        {u.serial ? (
          may(session, "auditor", "viewer") ? <a href={routeText("/trace/drive", { device: u.serial })}><Text of={u.serial} /></a> : <Text of={u.serial} />
        ) : (
          <span class="quiet-text">{d.noSerial}</span>
        )}
      </td>
      <td>
        {d.times(u.times)}
        <br />
        <time class="quiet-text" dateTime={u.last} title={`${momentOf(u.first)} – ${momentOf(u.last)}`}>
          {dayOf(u.first) !== dayOf(u.last) && <span class="whole">{dayOf(u.first)} –</span>}{" "}
          <span class="whole">{dayOf(u.last)}</span>
        </time>
      </td>
      <td><Names of={u.hosts} /></td>
      <td><Names of={u.users} /></td>
      {write && (
        <td>
          {listed ? (
            <span class="done">
              <Icon name="check" />
              {d.added}
            </span>
          ) : (
            <button
              type="button"
              disabled={!add}
              onClick={() => {
                add?.();
                say(d.inDraft(1), true);
              }}
            >
              {d.approve}
            </button>
          )}
        </td>
      )}
    </tr>
  );
}

function Names({ of }: { of: string[] }) {
  return (
    <ul class="names">
      {of.map((n) => (
        <li key={n}>
          <Text of={n} />
        </li>
      ))}
    </ul>
  );
}

// For administrators: who may sign in here and with what; taking a lost passkey away.
import { useState } from "preact/hooks";
import { api, type Passkey } from "../core/api";
import { useDesk } from "../core/desk";
import { momentOf } from "../core/format";
import { plain } from "../core/hostile";
import { useResource } from "../core/resource";
import { useTask, Wrong } from "../ui/form";
import { Dialog, Failure, Loading } from "../ui/parts";
import { Text } from "../ui/text";

interface Lost {
  account: string;
  passkey: Passkey;
}

export function People() {
  const { words, say } = useDesk();
  const p = words.people;
  const all = useResource("people", (signal) => api.people(signal));
  const [lost, setLost] = useState<Lost | null>(null);
  return (
    <section class="panel wide-panel" aria-labelledby="people-title">
      <h2 id="people-title">{p.title}</h2>
      <p class="hint">{p.why}</p>
      {all.error && <Failure error={all.error} retry={all.reload} />}
      {!all.data && !all.error && <Loading />}
      {all.data && (
        <div class="table-room" tabIndex={0} role="region" aria-label={`${p.title}: ${p.factors}`}>
          <table class="plain people">
            <thead>
              <tr>
                <th scope="col">{p.account}</th>
                <th scope="col">{words.account.roles}</th>
                <th scope="col">{p.factors}</th>
                <th scope="col">{p.signedIn}</th>
              </tr>
            </thead>
            <tbody>
              {all.data.people.map((one) => (
                <tr key={one.account}>
                  <th scope="row">
                    <Text of={one.account} />
                    {one.disabled && <span class="quiet-text"> ({p.disabled})</span>}
                  </th>
                  <td>{one.roles.map((r) => words.roles[r]).join(", ")}</td>
                  <td>
                    {!one.codes && !one.passkeys.length && !one.certificates.length && <span class="quiet-text">{p.noFactor}</span>}
                    <ul class="factors">
                      {one.codes && <li>{p.codes}</li>}
                      {one.recovery && (
                        <li>
                          {words.factors.recoveryTitle}: {words.factors.recoveryLeft(one.recovery.left, one.recovery.of)}
                        </li>
                      )}
                      {one.oidc && (
                        <li>
                          {words.provider.title}: <Text of={one.oidc.subject} />
                        </li>
                      )}
                      {one.certificates.map((k) => (
                        <li key={k.fingerprint}>
                          {words.certificates.one}: <Text of={k.name || words.certificates.noName} />{" "}
                          <span class="quiet-text">
                            ({words.certificates.until} {momentOf(k.not_after)})
                          </span>
                        </li>
                      ))}
                      {one.passkeys.map((k) => (
                        <li key={k.id}>
                          <Text of={k.name} />{" "}
                          <button
                            type="button"
                            class="quiet"
                            aria-label={p.removeTitle(plain(k.name), plain(one.account))}
                            onClick={() => setLost({ account: one.account, passkey: k })}
                          >
                            {words.passkeys.remove}
                          </button>
                        </li>
                      ))}
                    </ul>
                  </td>
                  <td>{one.signed_in ? momentOf(one.signed_in) : words.passkeys.never}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {lost && (
        <RemoveLost
          lost={lost}
          close={(disabled) => {
            setLost(null);
            if (disabled === null) return;
            all.reload();
            say(disabled ? p.removedDisabled : p.removed, true);
          }}
        />
      )}
    </section>
  );
}

function RemoveLost({ lost, close }: { lost: Lost; close: (disabled: boolean | null) => void }) {
  const { words } = useDesk();
  const { busy, error, run } = useTask();
  const remove = () =>
    run(async () => {
      close((await api.peoplePasskeyRemove(lost.account, lost.passkey.id)).disabled);
    });
  return (
    <Dialog title={words.people.removeTitle(plain(lost.passkey.name), plain(lost.account))} close={() => close(null)}>
      <div class="stack">
        <p>{words.people.removeWhy}</p>
        <Wrong error={error} unauthorized={words.signIn.ended} />
        <button type="button" class="main" disabled={busy} onClick={remove}>
          {words.passkeys.remove}
        </button>
      </div>
    </Dialog>
  );
}

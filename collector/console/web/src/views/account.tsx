// Who is signed in, with what rights; another password; the key of the log, for whoever wants to check without this server.
import { useState } from "preact/hooks";
import { api, type Session } from "../core/api";
import { may, useDesk } from "../core/desk";
import { momentOf, span } from "../core/format";
import { useResource } from "../core/resource";
import { Copy, Failure, Loading } from "../ui/parts";
import { Text } from "../ui/text";
import { MyFactors } from "./passkeys";
import { People } from "./people";
import { NewPassword } from "./sign_in";

export function Account({ enter }: { enter: (s: Session) => void }) {
  const { words, language, session, say } = useDesk();
  const [turn, setTurn] = useState(0);
  const log = useResource("log", (signal) => api.log(signal));
  const a = words.account;
  return (
    <div class="account">
      <h1>{a.title}</h1>
      <div class="columns">
        <section class="panel">
          <dl class="facts">
            <div class="fact">
              <dt>{a.who}</dt>
              <dd>
                <strong><Text of={session.account} /></strong>
              </dd>
            </div>
            <div class="fact">
              <dt>{a.roles}</dt>
              <dd>{session.roles.map((r) => words.roles[r]).join(", ")}</dd>
            </div>
            <div class="fact">
              <dt>{a.scope}</dt>
              <dd>{session.scope ? <Text of={session.scope.join(", ")} /> : a.scopeAll}</dd>
            </div>
            <div class="fact">
              <dt>{a.until}</dt>
              <dd>{momentOf(session.expires)}</dd>
            </div>
            <div class="fact">
              <dt>{a.idle}</dt>
              <dd>{span(session.idle_seconds * 1e6, language)}</dd>
            </div>
          </dl>
        </section>
        <section class="panel" aria-labelledby="password-title">
          <h2 id="password-title">{a.password}</h2>
          <NewPassword
            key={turn}
            done={(s) => {
              enter(s);
              setTurn(turn + 1);
              say(a.passwordDone, true);
            }}
          />
        </section>
        <MyFactors enter={enter} />
        {may(session, "administrator") && <People />}
        <section class="panel wide-panel" aria-labelledby="log-title">
          <h2 id="log-title">{a.log}</h2>
          <p class="hint">{a.logWhy}</p>
          {log.error && <Failure error={log.error} retry={log.reload} />}
          {!log.data && !log.error && <Loading />}
          {log.data && (
            <dl class="facts">
              <div class="fact">
                <dt>{a.origin}</dt>
                <dd>
                  <Text of={log.data.origin} />
                </dd>
              </div>
              <div class="fact">
                <dt>{a.vkey}</dt>
                <dd>
                  <span class="mono breakable">{log.data.vkey}</span>
                  <Copy text={log.data.vkey} />
                </dd>
              </div>
              <div class="fact">
                <dt>{a.checkpoint}</dt>
                <dd>
                  <pre class="mono" tabIndex={0} role="region" aria-label={a.checkpoint}>
                    {log.data.checkpoint}
                  </pre>
                  <Copy text={log.data.checkpoint} />
                </dd>
              </div>
            </dl>
          )}
        </section>
      </div>
    </div>
  );
}

// A person's own passkeys: which there are, another one, one less. And all else that they sign in with, below.
import { useState } from "preact/hooks";
import { api, useToken, type Passkey, type Passkeys, type Proof, type Session, type Ways } from "../core/api";
import { useDesk, useWords } from "../core/desk";
import { momentOf } from "../core/format";
import { plain } from "../core/hostile";
import { makePasskey, passkeysHere, PasskeyStopped } from "../core/passkey";
import { useResource } from "../core/resource";
import { Field, useTask, Wrong } from "../ui/form";
import { Dialog, Failure, Loading } from "../ui/parts";
import { Text } from "../ui/text";
import { BoundCertificates, BoundProvider } from "./certificates";
import { Codes, Recovery } from "./codes";
import { Others } from "./others";
import { Prove } from "./second";

async function make(name: string, proof: Proof): Promise<Session> {
  const made = await makePasskey(await api.passkeyChallenge(proof));
  const session = await api.passkeyAdd(name.trim(), made);
  useToken(session);
  return session;
}

function NameField({ name, set }: { name: string; set: (v: string) => void }) {
  const { words } = useWords();
  return <Field label={words.passkeys.name} hint={words.passkeys.nameHint} type="text" complete="off" most={64} value={name} set={set} required first />;
}

/** The very first factor: a name, then the browser's own window. */
export function FirstPasskey({ done }: { done: (s: Session) => void }) {
  const { words } = useWords();
  const [name, setName] = useState("");
  const [own, setOwn] = useState<string | null>(null);
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setOwn(null);
    run(async () => {
      try {
        done(await make(name, null));
      } catch (e) {
        if (!(e instanceof PasskeyStopped)) throw e;
        setOwn(e.known ? words.passkeys.known : words.passkeys.notMade);
      }
    });
  };
  return (
    <form class="stack" onSubmit={submit}>
      <NameField name={name} set={setName} />
      {own ? (
        <p class="wrong" role="alert">
          {own}
        </p>
      ) : (
        <Wrong error={error} unauthorized={words.signIn.ended} />
      )}
      <button type="submit" class="main" disabled={busy || !name.trim()}>
        {words.passkeys.add}
      </button>
    </form>
  );
}

function Add({ own, close }: { own: Passkeys; close: (made: Session | null) => void }) {
  const { words } = useDesk();
  const [name, setName] = useState("");
  return (
    <Dialog title={words.passkeys.add} close={() => close(null)}>
      <Prove own={own} label={words.passkeys.add} ready={name.trim() !== ""} go={async (proof) => close(await make(name, proof))}>
        <NameField name={name} set={setName} />
      </Prove>
    </Dialog>
  );
}

function Remove({ own, passkey, close }: { own: Passkeys; passkey: Passkey; close: (left: Passkeys | null) => void }) {
  const { words } = useDesk();
  return (
    <Dialog title={words.passkeys.removeOne(plain(passkey.name))} close={() => close(null)}>
      <Prove own={own} label={words.passkeys.remove} go={async (proof) => close(await api.passkeyRemove(passkey.id, proof))}>
        <p>{words.passkeys.removeWhy}</p>
      </Prove>
    </Dialog>
  );
}

/** All that somebody signs in with, beside the password. */
export function MyFactors({ enter }: { enter: (s: Session) => void }) {
  const { words, say } = useDesk();
  const own = useResource("passkeys", (signal) => api.passkeys(signal));
  const ways = useResource("ways", () => api.ways());
  const error = own.error ?? ways.error;
  const changed = (text: string, session?: Session) => {
    if (session) enter(session);
    own.reload();
    say(text, true);
  };
  if (!own.data || !ways.data)
    return (
      <section class="panel" aria-labelledby="passkeys-title">
        <h2 id="passkeys-title">{words.passkeys.title}</h2>
        {error ? <Failure error={error} retry={() => (own.reload(), ways.reload())} /> : <Loading />}
      </section>
    );
  return (
    <>
      <MyPasskeys own={own.data} ways={ways.data} changed={changed} />
      <Codes own={own.data} changed={changed} />
      <Recovery own={own.data} reload={own.reload} />
      <BoundCertificates list={own.data.certificates} />
      {own.data.oidc && <BoundProvider person={own.data.oidc} />}
      <Others own={own.data} />
    </>
  );
}

function MyPasskeys({ own, ways, changed }: { own: Passkeys; ways: Ways; changed: (text: string, session?: Session) => void }) {
  const { words } = useDesk();
  const p = words.passkeys;
  const [adding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<Passkey | null>(null);
  return (
    <section class="panel" aria-labelledby="passkeys-title">
      <h2 id="passkeys-title">{p.title}</h2>
      <p class="hint">{p.why}</p>
      {!own.passkeys.length && <p>{p.none}</p>}
      {own.passkeys.length > 0 && (
        <ul class="passkeys">
          {own.passkeys.map((k) => (
            <li key={k.id}>
              <div>
                <strong>
                  <Text of={k.name} />
                </strong>
                <p class="hint">
                  {p.created} {momentOf(k.created ?? "")}; {p.used} {k.used ? momentOf(k.used) : p.never}
                </p>
              </div>
              <button type="button" aria-label={p.removeOne(plain(k.name))} onClick={() => setRemoved(k)}>
                {p.remove}
              </button>
            </li>
          ))}
        </ul>
      )}
      {!passkeysHere(ways) ? (
        <p class="hint">{ways.passkeys && ways.origin ? p.elsewhere(ways.origin) : p.impossible}</p>
      ) : (
        own.passkeys.length < own.most && (
          <div class="actions">
            <button type="button" onClick={() => setAdding(true)}>
              {p.add}
            </button>
          </div>
        )
      )}
      {adding && (
        <Add
          own={own}
          close={(made) => {
            setAdding(false);
            if (made) changed(p.added, made);
          }}
        />
      )}
      {removed && (
        <Remove
          own={own}
          passkey={removed}
          close={(left) => {
            setRemoved(null);
            if (left) changed(p.removed);
          }}
        />
      )}
    </section>
  );
}

// A person's own passkeys: which there are, another one, one less.
import { useState } from "preact/hooks";
import { api, useToken, type Passkey, type Passkeys, type Session, type Ways } from "../core/api";
import { useDesk, useWords } from "../core/desk";
import { momentOf } from "../core/format";
import { plain } from "../core/hostile";
import { makePasskey, passkeysHere, PasskeyStopped } from "../core/passkey";
import { useResource } from "../core/resource";
import { Field, useTask, Wrong } from "../ui/form";
import { BoundCertificates, BoundProvider } from "./certificates";
import { Dialog, Failure, Loading } from "../ui/parts";
import { Text } from "../ui/text";

/** A name and, unless it is the `first` factor, the password; then the browser's own window. */
export function NewPasskey({ first, done }: { first?: boolean; done: (s: Session) => void }) {
  const { words } = useWords();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [own, setOwn] = useState<string | null>(null);
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setOwn(null);
    run(async () => {
      try {
        const made = await makePasskey(await api.passkeyChallenge(first ? null : password));
        const session = await api.passkeyAdd(name.trim(), made);
        useToken(session);
        done(session);
      } catch (e) {
        if (!(e instanceof PasskeyStopped)) throw e;
        setOwn(e.known ? words.passkeys.known : words.passkeys.notMade);
      } finally {
        setPassword("");
      }
    });
  };
  return (
    <form class="stack" onSubmit={submit}>
      <Field label={words.passkeys.name} hint={words.passkeys.nameHint} type="text" complete="off" most={64} value={name} set={setName} required />
      {!first && <Field label={words.passkeys.password} type="password" complete="current-password" value={password} set={setPassword} required />}
      {own ? (
        <p class="wrong" role="alert">
          {own}
        </p>
      ) : (
        <Wrong error={error} unauthorized={words.account.passwordWrong} />
      )}
      <button type="submit" class="main" disabled={busy || !name.trim()}>
        {words.passkeys.add}
      </button>
    </form>
  );
}

function Remove({ passkey, close }: { passkey: Passkey; close: (left: Passkeys | null) => void }) {
  const { words } = useDesk();
  const [password, setPassword] = useState("");
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    run(async () => {
      try {
        close(await api.passkeyRemove(passkey.id, password));
      } finally {
        setPassword("");
      }
    });
  };
  return (
    <Dialog title={words.passkeys.removeOne(plain(passkey.name))} close={() => close(null)}>
      <form class="stack" onSubmit={submit}>
        <p>{words.passkeys.removeWhy}</p>
        <Field label={words.passkeys.password} type="password" complete="current-password" value={password} set={setPassword} required first />
        {error?.word === "last" ? (
          <p class="wrong" role="alert">
            {words.passkeys.last}
          </p>
        ) : (
          <Wrong error={error} unauthorized={words.account.passwordWrong} />
        )}
        <button type="submit" class="main" disabled={busy}>
          {words.passkeys.remove}
        </button>
      </form>
    </Dialog>
  );
}

export function MyPasskeys({ enter }: { enter: (s: Session) => void }) {
  const { words, say } = useDesk();
  const p = words.passkeys;
  const own = useResource("passkeys", (signal) => api.passkeys(signal));
  const ways = useResource("ways", () => api.ways());
  const [removed, setRemoved] = useState<Passkey | null>(null);
  const [turn, setTurn] = useState(0);
  const list = own.data;
  const error = own.error ?? ways.error;
  return (
    <>
    <section class="panel" aria-labelledby="passkeys-title">
      <h2 id="passkeys-title">{p.title}</h2>
      <p class="hint">{p.why}</p>
      {error && <Failure error={error} retry={() => (own.reload(), ways.reload())} />}
      {!list && !error && <Loading />}
      {list && !list.passkeys.length && <p>{p.none}</p>}
      {list && list.passkeys.length > 0 && (
        <ul class="passkeys">
          {list.passkeys.map((k) => (
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
      {list && ways.data && list.passkeys.length < list.most && (
        <Add
          key={turn}
          ways={ways.data}
          done={(s) => {
            enter(s);
            setTurn(turn + 1);
            own.reload();
            say(p.added, true);
          }}
        />
      )}
      {removed && (
        <Remove
          passkey={removed}
          close={(left) => {
            setRemoved(null);
            if (!left) return;
            own.reload();
            say(p.removed, true);
          }}
        />
      )}
    </section>
    {list && <BoundCertificates list={list.certificates} />}
    {list?.oidc && <BoundProvider person={list.oidc} />}
    </>
  );
}

function Add({ ways, done }: { ways: Ways; done: (s: Session) => void }) {
  const { words } = useDesk();
  if (passkeysHere(ways)) return <NewPasskey done={done} />;
  return <p class="hint">{ways.passkeys && ways.origin ? words.passkeys.elsewhere(ways.origin) : words.passkeys.impossible}</p>;
}

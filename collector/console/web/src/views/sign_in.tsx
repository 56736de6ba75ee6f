// Signing in: account and password, then a second factor of those that the account has; and what has to be done before anything else: an own
// password, a second factor. The server says the same whichever of account and password was wrong; so does this.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Settings } from "../app";
import { api, useToken, type FactorDue, type Refusal, type Returned, type Secret, type Session } from "../core/api";
import { useWords } from "../core/desk";
import { passkeysHere, showPasskey } from "../core/passkey";
import { toRefusal, useResource } from "../core/resource";
import { Field, useTask, Wrong } from "../ui/form";
import { Failure, Icon, Loading, Mark } from "../ui/parts";
import { Qr } from "../ui/qr";
import { SettingsBar } from "../ui/settings";
import { useAttempt } from "./attempt";
import { CertificateWay } from "./certificates";
import { FirstPasskey } from "./passkeys";
import { Back, ProviderWay } from "./provider";
import { SecondStep } from "./second";

export type WhyOut = "ended" | "idle" | "everywhere" | null;

interface Props {
  session: Session | null;
  why: WhyOut;
  settings: Settings;
  enter: (session: Session | null) => void;
  leave: () => void;
  /** What an OpenID provider sent the browser back with. */
  returned: Returned | null;
  dropReturned: () => void;
}

export function SignIn({ session, why, settings, enter, leave, returned, dropReturned }: Props) {
  const { words } = useWords();
  const next = session?.must[0] ?? null;
  // What there is to do in all: it shrinks as it is done, so the first count is kept.
  const steps = useRef(0);
  steps.current = Math.max(steps.current, session?.must.length ?? 0);
  const step = session ? words.signIn.step(steps.current - session.must.length + 1, steps.current) : null;
  useEffect(() => {
    document.title = `${words.signIn.title} - ${words.app.name}`;
  }, [words]);
  return (
    <div class="gate">
      <main class="gate-card">
        <header class="gate-head">
          <Mark />
          <div>
            <p class="gate-name">{words.app.name}</p>
            <p class="quiet-text">{words.app.desk}</p>
          </div>
        </header>
        {why && (
          <p class="notice" role="status">
            {words.signIn[why]}
          </p>
        )}
        {!session && returned && <Back returned={returned} enter={enter} again={dropReturned} />}
        {!session && !returned && <Door enter={enter} />}
        {session && next === "password" && (
          <Task step={step} title={words.signIn.newTitle} why={words.signIn.newWhy}>
            <NewPassword done={enter} />
          </Task>
        )}
        {session && next === "factor" && <Factor step={step} done={enter} />}
        {session && (
          <button type="button" class="quiet" onClick={() => leave()}>
            {words.signIn.signOutInstead}
          </button>
        )}
        {!session && <p class="quiet-text gate-foot">{words.signIn.recorded}</p>}
      </main>
      <footer class="gate-settings">
        <SettingsBar settings={settings} />
      </footer>
    </div>
  );
}

/** The second factor: codes of an app, or a passkey. */
function Factor({ step, done }: { step: string | null; done: (s: Session) => void }) {
  const { words } = useWords();
  const [passkey, setPasskey] = useState(false);
  const ways = useResource("ways", () => api.ways());
  return (
    <>
      <Task
        step={step}
        title={passkey ? words.passkeys.firstTitle : words.signIn.totpTitle}
        why={passkey ? words.passkeys.firstWhy : words.signIn.totpWhy}
      >
        {passkey ? <FirstPasskey done={done} /> : <SecondFactor done={done} />}
      </Task>
      {ways.data && passkeysHere(ways.data) && (
        <button type="button" onClick={() => setPasskey(!passkey)}>
          {passkey ? words.passkeys.codesInstead : words.passkeys.instead}
        </button>
      )}
    </>
  );
}

function Task(props: { step: string | null; title: string; why: string; children: ComponentChildren }) {
  return (
    <section class="stack">
      <div>
        <p class="quiet-text">{props.step}</p>
        <h1>{props.title}</h1>
        <p>{props.why}</p>
      </div>
      {props.children}
    </section>
  );
}

function Door({ enter }: { enter: (s: Session) => void }) {
  const { words } = useWords();
  const [due, setDue] = useState<FactorDue | null>(null);
  if (!due) return <First enter={(got) => ("factors" in got ? setDue(got) : enter(got))} />;
  return (
    <section class="stack">
      <h1>{words.factors.secondTitle}</h1>
      <SecondStep due={due} why={words.factors.secondWhy} late={words.factors.late} enter={enter} />
      <button type="button" class="quiet" onClick={() => setDue(null)}>
        {words.provider.again}
      </button>
    </section>
  );
}

/** Account and password; what comes after that the server says. And what signs in without them. */
function First({ enter }: { enter: (got: Session | FactorDue) => void }) {
  const { words } = useWords();
  const [account, setAccount] = useState("");
  const [password, setPassword] = useState("");
  const [byCertificate, setByCertificate] = useState(false);
  const ways = useResource("ways", () => api.ways());
  const { own, setOwn, busy, error, start } = useAttempt(enter);
  const by = (certificate: boolean, task: () => Promise<Session | FactorDue>) => {
    setByCertificate(certificate);
    start(task);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    by(false, () => api.signIn(account.trim(), password));
  };
  const passkey = () =>
    by(false, async () => {
      const shown = await showPasskey(await api.challenge(), !password);
      return api.signInPasskey(shown, account.trim() && password ? { account: account.trim(), password } : null);
    });
  const certificate = () => {
    if (!account.trim() || !password) return setOwn(words.certificates.first);
    by(true, () => api.signInCertificate(account.trim(), password));
  };
  return (
    <form class="stack" onSubmit={submit}>
      <h1 class="unseen">{words.signIn.title}</h1>
      <Field label={words.signIn.account} type="text" complete="username" value={account} set={setAccount} required first />
      <Field label={words.signIn.password} type="password" complete="current-password" value={password} set={setPassword} required />
      {own ? (
        <p class="wrong" role="alert">
          {own}
        </p>
      ) : (
        <Wrong error={error} unauthorized={byCertificate ? words.certificates.wrong : words.signIn.wrong} />
      )}
      <button type="submit" class="main" disabled={busy}>
        {words.signIn.go}
      </button>
      {ways.data?.oidc && <ProviderWay name={ways.data.oidc.name} />}
      {ways.data?.certificate && <CertificateWay shown={ways.data.certificate} busy={busy} go={certificate} />}
      {ways.data && passkeysHere(ways.data) && (
        <div class="other-ways">
          <button type="button" disabled={busy} onClick={passkey}>
            <Icon name="passkey" />
            {words.passkeys.go}
          </button>
          <p class="hint">{words.passkeys.goHint}</p>
        </div>
      )}
    </form>
  );
}

export function NewPassword({ done }: { done: (s: Session) => void }) {
  const { words } = useWords();
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [own, setOwn] = useState<string | null>(null);
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = [...next].length < 12 ? words.signIn.short : next !== again ? words.signIn.differ : null;
    setOwn(wrong);
    if (!wrong)
      run(async () => {
        const session = await api.password(old, next);
        // The answer has another csrf: what comes next needs it.
        useToken(session);
        setOld("");
        setNext("");
        setAgain("");
        done(session);
      });
  };
  return (
    <form class="stack" onSubmit={submit}>
      <Field label={words.signIn.old} type="password" complete="current-password" value={old} set={setOld} required />
      <Field label={words.signIn.new} hint={words.signIn.rules} type="password" complete="new-password" value={next} set={setNext} required />
      <Field label={words.signIn.again} type="password" complete="new-password" value={again} set={setAgain} required />
      {own ? (
        <p class="wrong" role="alert">
          {own}
        </p>
      ) : (
        <Wrong error={error} unauthorized={words.account.passwordWrong} />
      )}
      <button type="submit" class="main" disabled={busy}>
        {words.signIn.set}
      </button>
    </form>
  );
}

/** The very first factor: nothing has to be shown before. */
function SecondFactor({ done }: { done: (s: Session) => void }) {
  const [secret, setSecret] = useState<Secret | null>(null);
  const [failed, setFailed] = useState<Refusal | null>(null);
  const fetchSecret = () => {
    setFailed(null);
    api.totpSecret(null).then(setSecret, (e: unknown) => setFailed(toRefusal(e)));
  };
  useEffect(fetchSecret, []);
  if (failed) return <Failure error={failed} retry={fetchSecret} />;
  if (!secret) return <Loading />;
  return <ConfirmSecret secret={secret} done={done} />;
}

/** A secret for the app, and the number that it shows then. */
export function ConfirmSecret({ secret, done }: { secret: Secret; done: (s: Session) => void }) {
  const { words } = useWords();
  const [code, setCode] = useState("");
  const { busy, error, run } = useTask();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    run(async () => {
      try {
        done(await api.totpProve(code));
      } finally {
        setCode("");
      }
    });
  };
  return (
    <form class="stack" onSubmit={submit}>
      <div class="totp">
        <Qr text={secret.uri} label={words.signIn.totpQr} />
        <div>
          <p class="hint">{words.signIn.totpSecret}</p>
          <p class="mono secret">{(secret.secret.match(/.{1,4}/g) ?? []).join(" ")}</p>
        </div>
      </div>
      <Field
        label={words.signIn.code}
        type="text"
        complete="one-time-code"
        numeric
        required
        value={code}
        set={(v) => setCode(v.replace(/\D/g, ""))}
      />
      <Wrong error={error} unauthorized={words.signIn.totpWrong} />
      <button type="submit" class="main" disabled={busy || code.length !== 6}>
        {words.signIn.totpGo}
      </button>
    </form>
  );
}

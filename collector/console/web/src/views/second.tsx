// The second factor: at the sign-in, behind the password or the provider, and once more before somebody changes what they sign in with. Offers
// what the account has.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api, type Factor, type FactorDue, type Passkeys, type Proof, type Session } from "../core/api";
import { useDesk, useWords } from "../core/desk";
import { PasskeyStopped, showPasskey } from "../core/passkey";
import { Field, useTask, Wrong } from "../ui/form";
import { Icon } from "../ui/parts";
import { Text } from "../ui/text";
import { useAttempt, useFactor } from "./attempt";

/** Six digits of an app, or a recovery code: one field, and what changes it for the other. */
export function CodeField(props: { factors: FactorDue["factors"]; recovery: boolean; value: string; set: (v: string) => void; turn: () => void; first?: boolean }) {
  const { words } = useWords();
  const f = words.factors;
  const both = props.factors.includes("code") && props.factors.includes("recovery");
  return (
    <>
      {props.recovery ? (
        <Field key="recovery" label={f.recoveryCode} hint={f.recoveryHint} type="text" complete="off" most={64} required first value={props.value} set={props.set} />
      ) : (
        props.factors.includes("code") && (
          <Field
            key="code"
            label={words.signIn.code}
            hint={words.signIn.codeHint}
            type="text"
            complete="one-time-code"
            numeric
            required
            first={props.first ?? false}
            value={props.value}
            set={(v) => props.set(v.replace(/\D/g, ""))}
          />
        )
      )}
      {props.factors.includes("recovery") && (both || !props.recovery) && (
        <button type="button" class="quiet" onClick={props.turn}>
          {props.recovery ? f.codeInstead : f.recoveryInstead}
        </button>
      )}
    </>
  );
}

export function SecondStep({ due, why, late, enter }: { due: FactorDue; why: string; late: string; enter: (s: Session) => void }) {
  const { words } = useWords();
  const f = words.factors;
  const { code, setCode, recovery, turn, typed, ready } = useFactor(due.factors);
  const { own, busy, error, start } = useAttempt(enter, () => setCode(""));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    start(async () => {
      const session = await api.signInFactor(typed());
      // Who had to use one has something to set up again.
      if (recovery) location.hash = "#/account";
      return session;
    });
  };
  const passkey = () => start(async () => api.signInFactor({ passkey: await showPasskey(await api.challenge(), false) }));
  const certificate = () => start(() => api.signInFactor({ certificate: true }));
  const typing = recovery || due.factors.includes("code");
  return (
    <form class="stack" onSubmit={submit}>
      <p>
        <Text of={due.account} />
        {": "}
        {why}
      </p>
      <CodeField factors={due.factors} recovery={recovery} value={code} set={setCode} turn={turn} first />
      {own ? (
        <p class="wrong" role="alert">
          {own}
        </p>
      ) : error?.word === "session" ? (
        <p class="wrong" role="alert">
          {late}
        </p>
      ) : (
        <Wrong error={error} unauthorized={f.wrong} />
      )}
      {typing && (
        <button type="submit" class="main" disabled={busy || !ready}>
          {words.signIn.go}
        </button>
      )}
      {(due.factors.includes("passkey") || due.factors.includes("certificate")) && (
        <div class="other-ways">
          {due.factors.includes("passkey") && (
            <button type="button" disabled={busy} onClick={passkey}>
              <Icon name="passkey" />
              {words.passkeys.go}
            </button>
          )}
          {due.factors.includes("certificate") && (
            <button type="button" disabled={busy} onClick={certificate}>
              <Icon name="passkey" />
              {words.certificates.go}
            </button>
          )}
        </div>
      )}
    </form>
  );
}

export function factorsOf(own: Passkeys): FactorDue["factors"] {
  const has: FactorDue["factors"] = [];
  if (own.codes) has.push("code");
  if (own.passkeys.length) has.push("passkey");
  if (own.certificates.length) has.push("certificate");
  if (has.length && own.recovery?.left) has.push("recovery");
  return has;
}

interface ProofProps {
  own: Passkeys;
  /** What the button says. */
  label: string;
  /** What else has to be typed before. */
  ready?: boolean;
  go: (proof: Proof) => Promise<void>;
  children?: ComponentChildren;
}

/** Who somebody is, once more, and what is done then. */
export function Prove({ own, label, ready: rest = true, go, children }: ProofProps) {
  const { words, session } = useDesk();
  const f = words.factors;
  const factors = factorsOf(own);
  const [password, setPassword] = useState("");
  const { code, setCode, recovery, turn, typed, ready } = useFactor(factors);
  const [stopped, setStopped] = useState<string | null>(null);
  const { busy, error, run } = useTask();
  const withPassword = !session.federated && factors.length > 0;
  const typing = !factors.length || recovery || factors.includes("code");
  const start = (shown: () => Promise<Factor | null>) => {
    let proven = false;
    setStopped(null);
    run(async () => {
      try {
        const factor = await shown();
        proven = true;
        await go(factor && (password && withPassword ? { password, ...factor } : factor));
      } catch (e) {
        // Whoever closes the browser's window has done nothing wrong: that of the proof, or of the passkey that is made.
        if (!(e instanceof PasskeyStopped)) throw e;
        setStopped(!proven ? words.passkeys.stopped : e.known ? words.passkeys.known : words.passkeys.notMade);
      } finally {
        setPassword("");
        setCode("");
      }
    });
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (typing) start(() => Promise.resolve(factors.length ? typed() : null));
  };
  const known: Record<string, string> = { fresh: f.fresh, last: words.passkeys.last };
  const text = stopped ?? (error && known[error.word]);
  return (
    <form class="stack" onSubmit={submit}>
      {children}
      {factors.length > 0 && <p class="hint">{f.proofWhy}</p>}
      {withPassword && (
        <Field label={words.passkeys.password} type="password" complete="current-password" value={password} set={setPassword} required={typing} />
      )}
      <CodeField factors={factors} recovery={recovery} value={code} set={setCode} turn={turn} />
      {text ? (
        <p class="wrong" role="alert">
          {text}
        </p>
      ) : (
        <Wrong error={error} unauthorized={f.proofWrong} />
      )}
      {typing && (
        <button type="submit" class="main" disabled={busy || !rest || (factors.length > 0 && !ready)}>
          {label}
        </button>
      )}
      {(factors.includes("passkey") || factors.includes("certificate")) && (
        <div class="other-ways">
          {factors.includes("passkey") && (
            <>
              <button
                type="button"
                disabled={busy || !rest}
                onClick={() => start(async () => ({ passkey: await showPasskey(await api.challenge(), !password || !withPassword) }))}
              >
                <Icon name="passkey" />
                {f.proofPasskey}
              </button>
              {withPassword && <p class="hint">{f.proofPasskeyHint}</p>}
            </>
          )}
          {factors.includes("certificate") && (
            <button type="button" disabled={busy || !rest || (withPassword && !password)} onClick={() => start(() => Promise.resolve({ certificate: true }))}>
              <Icon name="passkey" />
              {f.proofCertificate}
            </button>
          )}
        </div>
      )}
    </form>
  );
}

// Signing in by an OpenID provider: the way there, the way back, and the account's own second factor where the provider did not ask for two.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type FactorDue, type Refusal, type Returned, type Session } from "../core/api";
import { useWords } from "../core/desk";
import { toRefusal } from "../core/resource";
import { useTask, Wrong } from "../ui/form";
import { Icon, Loading } from "../ui/parts";
import { SecondStep } from "./second";

/** What went wrong, in words; null where the usual ones do. */
function useReason(): (error: Refusal) => string | null {
  const { words } = useWords();
  const known = words.provider.errors;
  return (error) => (Object.hasOwn(known, error.word) ? known[error.word as keyof typeof known] : null);
}

function Reason({ error }: { error: Refusal }) {
  const reason = useReason()(error);
  const { words } = useWords();
  return reason ? (
    <p class="wrong" role="alert">
      {reason}
    </p>
  ) : (
    <Wrong error={error} unauthorized={words.provider.errors.session} />
  );
}

export function ProviderWay({ name }: { name: string }) {
  const { words } = useWords();
  const { busy, error, run } = useTask();
  const go = () => run(async () => location.assign((await api.providerAddress()).location));
  return (
    <div class="other-ways">
      <button type="button" disabled={busy} onClick={go}>
        <Icon name="right" />
        {words.provider.go(name)}
      </button>
      {error && <Reason error={error} />}
    </div>
  );
}

/** The browser is back: brings what it was given, once. */
export function Back({ returned, enter, again }: { returned: Returned; enter: (s: Session) => void; again: () => void }) {
  const { words } = useWords();
  const [due, setDue] = useState<FactorDue | null>(null);
  const [failed, setFailed] = useState<Refusal | null>(null);
  const brought = useRef(false);
  useEffect(() => {
    if (brought.current) return;
    brought.current = true;
    api.providerReturn(returned).then(
      (got) => ("factors" in got ? setDue(got) : enter(got)),
      (e: unknown) => setFailed(toRefusal(e)),
    );
  }, [returned, enter]);
  return (
    <section class="stack">
      <h1>{due ? words.factors.secondTitle : words.provider.backTitle}</h1>
      {due ? <SecondStep due={due} why={words.provider.factorWhy} late={words.provider.errors.session} enter={enter} /> : failed ? <Reason error={failed} /> : <Loading />}
      {(due ?? failed) && (
        <button type="button" class="quiet" onClick={again}>
          {words.provider.again}
        </button>
      )}
    </section>
  );
}

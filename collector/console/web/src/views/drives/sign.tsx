// Signing: the administrator's key file is read here, signs once, and is forgotten. What goes to the server is the signed policy alone.
import { useState } from "preact/hooks";
import { api, type Policy, type Refusal } from "../../core/api";
import { useDesk } from "../../core/desk";
import { plain } from "../../core/hostile";
import { toRefusal } from "../../core/resource";
import { go } from "../../core/router";
import { BUNDLE_MAX, signBundle, toHex, type Key, type Texts } from "../../policy/bundle";
import { setDraft } from "../../policy/draft";
import { KeyError, readKey, type KeyProblem } from "../../policy/key";
import { Dialog, explain, saveFile } from "../../ui/parts";

const DAYS = [30, 90, 400, 1096];
const problems = { bad: "keyBad", locked: "keyLocked", crypto: "keyNoCrypto" } as const satisfies Record<KeyProblem, string>;

interface Props {
  policy: Policy;
  texts: Texts & { version: number };
  close: () => void;
  pushed: (version: number) => void;
  reload: () => void;
}

export function Sign({ policy, texts, close, pushed, reload }: Props) {
  const { words, say } = useDesk();
  const d = words.drives;
  const [key, setKey] = useState<Key | null>(null);
  const [problem, setProblem] = useState<KeyProblem | null>(null);
  const [days, setDays] = useState(400);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refusal | null>(null);
  const [large, setLarge] = useState(false);
  const signer = key && policy.admins.find((a) => a.key === toHex(key.public));

  const choose = async (file: File | undefined) => {
    setKey(null);
    setProblem(null);
    if (!file) return;
    try {
      // A key file has some 120 bytes: whatever is larger is something else, and is not read.
      setKey(await readKey(file.size > 8192 ? "" : await file.text()));
    } catch (e) {
      setProblem(e instanceof KeyError ? e.problem : "bad");
    }
  };

  const make = async (k: Key) => {
    const now = Date.now() * 1000;
    const bytes = await signBundle(k, {
      ...texts,
      fleet: policy.fleet,
      issued_us: now,
      not_before_us: now,
      not_after_us: now + days * 86_400_000_000,
    });
    setLarge(bytes.length > BUNDLE_MAX);
    return bytes.length > BUNDLE_MAX ? null : bytes;
  };

  const push = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!key) return;
    setBusy(true);
    setError(null);
    try {
      const bytes = await make(key);
      if (!bytes) return;
      const taken = await api.policyPush(bytes);
      say(d.pushed(taken.version, taken.connected), true);
      setDraft(null);
      setKey(null);
      // By itself, not with the view that goes: what is modal must not outlive it.
      close();
      pushed(taken.version);
      go("#/drives/arrival");
    } catch (e) {
      const refusal = toRefusal(e);
      setError(refusal);
      // Perhaps another version was pushed that this page has not heard of.
      if (refusal.status === 409) reload();
    } finally {
      setBusy(false);
    }
  };
  const refused = error?.status === 409 ? (d.refused as Partial<Record<string, string>>)[error.word] : undefined;
  return (
    <Dialog title={d.signTitle(texts.version)} close={close}>
      <form class="stack" onSubmit={(e) => void push(e)}>
        <p>{d.signWhy}</p>
        <label class="field">
          {d.key}
          <input type="file" accept=".key,.pem" onChange={(e) => void choose(e.currentTarget.files?.[0])} />
          <span class="hint">{d.keyHint}</span>
        </label>
        <div role="status">
          {key && (signer ? <p class="verdict verdict-good">{d.keyIs(plain(signer.name))}</p> : <p class="verdict verdict-bad">{d.keyStranger}</p>)}
          {problem && <p class="verdict verdict-bad">{d[problems[problem]]}</p>}
        </div>
        <label class="field">
          {d.valid}
          <select value={String(days)} onChange={(e) => setDays(Number(e.currentTarget.value))}>
            {DAYS.map((n) => (
              <option key={n} value={String(n)}>
                {n > 400 ? d.validYears(Math.round(n / 365)) : d.validDays(n)}
              </option>
            ))}
          </select>
        </label>
        {large && (
          <p class="wrong" role="alert">
            {d.tooLarge}
          </p>
        )}
        {error && (
          <p class="wrong" role="alert">
            {refused ?? explain(error, words)}
          </p>
        )}
        <div class="actions">
          <button type="submit" class="main" disabled={!signer || busy}>
            {busy ? d.pushing : d.pushGo}
          </button>
          <button
            type="button"
            class="quiet"
            disabled={!key || busy}
            onClick={() => {
              if (key) void make(key).then((b) => b && saveFile(`policy-${texts.version}.signed`, b), (e: unknown) => setError(toRefusal(e)));
            }}
          >
            {d.saveSigned}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

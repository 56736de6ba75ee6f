// Letting a PC in: a token that is shown once, as text, as a command and as a QR code. It is kept nowhere in the browser.
import { useEffect, useState } from "preact/hooks";
import { api, type Refusal } from "../../core/api";
import { useDesk } from "../../core/desk";
import { momentOf } from "../../core/format";
import { toRefusal, useResource } from "../../core/resource";
import { Copy, Dialog, explain, Failure } from "../../ui/parts";
import { Qr } from "../../ui/qr";
import { Text } from "../../ui/text";

const HOURS = [1, 8, 24, 168, 720];

export function Enrol({ close }: { close: () => void }) {
  const { words } = useDesk();
  const p = words.pcs;
  const [name, setName] = useState("");
  const [hours, setHours] = useState(24);
  const [token, setToken] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refusal | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      setToken((await api.makeToken(name.trim() || null, hours * 3600)).token);
    } catch (e) {
      setError(toRefusal(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={p.enrol} close={close}>
      {token === null ? (
        <form class="stack" onSubmit={(e) => void submit(e)}>
          <p>{p.enrolWhy}</p>
          <label class="field">
            {p.enrolName}
            <input type="text" maxLength={100} autocomplete="off" spellcheck={false} placeholder={p.enrolNameHint} value={name} onInput={(e) => setName(e.currentTarget.value)} />
          </label>
          <label class="field">
            {p.enrolValid}
            <select value={String(hours)} onChange={(e) => setHours(Number(e.currentTarget.value))}>
              {HOURS.map((h) => (
                <option key={h} value={String(h)}>
                  {p.enrolHours(h)}
                </option>
              ))}
            </select>
          </label>
          {error && (
            <p class="wrong" role="alert">
              {explain(error, words)}
            </p>
          )}
          <div class="actions">
            <button type="submit" class="main" disabled={busy}>
              {p.enrolGo}
            </button>
          </div>
        </form>
      ) : (
        <Made token={token} name={name.trim()} />
      )}
    </Dialog>
  );
}

function Made({ token, name }: { token: string; name: string }) {
  const { words } = useDesk();
  const p = words.pcs;
  const command = `sekisho-uplink enrol --collector https://${location.hostname}:8443${/^[\w.-]+$/.test(name) ? ` --name ${name}` : ""} ${token}`;
  return (
    <div class="stack" role="status">
      <div class="token">
        <Qr text={token} label={p.tokenQr} />
        <div class="stack">
          <p class="mono breakable">{token}</p>
          <Copy text={token} label={words.common.copy} />
          <p class="notice">{p.tokenOnce}</p>
        </div>
      </div>
      <p>{p.tokenCommand}</p>
      <pre class="command">{command}</pre>
      <Copy text={command} label={words.common.copy} />
    </div>
  );
}

export function Tokens({ again }: { again: boolean }) {
  const { words } = useDesk();
  const p = words.pcs;
  const tokens = useResource("tokens", (signal) => api.tokens(signal));
  useEffect(() => {
    if (!again) tokens.reload();
  }, [again]);
  return (
    <section class="block" aria-labelledby="tokens-title">
      <h2 id="tokens-title">{p.open}</h2>
      {tokens.error && <Failure error={tokens.error} retry={tokens.reload} />}
      {tokens.data && tokens.data.tokens.length === 0 && <p class="hint">{p.openNone}</p>}
      {tokens.data && tokens.data.tokens.length > 0 && (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{p.tokenFor}</th>
              <th scope="col">{p.tokenUntil}</th>
              <th scope="col">{p.tokenId}</th>
            </tr>
          </thead>
          <tbody>
            {tokens.data.tokens.map((t) => (
              <tr key={t.id}>
                <th scope="row">{t.name === null ? p.tokenAny : <Text of={t.name} />}</th>
                <td>{momentOf(t.expires)}</td>
                <td class="mono quiet-text">{t.id}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

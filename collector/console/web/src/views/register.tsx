// The handling register (特定個人情報取扱記録簿): an auditor chooses a period and the folder, and gets it as a file; an administrator files what a
// contractor certifies of its disposal, which the register then names.
import { useState } from "preact/hooks";
import { api, type Refusal } from "../core/api";
import { may, useDesk } from "../core/desk";
import { toMoment } from "../core/format";
import { keep, kept } from "../core/kept";
import { toRefusal } from "../core/resource";
import { explain, saveFile } from "../ui/parts";
import { Mono } from "../ui/text";

const PROOF_MAX = 2 << 20;

/** The month before this one, from its first day to the first of the next, as the inputs want it. */
function lastMonth(): [string, string] {
  const now = new Date();
  const day = (d: Date) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-01`;
  return [day(new Date(now.getFullYear(), now.getMonth() - 1, 1)), day(now)];
}

export function RegisterView() {
  const { words, session } = useDesk();
  return (
    <div class="stack">
      <h1>{words.register.title}</h1>
      {may(session, "auditor") && <Make />}
      {may(session, "administrator") && <File />}
    </div>
  );
}

function Make() {
  const { words, language, say } = useDesk();
  const r = words.register;
  const [first, last] = lastMonth();
  const [since, setSince] = useState(first);
  const [until, setUntil] = useState(last);
  const [path, setPath] = useState(() => kept("register-folder", (x) => (typeof x === "string" ? x : null)) ?? "");
  const [host, setHost] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refusal | null>(null);
  const make = (form: "pdf" | "csv") => {
    setBusy(true);
    setError(null);
    keep("register-folder", path);
    api
      .register(form, { since: toMoment(`${since}T00:00:00`), until: toMoment(`${until}T00:00:00`), path, host: host || undefined, lang: language })
      .then((blob) => {
        saveFile(`sekisho-register-${since}.${form}`, blob, form === "pdf" ? "application/pdf" : "text/csv");
        say(r.made);
      })
      .catch((e: unknown) => setError(toRefusal(e)))
      .finally(() => setBusy(false));
  };
  return (
    <form
      class="stack"
      onSubmit={(e) => {
        e.preventDefault();
        make("pdf");
      }}
    >
      <p>{r.why}</p>
      <label class="field">
        {r.since}
        <input type="date" required value={since} onInput={(e) => setSince(e.currentTarget.value)} />
      </label>
      <label class="field">
        {r.until}
        <input type="date" required value={until} onInput={(e) => setUntil(e.currentTarget.value)} />
      </label>
      <label class="field">
        {r.folder}
        <input type="text" required maxLength={4000} spellcheck={false} placeholder="/srv/mynumber" value={path} onInput={(e) => setPath(e.currentTarget.value)} />
      </label>
      <label class="field">
        {r.host}
        <input type="text" maxLength={100} spellcheck={false} value={host} onInput={(e) => setHost(e.currentTarget.value)} />
      </label>
      {error && (
        <p class="wrong" role="alert">
          {explain(error, words)}
        </p>
      )}
      <div class="actions">
        <button type="submit" class="main" disabled={busy}>
          {r.pdf}
        </button>
        <button type="button" disabled={busy || !path || !since || !until} onClick={() => make("csv")}>
          CSV
        </button>
      </div>
    </form>
  );
}

/** Bytes as base64, without a call that takes as many arguments as there are bytes. */
function base64(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 4096) out += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(out);
}

function File() {
  const { words } = useDesk();
  const r = words.register;
  const [contractor, setContractor] = useState("");
  const [what, setWhat] = useState("");
  const [file, setFile] = useState<globalThis.File | null>(null);
  const [filed, setFiled] = useState<string | null>(null);
  const [error, setError] = useState<Refusal | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!file) return;
    setError(null);
    setFiled(null);
    try {
      const content = base64(new Uint8Array(await file.arrayBuffer()));
      setFiled((await api.fileProof(contractor.trim(), what.trim(), file.name.slice(0, 60), content)).hash);
    } catch (e) {
      setError(toRefusal(e));
    }
  };
  const large = file !== null && file.size > PROOF_MAX;
  return (
    <form class="stack" onSubmit={(e) => void submit(e)}>
      <h2>{r.proof}</h2>
      <p>{r.proofWhy}</p>
      <label class="field">
        {r.contractor}
        <input type="text" required maxLength={60} value={contractor} onInput={(e) => setContractor(e.currentTarget.value)} />
      </label>
      <label class="field">
        {r.what}
        <input type="text" required maxLength={60} value={what} onInput={(e) => setWhat(e.currentTarget.value)} />
      </label>
      <label class="field">
        {r.file}
        <input type="file" required onChange={(e) => setFile(e.currentTarget.files?.[0] ?? null)} />
      </label>
      {(error || large) && (
        <p class="wrong" role="alert">
          {large ? r.large : error && explain(error, words)}
        </p>
      )}
      {filed && (
        <p role="status">
          {r.filed} <Mono>{filed}</Mono>
        </p>
      )}
      <div class="actions">
        <button type="submit" class="main" disabled={large || !file}>
          {r.fileIt}
        </button>
      </div>
    </form>
  );
}

// The handling register (特定個人情報取扱記録簿): an auditor chooses a period and the folder, and gets it as a file; an administrator files what a
// contractor certifies of its disposal, which the register then names and encloses; both see what was filed.
import { useEffect, useState } from "preact/hooks";
import { api, type FiledProof, type Refusal } from "../core/api";
import { may, useDesk } from "../core/desk";
import { momentOf, size, toMoment } from "../core/format";
import { plain } from "../core/hostile";
import { keep, kept } from "../core/kept";
import { useLive } from "../core/live";
import { toRefusal, useResource } from "../core/resource";
import { useTask } from "../ui/form";
import { explain, Failure, Icon, Loading, saveFile } from "../ui/parts";
import { Mono, Text } from "../ui/text";
import type { Words } from "../words";

const PROOF_MAX = 2 << 20;
const PAPERS = ".pdf,.png,.jpg,.jpeg,.tif,.tiff";
const TYPES = { pdf: "application/pdf", csv: "text/csv", zip: "application/zip" };

/** The month before this one, from its first day to the first of the next, as the inputs want it. */
function lastMonth(): [string, string] {
  const now = new Date();
  const day = (d: Date) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-01`;
  return [day(new Date(now.getFullYear(), now.getMonth() - 1, 1)), day(now)];
}

export function RegisterView() {
  const { words, session } = useDesk();
  const [turn, setTurn] = useState(0);
  return (
    <div class="stack">
      <h1>{words.register.title}</h1>
      {may(session, "auditor") && <Make />}
      {may(session, "administrator") && <File filed={() => setTurn(turn + 1)} />}
      {may(session, "auditor", "administrator") && <Filed turn={turn} />}
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
  const [area, setArea] = useState(() => kept("register-area", (x) => (typeof x === "string" ? x : null)) ?? "");
  const [host, setHost] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refusal | null>(null);
  const make = (form: keyof typeof TYPES) => {
    setBusy(true);
    setError(null);
    keep("register-folder", path);
    keep("register-area", area);
    const where = area ? { fact: `area:${area}` } : { path };
    api
      .register(form, { since: toMoment(`${since}T00:00:00`), until: toMoment(`${until}T00:00:00`), ...where, host: host || undefined, lang: language })
      .then((blob) => {
        saveFile(`sekisho-register-${since}.${form}`, blob, TYPES[form]);
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
        <input type="text" required={!area} disabled={area !== ""} maxLength={4000} spellcheck={false} placeholder="/srv/mynumber" value={path} onInput={(e) => setPath(e.currentTarget.value)} />
      </label>
      <label class="field">
        {r.area}
        <input type="text" maxLength={400} spellcheck={false} value={area} onInput={(e) => setArea(e.currentTarget.value)} />
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
        <button type="button" disabled={busy || !(path || area) || !since || !until} onClick={() => make("zip")}>
          {r.zip}
        </button>
        <button type="button" disabled={busy || !(path || area) || !since || !until} onClick={() => make("csv")}>
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

/** Sixty characters of a name, and what it ends in among them: by that the console knows what it is to be. */
function shortened(name: string): string {
  const ending = /\.[^.]{1,8}$/.exec(name)?.[0] ?? "";
  return name.slice(0, Math.min(60, name.length) - ending.length) + ending;
}

/** Why it was not filed. */
function unfiled(error: Refusal, words: Words): string {
  const r = words.register;
  return { type: r.type, malware: r.malware(error.reason), scanner: r.scanner }[error.word] ?? explain(error, words);
}

function File({ filed: told }: { filed: () => void }) {
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
      setFiled((await api.fileProof(contractor.trim(), what.trim(), shortened(file.name), content)).hash);
      told();
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
        <input type="file" accept={PAPERS} required onChange={(e) => setFile(e.currentTarget.files?.[0] ?? null)} />
      </label>
      {(error || large) && (
        <p class="wrong" role="alert">
          {large ? r.large : error && unfiled(error, words)}
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

/** What was filed, as the log has it; each file as it was filed. */
function Filed({ turn }: { turn: number }) {
  const { words } = useDesk();
  const r = words.register;
  const [cursor, setCursor] = useState<string | null>(null);
  const page = useResource(`proofs ${cursor ?? ""}`, (signal) => api.proofs(cursor, signal));
  const { busy, error, run } = useTask();
  // The log takes a record in a moment after it was made.
  useEffect(() => {
    if (turn) page.reload();
  }, [turn]);
  useLive((kinds) => {
    if (kinds["console-change"]) page.reload();
  });
  const fetchIt = (p: FiledProof) => run(async () => saveFile(safeName(p.name), await api.proof(p.hash)));
  return (
    <div class="stack">
      <h2>{r.list}</h2>
      {page.error && <Failure error={page.error} retry={page.reload} />}
      {!page.data && !page.error && <Loading />}
      {page.data && page.data.proofs.length === 0 && <p class="hint">{r.listNone}</p>}
      {error && (
        <p class="wrong" role="alert">
          {explain(error, words)}
        </p>
      )}
      {page.data && page.data.proofs.length > 0 && (
        <div class="table-room" tabIndex={0} role="region" aria-label={r.list}>
          <table class="plain proofs">
            <thead>
              <tr>
                <th scope="col">{r.listWhen}</th>
                <th scope="col">{r.contractor}</th>
                <th scope="col">{r.what}</th>
                <th scope="col">{r.listFile}</th>
                <th scope="col">SHA-256</th>
                <th scope="col">{r.listBy}</th>
              </tr>
            </thead>
            <tbody>
              {page.data.proofs.map((p) => (
                <tr key={`${p.hash} ${p.time}`}>
                  <td>{p.time && momentOf(p.time)}</td>
                  <th scope="row">
                    <Text of={p.contractor} />
                  </th>
                  <td>
                    <Text of={p.what} />
                  </td>
                  <td>
                    {p.kept ? (
                      <button type="button" class="quiet" disabled={busy} onClick={() => fetchIt(p)}>
                        <Icon name="save" />
                        <Text of={p.name} /> ({size(p.size)})
                      </button>
                    ) : (
                      <>
                        <Text of={p.name} /> <span class="tag tag-alarm">{r.listGone}</span>
                      </>
                    )}
                  </td>
                  <td class="mono breakable">{p.hash}</td>
                  <td>
                    <Text of={p.by} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {(cursor !== null || page.data?.next) && (
        <div class="actions">
          {cursor !== null && (
            <button type="button" class="quiet" onClick={() => setCursor(null)}>
              {r.listFirst}
            </button>
          )}
          {page.data?.next && (
            <button type="button" class="quiet" onClick={() => setCursor(page.data?.next ?? null)}>
              {r.listMore}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** A name that somebody gave a file, as one to save it under: it comes from outside. */
function safeName(name: string): string {
  return plain(name).replace(/[^\p{L}\p{N}._ -]/gu, "_").replace(/^\.+/, "_") || "proof";
}

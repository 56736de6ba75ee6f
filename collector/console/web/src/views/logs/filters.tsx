// The filter bar: free text, time, channel, and the fields behind "more"; filters in force as marks that can be taken away; saved searches.
import { useEffect, useState } from "preact/hooks";
import { api, type Query, type Refusal } from "../../core/api";
import { CHANNELS, kindsIn } from "../../core/channels";
import { fieldLabel, kindsOf, may, useDesk, valueLabel } from "../../core/desk";
import { toLocal, toMoment } from "../../core/format";
import { plain } from "../../core/hostile";
import { toRefusal, useResource } from "../../core/resource";
import { Dialog, explain, Failure, Icon, Loading, saveFile } from "../../ui/parts";
import { useTask } from "../../ui/form";
import { Text } from "../../ui/text";
import type { Words } from "../../words";
import { activeFilters, changeSaved, DEFAULT_SINCE, FIELDS, parseSearch, SAVED_MAX, withSaved, type FieldName, type Search } from "./search";

const RANGES = ["-15m", "-1h", "-24h", "-7d", "-30d"] as const;

export function FilterBar({ search, show, csv, query }: { search: Search; show: (s: Search) => void; csv: string; query: Query }) {
  const { words, vocabulary, language, session } = useDesk();
  const [draft, setDraft] = useState(search);
  const others = FIELDS.filter((f) => f !== "text");
  const [more, setMore] = useState(() => others.some((f) => search.fields[f]) || search.facts.length > 0);
  const [saving, setSaving] = useState(false);
  const [fact, setFact] = useState("");
  const text = JSON.stringify(search);
  // The address is what counts: when it changes, what was typed and not asked for goes.
  useEffect(() => setDraft(search), [text]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const facts = fact.includes(":") ? [...draft.facts, fact.trim()].slice(0, 8) : draft.facts;
    setFact("");
    show({ ...draft, facts });
  };
  const own = draft.until !== "" || (draft.since !== "all" && !RANGES.some((r) => r === draft.since));
  const range = own ? "own" : draft.since === "all" ? "" : draft.since;
  const setRange = (value: string) => {
    if (value === "own") {
      const now = new Date();
      setDraft({ ...draft, since: new Date(now.getTime() - 86_400_000).toISOString(), until: now.toISOString() });
    } else show({ ...draft, since: value || "all", until: "" });
  };
  const known = kindsOf(vocabulary);
  const channels = CHANNELS.filter((c) => kindsIn(c, known).length > 0);
  const set = (name: FieldName, value: string) => setDraft({ ...draft, fields: { ...draft.fields, [name]: value } });
  return (
    <>
      <form class="filters" role="search" aria-label={words.logs.filters} onSubmit={submit}>
        <div class="filter-line">
          <input
            type="search"
            class="grow"
            data-find
            aria-label={words.logs.text}
            placeholder={words.logs.textHint}
            maxLength={256}
            value={draft.fields.text}
            onInput={(e) => set("text", e.currentTarget.value)}
          />
          <select aria-label={words.logs.time} value={range} onChange={(e) => setRange(e.currentTarget.value)}>
            {RANGES.map((r) => (
              <option key={r} value={r}>
                {words.logs.ranges[r]}
              </option>
            ))}
            <option value="">{words.logs.ranges[""]}</option>
            <option value="own">{words.logs.ranges.own}</option>
          </select>
          <select aria-label={words.logs.order} value={draft.order} onChange={(e) => show({ ...draft, order: e.currentTarget.value as Search["order"] })}>
            <option value="newest">{words.logs.newest}</option>
            <option value="oldest">{words.logs.oldest}</option>
          </select>
          <button type="submit" class="main">
            {words.logs.search}
          </button>
          <button type="button" class="quiet" aria-expanded={more} onClick={() => setMore(!more)}>
            <Icon name={more ? "up" : "down"} />
            {more ? words.logs.less : words.logs.more}
          </button>
          <span class="grow" />
          <Saved show={show} save={() => setSaving(true)} />
          <a class="button quiet" href={csv} download title={words.logs.csvTitle}>
            <Icon name="save" />
            {words.logs.csv}
          </a>
          {may(session, "auditor") && session.scope === null && <BundleButton query={query} />}
        </div>
        {own && (
          <div class="filter-line">
            <label class="inline">
              {words.logs.since}
              <input
                type="datetime-local"
                step={1}
                value={toLocal(draft.since)}
                onInput={(e) => setDraft({ ...draft, since: toMoment(e.currentTarget.value) || draft.since })}
              />
            </label>
            <label class="inline">
              {words.logs.until}
              <input
                type="datetime-local"
                step={1}
                value={toLocal(draft.until)}
                onInput={(e) => setDraft({ ...draft, until: toMoment(e.currentTarget.value) })}
              />
            </label>
          </div>
        )}
        {more && (
          <div class="filter-more">
            {others.map((f) => (
              <label key={f}>
                <span>{words.logs[f]}</span>
                <input type="text" spellcheck={false} autocapitalize="none" maxLength={4096} value={draft.fields[f]} onInput={(e) => set(f, e.currentTarget.value)} />
              </label>
            ))}
            <label>
              <span>{words.logs.fact}</span>
              <input type="text" spellcheck={false} placeholder={words.logs.factHint} maxLength={512} value={fact} onInput={(e) => setFact(e.currentTarget.value)} />
            </label>
            <p class="hint">{words.logs.wildcard}</p>
          </div>
        )}
        <div class="channels" role="group" aria-label={words.logs.channel}>
          <button type="button" class="channel" aria-pressed={!search.channel} onClick={() => show({ ...search, channel: "", kind: "" })}>
            {words.logs.everything}
          </button>
          {channels.map((c) => (
            <button
              key={c}
              type="button"
              class={`channel channel-${c}`}
              aria-pressed={search.channel === c}
              onClick={() => show({ ...search, channel: search.channel === c ? "" : c, kind: "" })}
            >
              <span class="kind-mark" aria-hidden="true" />
              {words.channels[c]}
            </button>
          ))}
        </div>
        <Active search={search} show={show} label={(name, value) => (name === "kind" || name === "class" ? valueLabel(vocabulary, name, value, language) : value)} />
      </form>
      {saving && <SaveDialog search={search} close={() => setSaving(false)} />}
    </>
  );
}

function Active({ search, show, label }: { search: Search; show: (s: Search) => void; label: (name: string, value: string) => string }) {
  const { words, vocabulary, language } = useDesk();
  const filters = activeFilters(search).filter((f) => f.name !== "channel");
  if (!filters.length) return null;
  return (
    <ul class="marks" aria-label={words.logs.active}>
      {filters.map((f) => {
        const name = f.name === "kind" ? words.logs.columns.kind : f.name === "class" ? fieldLabel(vocabulary, "class", language) : f.name === "channel" ? words.logs.channel : words.logs[f.name];
        const value = label(f.name, f.value);
        return (
          <li key={`${f.name} ${f.value}`}>
            <button type="button" class="mark-button" aria-label={words.logs.drop(`${name} ${plain(value)}`)} onClick={() => show(f.without)}>
              <span class="quiet-text">{name}</span> <Text of={value} cut /> <Icon name="close" />
            </button>
          </li>
        );
      })}
      <li>
        <button type="button" class="quiet" onClick={() => show(parseSearch(new URLSearchParams(search.since === DEFAULT_SINCE ? "" : { since: search.since })))}>
          {words.logs.reset}
        </button>
      </li>
    </ul>
  );
}

function Saved({ show, save }: { show: (s: Search) => void; save: () => void }) {
  const { words } = useDesk();
  const [open, setOpen] = useState(false);
  const saved = useResource(open ? "searches" : null, (signal) => api.searches(signal));
  const { busy, error, run } = useTask();
  const forget = (name: string) =>
    run(async () => {
      await changeSaved((list) => list.filter((x) => x.name !== name));
      saved.reload();
    });
  const list = saved.data?.searches ?? [];
  return (
    <details class="menu" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary class="button quiet">
        <Icon name="star" />
        {words.logs.saved}
      </summary>
      <div class="menu-body" aria-busy={saved.loading}>
        {saved.error && <Failure error={saved.error} retry={saved.reload} />}
        {saved.loading && !saved.data && <Loading />}
        {saved.data && list.length === 0 && <p class="hint">{words.logs.savedNone}</p>}
        {error && (
          <p class="wrong" role="alert">
            {explain(error, words)}
          </p>
        )}
        <ul>
          {list.map((x) => (
            <li key={x.name}>
              <button type="button" class="quiet grow" onClick={() => show(parseSearch(new URLSearchParams(x.query)))}>
                <Text of={x.name} cut />
              </button>
              <button type="button" class="icon" disabled={busy} aria-label={words.logs.forget(plain(x.name))} onClick={() => forget(x.name)}>
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
        <button type="button" class="quiet" disabled={list.length >= SAVED_MAX} onClick={save}>
          {words.logs.save}
        </button>
      </div>
    </details>
  );
}

function SaveDialog({ search, close }: { search: Search; close: () => void }) {
  const { words, say } = useDesk();
  const [name, setName] = useState("");
  const { busy, error, run } = useTask();
  return (
    <Dialog title={words.logs.save} close={close}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = name.trim();
          if (!wanted) return;
          run(async () => {
            await changeSaved((list) => withSaved(list, wanted, search));
            say(words.logs.savedNow);
            close();
          });
        }}
      >
        <label class="field">
          {words.logs.saveName}
          <input type="text" autofocus maxLength={80} required value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </label>
        <p class="hint">{words.logs.savedHere}</p>
        {error && (
          <p class="wrong" role="alert">
            {explain(error, words)}
          </p>
        )}
        <div class="actions">
          <button type="submit" class="main" disabled={busy}>
            {words.logs.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function whyNoBundle(error: Refusal, words: Words) {
  if (error.status === 404) return words.logs.bundleEmpty;
  if (error.word === "large") return words.logs.bundleLarge;
  return explain(error, words);
}

/** The search as a file that proves itself. It may take a while: the button says so, and lets go of it. */
function BundleButton({ query }: { query: Query }) {
  const { words, say } = useDesk();
  const [making, setMaking] = useState<AbortController | null>(null);
  const [error, setError] = useState<Refusal | null>(null);
  const make = () => {
    const stop = new AbortController();
    setMaking(stop);
    setError(null);
    api
      .bundle({ ...query, order: undefined }, stop.signal)
      .then((blob) => {
        saveFile("sekisho-evidence.zip", blob, "application/zip");
        say(words.logs.bundleMade);
      })
      .catch((e: unknown) => {
        if (!stop.signal.aborted) setError(toRefusal(e));
      })
      .finally(() => setMaking(null));
  };
  return (
    <>
      {making ? (
        <button type="button" class="quiet" onClick={() => making.abort()}>
          <Icon name="close" />
          {words.logs.bundleMaking}
        </button>
      ) : (
        <button type="button" class="quiet" onClick={make} title={words.logs.bundleTitle}>
          <Icon name="save" />
          {words.logs.bundle}
        </button>
      )}
      {error && (
        <p class="wrong" role="alert">
          {whyNoBundle(error, words)}
        </p>
      )}
    </>
  );
}

// The logs: filters, what the matching records consist of, the records themselves, and one of them opened. All of it stands in the
// address.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api } from "../../core/api";
import { channelOf } from "../../core/channels";
import { kindsOf, useDesk } from "../../core/desk";
import { useLive } from "../../core/live";
import { useResource } from "../../core/resource";
import { go, type Route } from "../../core/router";
import { Empty, Failure, Icon, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Detail } from "./detail";
import { FacetList } from "./facets";
import { FilterBar } from "./filters";
import { useRecords } from "./pages";
import { activeFilters, parseSearch, searchParams, searchQuery, type Search } from "./search";
import { RecordTable } from "./table";

/** Cursors of the pages before this one, by search: gone with the page, like the scroll position. */
const trail = new Map<string, (string | null)[]>();

export function Logs({ route }: { route: Route }) {
  const { words, vocabulary, session, language, say } = useDesk();
  const search = parseSearch(route.query);
  const query = searchQuery(search, kindsOf(vocabulary));
  const cursor = route.query.get("cursor");
  const pageNumber = Math.max(1, Number(route.query.get("page") ?? "1") || 1);
  const opened = route.query.get("open");
  const key = searchParams(search).toString();
  const page = useRecords(query, cursor);
  const facets = useResource(`facets ${key}`, (signal) => api.facets({ ...query, order: undefined }, signal));
  const [follow, setFollow] = useState(true);
  const [fresh, setFresh] = useState(0);
  const heading = useRef<HTMLHeadingElement>(null);

  const address = useCallback((changes: Record<string, string | null>) => {
    const q = new URLSearchParams(location.hash.split("?")[1] ?? "");
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) q.delete(name);
      else q.set(name, value);
    }
    return `#/logs${q.size ? `?${q}` : ""}`;
  }, []);
  const show = useCallback((s: Search) => {
    const q = searchParams(s);
    setFresh(0);
    go(`#/logs${q.size ? `?${q}` : ""}`);
  }, []);

  const newestShown = !cursor && search.order === "newest" && !search.until;
  useLive((kinds) => {
    const wanted = Object.entries(kinds).filter(
      ([kind]) => (!search.kind || search.kind.split(",").includes(kind)) && (!search.channel || channelOf(kind) === search.channel),
    );
    const n = wanted.reduce((sum, [, x]) => sum + x, 0);
    if (!n || !newestShown) return;
    if (follow && !page.loading) {
      page.reload();
      facets.reload();
    } else if (!follow) {
      setFresh((x) => x + n);
    }
  }, 2000);
  const takeFresh = () => {
    setFresh(0);
    page.reload();
    facets.reload();
    heading.current?.scrollIntoView();
  };

  const older = () => {
    if (!page.next) return;
    const before = trail.get(key) ?? [];
    before[pageNumber] = cursor;
    trail.set(key, before);
    go(address({ cursor: page.next, page: String(pageNumber + 1), open: null }));
    heading.current?.scrollIntoView();
  };
  const newer = () => {
    if (pageNumber === 1 && !cursor) return;
    const before = trail.get(key)?.[pageNumber] ?? null;
    const at = pageNumber - 1;
    go(address({ cursor: before, page: before && at > 1 ? String(at) : null, open: null }));
    heading.current?.scrollIntoView();
  };
  const keys = useRef({ older, newer, opened, follow });
  keys.current = { older, newer, opened, follow };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const at = event.target;
      if (at instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const links = [...document.querySelectorAll<HTMLAnchorElement>("a[data-row]")];
      const now = links.findIndex((a) => a === document.activeElement || a.dataset["row"] === keys.current.opened);
      const step = (by: number) => {
        const link = links[Math.min(links.length - 1, Math.max(0, now < 0 ? 0 : now + by))];
        if (keys.current.opened && link) go(link.getAttribute("href") ?? "", true);
        link?.focus();
      };
      if (event.key === "j") step(1);
      else if (event.key === "k") step(-1);
      else if (event.key === "n") keys.current.older();
      else if (event.key === "p") keys.current.newer();
      else if (event.key === "f") setFollow((x) => !x);
      else if (event.key === "Escape" && keys.current.opened) close();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  const close = useCallback(() => {
    const row = new URLSearchParams(location.hash.split("?")[1] ?? "").get("open");
    go(address({ open: null }));
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`a[data-row="${CSS.escape(row ?? "")}"]`)?.focus());
  }, [address]);

  useEffect(() => {
    if (!page.loading && !page.error) say(words.logs.rows(page.records.length));
  }, [page.loading]);

  const index = page.records.findIndex((r) => r.row === opened);
  const beside = (by: number) => {
    const r = page.records[index + by];
    return index >= 0 && r ? address({ open: r.row }) : null;
  };
  const filtered = activeFilters(search).length > 0 || search.since !== "all" || search.until !== "";
  return (
    <div class={opened ? "logs logs-open" : "logs"}>
      <div class="logs-head">
        <h1 ref={heading}>{words.logs.title}</h1>
        <p class="logs-life">
          <a href="#/trace/life">{words.life.title}</a>
        </p>
        {session.scope && (
          <p class="quiet-text">
            {words.logs.noScope} <Text of={session.scope.join(", ")} />
          </p>
        )}
        <FilterBar search={search} show={show} csv={api.csvAddress({ ...query, lang: language })} query={query} />
      </div>
      <div class="logs-body">
        <FacetList facets={facets.data} search={search} show={show} loading={facets.loading} />
        <div class="logs-list" aria-busy={page.loading}>
          <div class="list-bar">
            <p class="list-count">
              {page.loading ? words.logs.searching(page.looked) : words.logs.rows(page.records.length)}
              {!page.loading && page.looked > page.records.length && <span class="quiet-text"> · {words.logs.looked(page.looked)}</span>}
            </p>
            {page.loading && page.records.length > 0 && (
              <button type="button" class="quiet" onClick={page.stop}>
                {words.logs.stop}
              </button>
            )}
            {newestShown && (
              <label class="check" title={words.logs.followTitle}>
                <input
                  type="checkbox"
                  checked={follow}
                  onChange={(e) => {
                    setFollow(e.currentTarget.checked);
                    if (e.currentTarget.checked && fresh) takeFresh();
                  }}
                />
                {words.logs.follow}
              </label>
            )}
            {fresh > 0 && (
              <button type="button" class="fresh" onClick={takeFresh} aria-label={words.logs.freshSay(fresh)}>
                <Icon name="up" />
                {words.logs.fresh(fresh)}
              </button>
            )}
            <Pager number={pageNumber} hasNewer={pageNumber > 1 || !!cursor} hasOlder={!!page.next} newer={newer} older={older} first={address({ cursor: null, page: null, open: null })} />
          </div>
          {page.error && <Failure error={page.error} retry={page.reload} />}
          {page.records.length > 0 && (
            <RecordTable records={page.records} opened={opened} link={(row) => address({ open: row })} label={words.logs.title} />
          )}
          {!page.error && page.records.length === 0 && page.loading && <Loading />}
          {!page.error && page.records.length === 0 && !page.loading && (
            <Empty>
              <p class="state-title">{filtered ? words.logs.none : words.logs.noneAll}</p>
              {filtered && <p>{words.logs.noneHint}</p>}
            </Empty>
          )}
          {page.paused && (
            <div class="state">
              <p>{words.logs.searching(page.looked)}</p>
              <button type="button" onClick={page.goOn}>
                {words.logs.goOn}
              </button>
            </div>
          )}
          {page.records.length > 20 && (
            <div class="list-bar">
              <Pager number={pageNumber} hasNewer={pageNumber > 1 || !!cursor} hasOlder={!!page.next} newer={newer} older={older} first={address({ cursor: null, page: null, open: null })} />
            </div>
          )}
        </div>
        {opened && <Detail key={opened} row={opened} close={close} previous={beside(-1)} next={beside(1)} />}
      </div>
    </div>
  );
}

function Pager(props: { number: number; hasNewer: boolean; hasOlder: boolean; newer: () => void; older: () => void; first: string }) {
  const { words } = useDesk();
  return (
    <div class="pager" role="group" aria-label={words.logs.page(props.number)}>
      {props.number > 2 && (
        <a class="icon" href={props.first} aria-label={words.logs.first} title={words.logs.first}>
          <Icon name="first" />
        </a>
      )}
      <button type="button" class="icon" disabled={!props.hasNewer} onClick={props.newer} aria-label={words.logs.newer} title={words.logs.newer}>
        <Icon name="left" />
      </button>
      <span class="pager-at">{words.logs.page(props.number)}</span>
      <button type="button" class="icon" disabled={!props.hasOlder} onClick={props.older} aria-label={words.logs.older} title={words.logs.older}>
        <Icon name="right" />
      </button>
    </div>
  );
}

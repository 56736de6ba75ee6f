// A search: what stands in the address of the logs, what is asked of the server, and what is saved by name. An address without a time
// means the last 24 hours; "all" is said in so many letters, so that nobody asks a hundred million records by accident.
import { api, Refusal, type Query, type SavedSearch } from "../../core/api";
import { CHANNELS, kindsIn, type Channel } from "../../core/channels";

export const FIELDS = ["text", "user", "host", "program", "path", "device"] as const;
export type FieldName = (typeof FIELDS)[number];
export const DEFAULT_SINCE = "-24h";

export interface Search {
  since: string;
  until: string;
  channel: Channel | "";
  kind: string;
  class: string;
  fields: Record<FieldName, string>;
  facts: string[];
  order: "newest" | "oldest";
}

export function parseSearch(q: URLSearchParams): Search {
  const channel = q.get("c");
  return {
    since: q.get("since") ?? DEFAULT_SINCE,
    until: q.get("until") ?? "",
    channel: CHANNELS.find((c) => c === channel) ?? "",
    kind: q.get("kind") ?? "",
    class: q.get("class") ?? "",
    fields: Object.fromEntries(FIELDS.map((f) => [f, q.get(f) ?? ""])) as Record<FieldName, string>,
    facts: q.getAll("fact").slice(0, 8),
    order: q.get("order") === "oldest" ? "oldest" : "newest",
  };
}

export function searchParams(s: Search): URLSearchParams {
  const q = new URLSearchParams();
  const put = (name: string, value: string, usual = "") => {
    if (value !== usual) q.append(name, value);
  };
  put("since", s.since, DEFAULT_SINCE);
  put("until", s.until);
  put("c", s.channel);
  put("kind", s.kind);
  put("class", s.class);
  for (const f of FIELDS) put(f, s.fields[f]);
  for (const fact of s.facts) q.append("fact", fact);
  put("order", s.order, "newest");
  return q;
}

/** What the server is asked. A kind goes before its channel. */
export function searchQuery(s: Search, known: string[]): Query {
  const kinds = s.kind || (s.channel ? kindsIn(s.channel, known).join(",") : "");
  return {
    since: s.since === "all" ? "" : s.since,
    until: s.until,
    // A channel of which the server has no kind has no records: ask for one that cannot be, rather than for everything.
    kind: kinds,
    class: s.class,
    ...s.fields,
    fact: s.facts,
    order: s.order === "oldest" ? "oldest" : undefined,
  };
}

/** Filters in force besides the time: each with a search that is the same without it. */
export function activeFilters(s: Search): { name: FieldName | "channel" | "kind" | "class" | "fact"; value: string; without: Search }[] {
  const out: ReturnType<typeof activeFilters> = [];
  if (s.channel) out.push({ name: "channel", value: s.channel, without: { ...s, channel: "" } });
  if (s.kind) out.push({ name: "kind", value: s.kind, without: { ...s, kind: "" } });
  if (s.class) out.push({ name: "class", value: s.class, without: { ...s, class: "" } });
  for (const f of FIELDS) if (s.fields[f]) out.push({ name: f, value: s.fields[f], without: { ...s, fields: { ...s.fields, [f]: "" } } });
  for (const fact of s.facts) out.push({ name: "fact", value: fact, without: { ...s, facts: s.facts.filter((x) => x !== fact) } });
  return out;
}

export const SAVED_MAX = 50;

/** With this one, in front of the others; instead of one that had its name. */
export function withSaved(list: SavedSearch[], name: string, s: Search): SavedSearch[] {
  return [{ name, query: searchParams(s).toString() }, ...list.filter((x) => x.name !== name)];
}

/** Changes what this account has saved at the server; once more where another browser was quicker. */
export async function changeSaved(change: (list: SavedSearch[]) => SavedSearch[]): Promise<SavedSearch[]> {
  for (let turn = 0; ; turn++) {
    const now = await api.searches();
    try {
      return (await api.searchesSave({ version: now.version, searches: change(now.searches) })).searches;
    } catch (e) {
      if (!(e instanceof Refusal) || e.status !== 409 || turn === 3) throw e;
    }
  }
}

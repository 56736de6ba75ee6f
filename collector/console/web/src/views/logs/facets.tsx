// What the matching records consist of: a click takes only those.
import type { Count, Facets } from "../../core/api";
import { fieldLabel, useDesk, valueLabel } from "../../core/desk";
import { count } from "../../core/format";
import { lastPart, nameText, plain } from "../../core/hostile";
import { Text } from "../../ui/text";
import type { Language } from "../../words";
import type { FieldName, Search } from "./search";

interface Group {
  name: "kind" | "user" | "host" | "program" | "class";
  label: string;
  counts: Count[];
}

export function FacetList(props: { facets: Facets | null; search: Search; show: (s: Search) => void; loading: boolean }) {
  const { words, language } = useDesk();
  const { facets, search, show } = props;
  if (!facets) return <aside class="facets" aria-label={words.logs.facets} aria-busy={props.loading} />;
  const groups: Group[] = [
    { name: "kind", label: words.logs.columns.kind, counts: facets.kind },
    { name: "user", label: words.logs.user, counts: facets.user },
    { name: "host", label: words.logs.host, counts: facets.host },
    { name: "program", label: words.logs.program, counts: facets.program },
    { name: "class", label: "", counts: facets.class },
  ];
  return (
    <aside class="facets" aria-label={words.logs.facets} aria-busy={props.loading}>
      {!facets.complete && <p class="hint">{words.logs.facetsPartial(facets.looked_at)}</p>}
      {groups
        .filter((g) => g.counts.length > 0)
        .map((g) => (
          <FacetGroup key={g.name} group={g} search={search} show={show} language={language} />
        ))}
    </aside>
  );
}

function FacetGroup({ group, search, show, language }: { group: Group; search: Search; show: (s: Search) => void; language: Language }) {
  const { words, vocabulary } = useDesk();
  const most = Math.max(...group.counts.map((c) => c.count), 1);
  const now = group.name === "kind" || group.name === "class" ? search[group.name] : search.fields[group.name as FieldName];
  const take = (value: string) => {
    const chosen = now === value ? "" : value;
    if (group.name === "kind" || group.name === "class") show({ ...search, [group.name]: chosen });
    else show({ ...search, fields: { ...search.fields, [group.name]: chosen } });
  };
  return (
    <section>
      <h2>{group.label || fieldLabel(vocabulary, group.name, language)}</h2>
      <ul>
        {group.counts.slice(0, 8).map((c) => {
          const text = nameText(c.value);
          const enumerated = group.name === "kind" || group.name === "class";
          const label = enumerated ? valueLabel(vocabulary, group.name, text, language) : group.name === "program" ? lastPart(text) : text;
          return (
            <li key={text}>
              <button
                type="button"
                class="facet"
                aria-pressed={text !== "" && now === text}
                // A name that is no text cannot be asked for.
                disabled={typeof c.value !== "string" || text === ""}
                title={words.logs.facetFilter(plain(text))}
                onClick={() => take(text)}
              >
                <span class="facet-name">{text ? <Text of={label} cut /> : words.common.none}</span>
                <span class="facet-count">{count(c.count, language)}</span>
                <span class="facet-bar" style={{ inlineSize: `${(c.count / most) * 100}%` }} aria-hidden="true" />
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

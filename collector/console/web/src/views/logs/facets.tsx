// What the matching records consist of: a click takes only those.
import type { Count, Facets } from "../../core/api";
import { fieldLabel, useDesk, valueLabel } from "../../core/desk";
import { count } from "../../core/format";
import { lastPart, nameText, plain } from "../../core/hostile";
import { Text } from "../../ui/text";
import type { Language } from "../../words";
import type { FieldName, Search } from "./search";

interface Group {
  name: "kind" | "user" | "host" | "program" | "class" | "printer" | "decision";
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
    { name: "decision", label: words.logs.decision, counts: facets.decision },
    { name: "printer", label: "", counts: facets.printer },
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
  // Printers and decisions have no field of their own: they are facts.
  const factOf = (value: string) => (group.name === "printer" ? `printer:${value}` : group.name === "decision" ? value : "");
  const isTaken = (value: string) =>
    group.name === "kind" || group.name === "class"
      ? search[group.name] === value
      : factOf(value)
        ? search.facts.includes(factOf(value))
        : search.fields[group.name as FieldName] === value;
  const take = (value: string) => {
    const chosen = isTaken(value) ? "" : value;
    const fact = factOf(value);
    if (group.name === "kind" || group.name === "class") show({ ...search, [group.name]: chosen });
    else if (fact) show({ ...search, facts: chosen ? [...search.facts, fact].slice(-8) : search.facts.filter((x) => x !== fact) });
    else show({ ...search, fields: { ...search.fields, [group.name]: chosen } });
  };
  const labelOf = (text: string) => {
    if (group.name === "kind" || group.name === "class") return valueLabel(vocabulary, group.name, text, language);
    if (group.name === "program") return lastPart(text);
    if (group.name !== "decision") return text;
    const [field = "", value = ""] = text.split(":");
    return `${fieldLabel(vocabulary, field, language)}: ${valueLabel(vocabulary, field, value, language)}`;
  };
  return (
    <section>
      <h2>{group.label || fieldLabel(vocabulary, group.name, language)}</h2>
      <ul>
        {group.counts.slice(0, 8).map((c) => {
          const text = nameText(c.value);
          const label = labelOf(text);
          return (
            <li key={text}>
              <button
                type="button"
                class="facet"
                aria-pressed={text !== "" && isTaken(text)}
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

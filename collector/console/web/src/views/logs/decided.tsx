// The line of the policy that decided: of the record's rule ("ledger:17", "rule:finance", "default:storage") in the text of that version.
import { api, type Record_ } from "../../core/api";
import { may, useDesk, valueLabel } from "../../core/desk";
import { factText } from "../../core/hostile";
import { useResource } from "../../core/resource";
import { linesOf } from "../../policy/lines";
import { Text } from "../../ui/text";
import { Section } from "./detail";

export function Decided({ record }: { record: Record_ }) {
  const { words, session, vocabulary, language } = useDesk();
  const d = words.detail;
  const rule = factText(record.facts["rule"]);
  const version = typeof record.facts["policy"] === "number" ? record.facts["policy"] : null;
  const readable = may(session, "administrator", "auditor");
  const policy = useResource(rule && readable ? "policy" : null, (signal) => api.policy(signal));
  if (!rule) return null;
  const cut = rule.indexOf(":");
  const what = rule.slice(0, Math.max(cut, 0));
  const name = rule.slice(cut + 1);
  const lines = policy.data && version === policy.data.version ? linesOf(policy.data, what, name) : null;
  const by =
    what === "rule" || what === "ledger" || what === "release"
      ? d.decidedBy[what]("\u0001").split("\u0001")
      : what === "default"
        ? d.decidedBy.default("\u0001").split("\u0001")
        : ["", ""];
  return (
    <Section title={d.decided}>
      <p>
        {by[0]}
        <strong>
          <Text of={what === "default" ? valueLabel(vocabulary, "device_kind", name, language) : what ? name : rule} />
        </strong>
        {by[1]}
        {version !== null && <span class="quiet-text"> · {d.decidedVersion(version)}</span>}
      </p>
      {!readable && <p class="hint">{d.decidedNoText}</p>}
      {policy.data && version !== null && version !== policy.data.version && <p class="hint">{d.decidedOther(version, policy.data.version)}</p>}
      {lines && lines.length > 0 && (
        <ol class="code">
          {lines.map((l) => (
            <li key={l.number} value={l.number}>
              <Text of={l.text} />
            </li>
          ))}
        </ol>
      )}
      {lines && lines.length === 0 && what !== "release" && what !== "default" && <p class="hint">{d.decidedNoLine}</p>}
    </Section>
  );
}

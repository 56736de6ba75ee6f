// The line of the policy that decided: of the record's rule in the text of the version that the PC had in force then, as the collector keeps it.
import type { ComponentChildren } from "preact";
import { api, type Record_ } from "../../core/api";
import { may, useDesk, valueLabel } from "../../core/desk";
import { momentOf } from "../../core/format";
import { factText } from "../../core/hostile";
import { useResource } from "../../core/resource";
import { linesOf, ruleName } from "../../policy/lines";
import { explain } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Section } from "./detail";

export function Decided({ record }: { record: Record_ }) {
  const { words, session, vocabulary, language } = useDesk();
  const d = words.detail;
  const rule = factText(record.facts["rule"]);
  const version = typeof record.facts["policy"] === "number" && record.facts["policy"] > 0 ? record.facts["policy"] : null;
  const readable = may(session, "administrator", "auditor");
  const policy = useResource(rule && readable && version !== null ? `policy ${version}` : null, (signal) => api.policy(signal, version ?? undefined));
  if (!rule) return null;
  const named = ruleName(rule);
  const { what, name } = named;
  const lines = policy.data ? linesOf(policy.data, named) : null;
  const around = (say: (x: string) => string, shown: string) => {
    const [before, after] = say("\u0001").split("\u0001");
    return (
      <>
        {before}
        <strong>
          <Text of={shown} />
        </strong>
        {after}
      </>
    );
  };
  let by: ComponentChildren;
  if (what === null)
    by = (
      <strong>
        <Text of={rule} />
      </strong>
    );
  else if (what === "print-setting" || what === "drives-setting") by = around(d.decidedBy[what === "print-setting" ? "printSetting" : "drivesSetting"], name);
  else by = around(d.decidedBy[what], what === "default" ? valueLabel(vocabulary, "device_kind", name, language) : name);
  return (
    <Section title={d.decided}>
      <p>
        {by}
        {version !== null && <span class="quiet-text"> · {d.decidedVersion(version)}</span>}
      </p>
      {!readable && <p class="hint">{d.decidedNoText}</p>}
      {policy.error && (
        <p class="hint" role="alert">
          {policy.error.status === 404 && version !== null ? d.decidedNotKept(version) : explain(policy.error, words)}
        </p>
      )}
      {policy.data?.from && (
        <p class="hint">
          {policy.data.to ? d.decidedPushedTo(momentOf(policy.data.from), momentOf(policy.data.to)) : d.decidedPushed(momentOf(policy.data.from))}{" "}
          <Text of={d.decidedSigned(policy.data.signer)} />
        </p>
      )}
      {lines && lines.length > 0 && (
        <ol class="code">
          {lines.map((l) => (
            <li key={l.number} value={l.number}>
              <Text of={l.text} />
            </li>
          ))}
        </ol>
      )}
      {lines && lines.length === 0 && what !== "release" && (
        <p class="hint">{what === "default" || what === "print-setting" || what === "drives-setting" ? d.decidedBuiltIn : d.decidedNoLine}</p>
      )}
    </Section>
  );
}

// The draft before it is signed: what the PCs' own code says of it, and what changes. From here to signing.
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type Check, type Policy } from "../../core/api";
import { useDesk } from "../../core/desk";
import { useResource } from "../../core/resource";
import { versionOf, withVersion, type Texts } from "../../policy/bundle";
import { diffLines, hunks } from "../../policy/diff";
import { isStale, setDraft, useDraft } from "../../policy/draft";
import { Empty, Failure, Icon, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Sign } from "./sign";

/** The draft as it will be signed: under the version behind `pushed`. */
export function nextTexts(pushed: number, draft: Texts): Texts & { version: number } {
  const version = Math.max(pushed + 1, versionOf(draft.policy_yaml) ?? 0);
  return { version, policy_yaml: withVersion(draft.policy_yaml, version), devices_csv: draft.devices_csv };
}

interface Props {
  policy: Policy;
  pushed: (version: number) => void;
  reload: () => void;
}

export function Review({ policy, pushed, reload }: Props) {
  const { words } = useDesk();
  const d = words.drives;
  const draft = useDraft();
  const [signing, setSigning] = useState(false);
  // By number: the same version read once more, as PCs tell of it, is no reason for another check.
  const texts = useMemo(() => draft && nextTexts(policy.version, draft), [draft, policy.version]);
  const [settled, setSettled] = useState(texts);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(texts), 300);
    return () => clearTimeout(timer);
  }, [texts]);
  const what = settled ? `check ${settled.version} ${settled.policy_yaml} ${settled.devices_csv}` : null;
  const check = useResource(what, (signal) => api.policyCheck(settled?.policy_yaml ?? "", settled?.devices_csv ?? "", signal));
  if (!draft || !texts) return <Empty>{d.draftNone}</Empty>;
  const stale = isStale(draft, policy);
  const checked = settled === texts && !check.loading;
  return (
    <div class="review">
      <section class="panel" aria-labelledby="check-title" aria-busy={!checked}>
        <header class="panel-head">
          <h2 id="check-title">{d.check}</h2>
          <div class="actions">
            <button type="button" class="quiet" onClick={() => setDraft(null)}>
              {d.discard}
            </button>
            <a href="#/drives/trial">{d.trial.way}</a>
            <button type="button" class="main" disabled={!checked || stale || !check.data?.good} onClick={() => setSigning(true)}>
              {d.sign}
            </button>
          </div>
        </header>
        {check.error && <Failure error={check.error} retry={check.reload} />}
        {!check.data && !check.error && <Loading />}
        {check.data && <Findings of={check.data} />}
      </section>
      <section class="panel" aria-labelledby="diff-title">
        <h2 id="diff-title">{d.diff}</h2>
        <Diff name="policy.yaml" old={policy.policy_yaml} next={texts.policy_yaml} />
        <Diff name="devices.csv" old={policy.devices_csv} next={texts.devices_csv} />
      </section>
      {signing && !stale && <Sign policy={policy} texts={texts} close={() => setSigning(false)} pushed={pushed} reload={reload} />}
    </div>
  );
}

function Findings({ of }: { of: Check }) {
  const { words } = useDesk();
  const d = words.drives;
  return (
    <div role="status">
      <p class={of.good ? "verdict verdict-good" : "verdict verdict-bad"}>
        <Icon name={of.good ? "check" : "close"} />
        {of.good ? d.checkGood : d.checkBad}
      </p>
      {of.findings.length > 0 && (
        <ul class="findings">
          {[...of.findings]
            .sort((a, b) => Number(b.fatal) - Number(a.fatal))
            .map((f, i) => (
              <li key={i} class={f.fatal ? "finding finding-fatal" : "finding"}>
                <span class="severity">{f.fatal ? d.fatal : d.note}</span>
                <span class="mono">
                  <Text of={f.where} />
                </span>
                <Text of={f.text} />
              </li>
            ))}
        </ul>
      )}
    </div>
  );
}

function Diff({ name, old, next }: { name: string; old: string; next: string }) {
  const { words } = useDesk();
  const d = words.drives;
  const shown = useMemo(() => hunks(diffLines(old, next)), [old, next]);
  return (
    <div class="diff">
      <h3 class="mono">{name}</h3>
      {shown.hunks.length === 0 && <p class="hint">{d.diffNone}</p>}
      {shown.hunks.length > 0 && (
        <div class="table-room" tabIndex={0} role="region" aria-label={`${d.diff}: ${name}`}>
          <table class="diff-table">
            <thead class="unseen">
              <tr>
                <th scope="col">{d.diffOld}</th>
                <th scope="col">{d.diffNew}</th>
                <th scope="col">{d.diff}</th>
                <th scope="col">{name}</th>
              </tr>
            </thead>
            {shown.hunks.map((h, i) => (
              <tbody key={i}>
                {h.skipped > 0 && (
                  <tr class="diff-skip">
                    <td colSpan={4}>{d.diffSkip(h.skipped)}</td>
                  </tr>
                )}
                {h.lines.map((l) => (
                  <tr key={`${l.old} ${l.new}`} class={`diff-${l.what}`}>
                    <td class="diff-number">{l.old}</td>
                    <td class="diff-number">{l.new}</td>
                    <td class="diff-sign">
                      <span aria-hidden="true">{l.what === "added" ? "+" : l.what === "removed" ? "−" : ""}</span>
                      {l.what !== "same" && <span class="unseen">{l.what === "added" ? d.added_ : d.removed_}</span>}
                    </td>
                    <td class="diff-text">
                      <Text of={l.text} />
                    </td>
                  </tr>
                ))}
              </tbody>
            ))}
          </table>
        </div>
      )}
    </div>
  );
}

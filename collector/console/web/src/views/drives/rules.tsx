// policy.yaml, and going back to the texts of earlier versions.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Policy, type PolicyVersion } from "../../core/api";
import { useDesk } from "../../core/desk";
import { momentOf } from "../../core/format";
import { useResource } from "../../core/resource";
import { editDraft, useDraft } from "../../policy/draft";
import { useTask } from "../../ui/form";
import { explain, Failure, Icon, Loading, saveFile } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Editor } from "./editor";

export function Rules({ policy, write }: { policy: Policy; write: boolean }) {
  const { words } = useDesk();
  const d = words.drives;
  const draft = useDraft();
  const text = draft?.policy_yaml ?? policy.policy_yaml;
  const file = useRef<HTMLInputElement>(null);
  const set = (next: string) => editDraft(policy, () => ({ policy_yaml: next }));
  return (
    <section class="rules" aria-label={d.rules}>
      <div>
        <div class="list-bar">
          <p class="hint">{d.rulesHint}</p>
          <span class="grow" />
          <button type="button" class="quiet" onClick={() => saveFile("policy.yaml", text, "application/yaml")}>
            <Icon name="save" />
            {d.ledgerSave}
          </button>
        </div>
        <Editor label={d.rules} value={text} {...(write ? { set } : {})} />
      </div>
      {write && (
        <aside class="block" aria-labelledby="earlier-title">
          <h2 id="earlier-title">{d.earlier}</h2>
          <p class="hint">{d.earlierWhy}</p>
          <input
            ref={file}
            type="file"
            multiple
            class="unseen"
            tabIndex={-1}
            aria-label={d.earlierFile}
            accept=".yaml,.yml,.csv"
            onChange={(e) => {
              const files = [...(e.currentTarget.files ?? [])];
              e.currentTarget.value = "";
              for (const f of files)
                void f.arrayBuffer().then((b) => {
                  const content = new TextDecoder("utf-8", { ignoreBOM: true }).decode(b);
                  editDraft(policy, () => (/\.csv$/i.test(f.name) ? { devices_csv: content } : { policy_yaml: content.replace(/^\ufeff/, "") }));
                });
            }}
          />
          <button type="button" onClick={() => file.current?.click()}>
            {d.earlierFile}
          </button>
          <h3>{d.earlierHere}</h3>
          <Earlier policy={policy} />
        </aside>
      )}
    </section>
  );
}

/** What the collector keeps, newest first; taking one asks for its texts. */
function Earlier({ policy }: { policy: Policy }) {
  const { words, say } = useDesk();
  const d = words.drives;
  const [pages, setPages] = useState<{ list: PolicyVersion[]; next: string | null }>({ list: [], next: null });
  const first = useResource(`versions ${policy.version}`, (signal) => api.policyVersions(null, signal));
  const { busy, error, run } = useTask();
  const more = () =>
    run(async () => {
      const page = await api.policyVersions(pages.next);
      setPages({ list: [...pages.list, ...page.versions], next: page.next });
    });
  useEffect(() => {
    if (first.data) setPages({ list: first.data.versions, next: first.data.next });
  }, [first.data]);
  const take = (version: number) =>
    run(async () => {
      const { policy_yaml, devices_csv } = await api.policy(undefined, version);
      editDraft(policy, () => ({ policy_yaml, devices_csv }));
      say(d.taken(version), true);
    });
  const earlier = pages.list.filter((v) => v.version < policy.version);
  if (first.error) return <Failure error={first.error} retry={first.reload} />;
  if (!first.data) return <Loading />;
  return (
    <>
      {error && (
        <p class="wrong" role="alert">
          {explain(error, words)}
        </p>
      )}
      {earlier.length === 0 && <p class="hint">{d.earlierNone}</p>}
      <ul class="earlier">
        {earlier.map((v) => (
          <li key={v.version}>
            <button type="button" class="quiet" disabled={busy || v.signer === null} onClick={() => take(v.version)}>
              {d.earlierTake(v.version)}
            </button>{" "}
            <span class="quiet-text">
              {v.signer === null ? d.earlierUnsigned : <Text of={v.issued ? d.signedBy(v.signer, momentOf(v.issued)) : v.signer} />}
              {v.from && v.to && <> · {d.earlierForce(momentOf(v.from), momentOf(v.to))}</>}
            </span>
          </li>
        ))}
      </ul>
      {pages.next && (
        <button type="button" class="quiet" disabled={busy} onClick={more}>
          {d.earlierMore}
        </button>
      )}
    </>
  );
}

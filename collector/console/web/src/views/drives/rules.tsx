// policy.yaml, and going back to the texts of earlier versions.
import { useRef } from "preact/hooks";
import type { Policy } from "../../core/api";
import { useDesk } from "../../core/desk";
import { editDraft, seenVersions, useDraft } from "../../policy/draft";
import { Icon, saveFile } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Editor } from "./editor";

export function Rules({ policy, write }: { policy: Policy; write: boolean }) {
  const { words, say } = useDesk();
  const d = words.drives;
  const draft = useDraft();
  const text = draft?.policy_yaml ?? policy.policy_yaml;
  const file = useRef<HTMLInputElement>(null);
  const earlier = seenVersions().filter((v) => v.version < policy.version);
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
          {earlier.length === 0 && <p class="hint">{d.earlierNone}</p>}
          <ul class="earlier">
            {earlier.map((v) => (
              <li key={v.version}>
                <button
                  type="button"
                  class="quiet"
                  onClick={() => {
                    editDraft(policy, () => ({ policy_yaml: v.policy_yaml, devices_csv: v.devices_csv }));
                    say(d.taken(v.version), true);
                  }}
                >
                  {d.earlierTake(v.version)}
                </button>{" "}
                <span class="quiet-text">
                  <Text of={v.signer} />
                </span>
              </li>
            ))}
          </ul>
        </aside>
      )}
    </section>
  );
}

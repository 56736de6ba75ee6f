// Drives: what was plugged in and is not listed, the ledger, the rules, the draft that becomes the next version, and its way to the PCs. Only
// administrators change things; auditors read the same.
import { useState } from "preact/hooks";
import { api, type Policy } from "../../core/api";
import { may, useDesk } from "../../core/desk";
import { momentOf } from "../../core/format";
import { useLive } from "../../core/live";
import { useResource } from "../../core/resource";
import type { Route } from "../../core/router";
import { isStale, rebaseDraft, useDraft } from "../../policy/draft";
import { Empty, Failure, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Arrival } from "./arrival";
import { LedgerView } from "./ledger";
import { Review } from "./review";
import { Rules } from "./rules";
import { Seen } from "./seen";
import { TrialView } from "./trial";

const TABS = ["seen", "ledger", "rules", "draft", "trial", "arrival"] as const;
type Tab = (typeof TABS)[number];

export function Drives({ route }: { route: Route }) {
  const { words, session } = useDesk();
  const d = words.drives;
  const policy = useResource("policy", (signal) => api.policy(signal));
  const draft = useDraft();
  useLive((kinds) => {
    if (kinds["admin"] || kinds["policy"]) policy.reload();
  });
  // What this page has pushed itself is known before it is read back. Until then nothing is shown of the version before: a draft begun from it
  // would be an old one at once.
  const [own, setOwn] = useState(0);
  const current = policy.data && policy.data.version >= own ? policy.data : null;
  const pushed = (version: number) => {
    setOwn(version);
    policy.reload();
  };
  const named = route.path.split("/")[2];
  const tab: Tab | null = named === undefined ? "seen" : (TABS.find((t) => t === named) ?? null);
  const write = may(session, "administrator");
  return (
    <div class="drives">
      <div class="head-line">
        <h1>{d.title}</h1>
        {current && <Version of={current} />}
      </div>
      <nav class="tabs" aria-label={d.title}>
        <ul>
          {TABS.filter((t) => t !== "draft" || write).map((t) => (
            <li key={t}>
              <a href={t === "seen" ? "#/drives" : `#/drives/${t}`} aria-current={t === tab ? "page" : undefined}>
                {t === "draft" ? d.draft : d.tabs[t]}
                {t === "draft" && draft && <span class="tab-mark" title={d.draftChanged} role="img" aria-label={d.draftChanged} />}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {policy.error && <Failure error={policy.error} retry={policy.reload} />}
      {!current && !policy.error && <Loading />}
      {current && draft && isStale(draft, current) && write && (
        <div class="notice line">
          <p>{d.draftOld(current.version)}</p>
          <button type="button" class="quiet" onClick={() => rebaseDraft(current)}>
            {d.draftOnTop(current.version)}
          </button>
        </div>
      )}
      {current && !write && (tab === "ledger" || tab === "rules") && <p class="hint">{d.readOnly}</p>}
      {current && <Body tab={tab} policy={current} pushed={pushed} reload={policy.reload} write={write} query={route.query} />}
    </div>
  );
}

function Version({ of: p }: { of: Policy }) {
  const { words } = useDesk();
  const d = words.drives;
  if (!p.version) return <p class="quiet-text">{d.versionNone}</p>;
  const expired = p.not_after !== null && new Date(p.not_after).getTime() < Date.now();
  return (
    <p class="quiet-text">
      <strong>{d.version(p.version)}</strong>
      {p.issued && (
        <>
          {" · "}
          <Text of={d.signedBy(p.signer, momentOf(p.issued))} />
        </>
      )}
      {p.not_after && <> · {d.validUntil(momentOf(p.not_after))}</>}
      {expired && <span class="tag tag-alarm">{d.expired}</span>}
    </p>
  );
}

interface BodyProps {
  tab: Tab | null;
  policy: Policy;
  /** This page has pushed that version. */
  pushed: (version: number) => void;
  /** Perhaps another version was pushed that this page has not heard of. */
  reload: () => void;
  write: boolean;
  query: URLSearchParams;
}

function Body({ tab, policy, pushed, reload, write, query }: BodyProps) {
  const { words } = useDesk();
  switch (tab) {
    case "seen":
      return <Seen policy={policy} write={write} />;
    case "ledger":
      return <LedgerView policy={policy} write={write} />;
    case "rules":
      return <Rules policy={policy} write={write} />;
    case "draft":
      return <Review policy={policy} pushed={pushed} reload={reload} />;
    case "trial":
      return <TrialView policy={policy} query={query} />;
    case "arrival":
      return <Arrival />;
    case null:
      return <Empty>{words.errors.notFound}</Empty>;
  }
}

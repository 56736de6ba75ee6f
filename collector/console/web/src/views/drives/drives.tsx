// Drives: what was plugged in and is not listed, the ledger, the rules, the draft that becomes the next version, and its way to the PCs. Only
// administrators change things; auditors read the same.
import { api, type Policy } from "../../core/api";
import { may, useDesk } from "../../core/desk";
import { momentOf } from "../../core/format";
import { useLive } from "../../core/live";
import { useResource, type Resource } from "../../core/resource";
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
  const named = route.path.split("/")[2];
  const tab: Tab | null = named === undefined ? "seen" : (TABS.find((t) => t === named) ?? null);
  const write = may(session, "administrator");
  return (
    <div class="drives">
      <div class="head-line">
        <h1>{d.title}</h1>
        {policy.data && <Version of={policy.data} />}
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
      {!policy.data && !policy.error && <Loading />}
      {policy.data && draft && isStale(draft, policy.data) && write && (
        <div class="notice line">
          <p>{d.draftOld(policy.data.version)}</p>
          <button type="button" class="quiet" onClick={() => policy.data && rebaseDraft(policy.data)}>
            {d.draftOnTop(policy.data.version)}
          </button>
        </div>
      )}
      {policy.data && !write && (tab === "ledger" || tab === "rules") && <p class="hint">{d.readOnly}</p>}
      {policy.data && <Body tab={tab} policy={policy.data} resource={policy} write={write} query={route.query} />}
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
  resource: Resource<Policy>;
  write: boolean;
  query: URLSearchParams;
}

function Body({ tab, policy, resource, write, query }: BodyProps) {
  const { words } = useDesk();
  switch (tab) {
    case "seen":
      return <Seen policy={policy} write={write} />;
    case "ledger":
      return <LedgerView policy={policy} write={write} />;
    case "rules":
      return <Rules policy={policy} write={write} />;
    case "draft":
      return <Review policy={policy} pushed={resource.reload} />;
    case "trial":
      return <TrialView policy={policy} query={query} />;
    case "arrival":
      return <Arrival />;
    case null:
      return <Empty>{words.errors.notFound}</Empty>;
  }
}

// The proof of a record: what the server checked just now, where the segment stands in the log, and the files with which anybody can check
// again. What the server says of itself is shown as that: the files are the proof.
import { useState } from "preact/hooks";
import { api, type Proven, type Refusal } from "../../core/api";
import { may, useDesk } from "../../core/desk";
import { count, momentOf, span } from "../../core/format";
import { toRefusal } from "../../core/resource";
import { Copy, explain, Icon, saveFile } from "../../ui/parts";
import { Mono, Text } from "../../ui/text";
import { Section } from "./detail";

export function Proof({ proven }: { proven: Proven }) {
  const { words, language } = useDesk();
  const d = words.detail;
  const { segment: s, log, verified: v } = proven;
  const good = v.signature && v.inclusion;
  const terms: [string, preact.ComponentChildren][] = [
    [d.terms.producer, <Text of={s.producer} />],
    [d.terms.seq, count(s.seq, language)],
    [d.terms.records, count(s.records, language)],
    [d.terms.span, `${momentOf(s.first)} – ${momentOf(s.last)}`],
    [d.terms.hash, <Hash of={s.hash} />],
    [d.terms.previous, s.previous ? <Hash of={s.previous} /> : d.beginning],
    [d.terms.body, <Hash of={s.body_hash} />],
    [d.terms.epoch, count(s.epoch, language)],
    [d.terms.boot, <Hash of={s.boot} />],
    [d.terms.policy, s.policy || words.common.none],
    [d.terms.flags, s.flags.join(", ") || words.common.none],
    [d.terms.root, <Hash of={log.root} />],
  ];
  return (
    <Section title={d.proof}>
      <div class={good ? "seal seal-good" : "seal seal-bad"} role={good ? undefined : "alert"}>
        <p class="seal-title">
          <Icon name={good ? "check" : "close"} />
          {good ? d.verified : d.notVerified}
        </p>
        <ul>
          <li>
            {d.signature}: <strong>{v.signature ? d.good : d.bad}</strong>
          </li>
          <li>
            {d.inclusion}: <strong>{v.inclusion ? d.good : d.bad}</strong>
          </li>
          {log.cosigned.length > 0 && (
            <li title={log.cosigned.map((w) => `${w.name ?? w.host.slice(0, 12)} ${momentOf(w.time)}`).join("\n")}>
              {d.cosigned(count(log.cosigned.length, language))}
            </li>
          )}
        </ul>
        {v.why !== null && (
          <p>
            <Text of={v.why} />
          </p>
        )}
      </div>
      <Position index={log.index} size={log.size} />
      <Time stamped={proven.stamped} />
      <dl class="facts">
        {terms.map(([term, value]) => (
          <div key={term} class="fact">
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Files proven={proven} />
    </Section>
  );
}

/** By which time it was in the log, by an authority that is not the log's. */
function Time({ stamped: t }: { stamped: Proven["stamped"] }) {
  const { words, language } = useDesk();
  const d = words.detail;
  if (!t) return <p class="hint">{d.stampedNot}</p>;
  if (!("token" in t))
    return (
      <p class="wrong" role="alert">
        {d.stampedBad} <Text of={t.why} />
      </p>
    );
  const rows: [string, preact.ComponentChildren][] = [
    [d.stampedTime, t.accuracy_us === null ? momentOf(t.time) : `${momentOf(t.time)} (± ${span(t.accuracy_us, language)})`],
    [d.stampedBy, <Text of={t.authority} />],
    [d.stampedPolicy, <Mono>{t.policy}</Mono>],
    [d.stampedSerial, <Mono>{t.serial}</Mono>],
    [d.stampedTrust, t.trusted === null ? d.stampedUnjudged : t.trusted ? d.good : <span class="verdict-bad">{d.bad}: <Text of={t.why ?? ""} /></span>],
  ];
  return (
    <>
      <h4 class="stamped">{d.stamped}</h4>
      <dl class="facts">
        {rows.map(([term, value]) => (
          <div key={term} class="fact">
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Hash({ of }: { of: string }) {
  return (
    <>
      <span class="mono hash" title={of}>
        {of}
      </span>
      <Copy text={of} />
    </>
  );
}

/** Where among all leaves this one stands: a line, and a tick on it. */
function Position({ index, size }: { index: number; size: number }) {
  const { words, language } = useDesk();
  const at = size > 1 ? (index / (size - 1)) * 100 : 50;
  const text = words.detail.position(count(index, language), count(size, language));
  return (
    <div class="position">
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <path class="position-line" d="M0 3H100" />
        <rect class="position-leaf" x={Math.min(99, Math.max(0, at - 0.500))} y="0" width="1" height="6" />
      </svg>
      <p class="quiet-text">{text}</p>
    </div>
  );
}

function Files({ proven }: { proven: Proven }) {
  const { words, session } = useDesk();
  const d = words.detail;
  const [error, setError] = useState<Refusal | null>(null);
  const name = `sekisho-${proven.segment.hash.slice(0, 16)}`;
  const stamped = proven.stamped && "token" in proven.stamped ? proven.stamped : null;
  const whole = may(session, "auditor") && session.scope === null;
  const segment = () => {
    setError(null);
    api.segment(proven.record.row).then(
      (blob) => saveFile(`${name}.seg`, blob),
      (e: unknown) => setError(toRefusal(e)),
    );
  };
  return (
    <>
      <div class="actions">
        {whole && (
          <button type="button" onClick={segment}>
            <Icon name="save" />
            {d.downloadSegment}
          </button>
        )}
        <button type="button" onClick={() => saveFile(`${name}.tlog-proof`, proven.tlog_proof, "text/plain")}>
          <Icon name="save" />
          {d.downloadProof}
        </button>
        <button type="button" onClick={() => saveFile(`${name}.checkpoint`, proven.log.checkpoint, "text/plain")}>
          <Icon name="save" />
          {d.downloadCheckpoint}
        </button>
        {stamped && (
          <>
            <button type="button" onClick={() => saveFile(`${name}.stamped.tsr`, Uint8Array.from(atob(stamped.token), (c) => c.charCodeAt(0)), "application/timestamp-reply")}>
              <Icon name="save" />
              {d.downloadToken}
            </button>
            <button type="button" onClick={() => saveFile(`${name}.stamped`, stamped.checkpoint, "text/plain")}>
              <Icon name="save" />
              {d.downloadStamped}
            </button>
            <button type="button" onClick={() => saveFile(`${name}.stamped.tlog-proof`, stamped.tlog_proof, "text/plain")}>
              <Icon name="save" />
              {d.downloadStampedProof}
            </button>
          </>
        )}
      </div>
      {error && (
        <p class="wrong" role="alert">
          {explain(error, words)}
        </p>
      )}
      {whole ? (
        <p class="hint">
          {d.again} <Mono>sekishoctl verify {name}.seg</Mono>
        </p>
      ) : (
        <p class="hint">{d.segmentScoped}</p>
      )}
      {stamped && (
        <p class="hint">
          {d.stampedAgain} <Mono>openssl ts -verify -in {name}.stamped.tsr -data {name}.stamped -CAfile CA</Mono>
        </p>
      )}
    </>
  );
}

// One record opened: all its facts, what decided, what happened around it on that PC, and its proof.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { api, type Fact, type Record_ } from "../../core/api";
import { fieldLabel, useDesk, valueLabel } from "../../core/desk";
import { clockOf, count, exactMoment, momentOf, size, span } from "../../core/format";
import { factText, isName, plain } from "../../core/hostile";
import { lensesOf, resultText } from "../../core/record";
import { useResource } from "../../core/resource";
import { routeText } from "../../core/router";
import { Copy, Failure, Icon, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Decided } from "./decided";
import { Proof } from "./proof";
import { Kind, Object_ } from "./table";
import { spoken } from "../../words/phrases";

type GroupName = "when" | "who" | "object" | "device" | "decision" | "amount" | "other";

const groups: [GroupName, string[]][] = [
  ["when", ["time", "boot_time"]],
  ["who", ["user", "uid", "login_uid", "target_user", "target_uid", "program", "comm", "script", "args", "cwd", "pid", "start", "ppid", "parents", "session", "seat", "remote", "service", "container", "mnt_ns"]],
  ["object", ["area", "path", "path2", "class", "device", "fs", "inode", "mode", "new_uid", "new_gid", "size", "open_flags", "operation", "certainty", "reason", "from_class", "from_device", "from_inode"]],
  ["device", ["label", "owner", "maker", "product", "serial", "usb_id", "device_kind", "fingerprint", "interfaces", "port"]],
  ["decision", ["access", "rule", "policy", "policy_mode", "until", "signer", "layers", "enforce"]],
  ["amount", ["read", "written", "duration", "count", "lost", "cause", "exit_code", "signal", "result"]],
];

interface Props {
  row: string;
  close: () => void;
  previous: string | null;
  next: string | null;
}

export function Detail({ row, close, previous, next }: Props) {
  const { words } = useDesk();
  const proven = useResource(`record ${row}`, (signal) => api.record(row, signal));
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // Where the list is beside it, the list keeps the focus; where this covers the list, it takes it.
    if (matchMedia("(max-width: 1180px)").matches) heading.current?.focus();
  }, []);
  return (
    <aside class="detail" aria-labelledby="detail-title">
      <header class="detail-head">
        <h2 id="detail-title" ref={heading} tabIndex={-1}>
          {words.detail.title}
        </h2>
        <Beside to={previous} label={words.detail.previous} icon="up" />
        <Beside to={next} label={words.detail.next} icon="down" />
        <Copy text={location.href} label={words.detail.copyLink} />
        <button type="button" class="icon" onClick={close} aria-label={words.common.close} title={words.common.close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="detail-body" aria-busy={proven.loading}>
        {proven.error && <Failure error={proven.error} retry={proven.reload} />}
        {!proven.data && !proven.error && <Loading />}
        {proven.data && (
          <>
            <Summary record={proven.data.record} />
            <Lenses record={proven.data.record} />
            <Facts record={proven.data.record} />
            <Decided record={proven.data.record} />
            <Around record={proven.data.record} />
            <Proof proven={proven.data} />
          </>
        )}
      </div>
    </aside>
  );
}

function Beside({ to, label, icon }: { to: string | null; label: string; icon: "up" | "down" }) {
  if (!to) return null;
  return (
    <a class="icon" href={to} aria-label={label} title={label}>
      <Icon name={icon} />
    </a>
  );
}

function Summary({ record: r }: { record: Record_ }) {
  const { words } = useDesk();
  return (
    <div class="summary">
      <p class="summary-kind">
        <Kind record={r} />
      </p>
      <p class="summary-object">
        <Object_ record={r} />
      </p>
      <p class="quiet-text">
        {momentOf(r.facts.time)}
        {" · "}
        {isName(r.facts["user"]) && (
          <>
            <Text of={r.facts["user"]} />
            {" · "}
          </>
        )}
        {r.host ? <a href={`#/pcs/${r.host_id}`}><Text of={r.host} /></a> : words.common.unknownPc}
      </p>
    </div>
  );
}

function Lenses({ record }: { record: Record_ }) {
  const { words } = useDesk();
  const l = lensesOf(record);
  const at = new Date(record.facts.time).getTime();
  const near = routeText("/logs", {
    host: record.host || record.host_id,
    since: new Date(at - 300_000).toISOString(),
    until: new Date(at + 300_000).toISOString(),
  });
  return (
    <ul class="lenses" aria-label={words.detail.lenses}>
      {l.file && <li><a href={l.file}>{words.detail.toFile}</a></li>}
      {l.life && <li><a href={l.life}>{words.detail.toLife}</a></li>}
      {l.drive && <li><a href={l.drive}>{words.detail.toDrive}</a></li>}
      {l.day && <li><a href={l.day}>{words.detail.toDay(plain(factText(record.facts["user"])))}</a></li>}
      <li><a href={near}>{words.detail.toNear}</a></li>
    </ul>
  );
}

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="block">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

export function Facts({ record: r }: { record: Record_ }) {
  const { words, vocabulary, language } = useDesk();
  const named = new Set(groups.flatMap(([, names]) => names));
  const rest = Object.keys(r.facts).filter((name) => name !== "kind" && !named.has(name));
  const shown: [GroupName, string[]][] = [...groups, ["other", rest]];
  return (
    <Section title={words.detail.facts}>
      {shown.map(([group, names]) => {
        const own = names.filter((name) => r.facts[name] !== undefined && r.facts[name] !== null);
        if (!own.length) return null;
        return (
          <div key={group} class="fact-group">
            <h4>{words.detail.groups[group]}</h4>
            <dl class="facts">
              {own.map((name) => (
                <div key={name} class="fact">
                  <dt title={`${name}: ${vocabulary.fields.get(name)?.what ?? ""}`}>{fieldLabel(vocabulary, name, language)}</dt>
                  <dd>
                    <Value name={name} fact={r.facts[name] ?? null} kind={factText(r.facts.kind ?? null)} />
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        );
      })}
    </Section>
  );
}

function Value({ name, fact, kind }: { name: string; fact: Fact; kind: string }) {
  const { vocabulary, language } = useDesk();
  const field = vocabulary.fields.get(name);
  if (typeof fact === "number") return <span class="number">{numberText(name, fact, field?.type, language)}</span>;
  if (!isName(fact)) return <Text of={factText(fact)} />;
  if (field?.type === "enum") return <>{valueLabel(vocabulary, name, factText(fact), language)}</>;
  if (field?.type === "time" && typeof fact === "string")
    return (
      <>
        {exactMoment(fact)}
        <br />
        <span class="quiet-text">{fact}</span>
      </>
    );
  const text = factText(fact);
  if ((name === "args" || name === "parents") && text.includes("\n")) return <Lines text={text} />;
  const lens = { path: "/trace/file", path2: "/trace/file" }[name];
  const said = typeof fact === "string" ? spoken(name, fact, language, kind) : fact;
  return (
    <>
      <span class={field?.type === "bytes" ? "mono breakable" : "breakable"}>
        {lens && typeof fact === "string" && fact.startsWith("/") ? <a href={routeText(lens, { path: fact })}><Text of={fact} /></a> : said === fact ? <Text of={fact} /> : <span title={text}><Text of={said} /></span>}
      </span>
      {text.length > 12 && <Copy text={text} />}
    </>
  );
}

function Lines({ text }: { text: string }) {
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <ol class="lines">
      {lines.map((line, i) => (
        <li key={i}>
          <Text of={line} />
        </li>
      ))}
    </ol>
  );
}

function numberText(name: string, n: number, type: string | undefined, language: string): string {
  if (name === "read" || name === "written" || name === "size") return n < 1000 ? size(n) : `${size(n)} (${count(n, language)})`;
  if (name === "result") return resultText(n);
  if (name === "mode") return n.toString(8).padStart(4, "0");
  if (name === "open_flags" || name === "flags") return `0x${n.toString(16)}`;
  if (type === "duration") return span(n, language);
  // Ids are names, not amounts.
  return /pid|uid|gid|inode|session|mnt_ns|exit_code|signal|policy|seq/.test(name) ? String(n) : count(n, language);
}

function Around({ record }: { record: Record_ }) {
  const { words } = useDesk();
  const near = useResource(`near ${record.row}`, (signal) => api.neighbours(record.row, 6, signal));
  const link = (row: string) => {
    const q = new URLSearchParams(location.hash.split("?")[1] ?? "");
    q.set("open", row);
    return `${location.hash.split("?")[0]}?${q}`;
  };
  return (
    <Section title={words.detail.neighbours}>
      {near.error && <Failure error={near.error} retry={near.reload} />}
      {!near.data && !near.error && <Loading />}
      {near.data && near.data.before.length + near.data.after.length === 0 && <p class="hint">{words.detail.neighboursNone}</p>}
      {near.data && (
        <ol class="around">
          {near.data.before.map((r) => (
            <Near key={r.row} record={r} link={link(r.row)} />
          ))}
          <li class="around-here" aria-current="true">
            <span class="number">{clockOf(record.facts.time)}</span> {words.detail.here}
          </li>
          {near.data.after.map((r) => (
            <Near key={r.row} record={r} link={link(r.row)} />
          ))}
        </ol>
      )}
    </Section>
  );
}

function Near({ record: r, link }: { record: Record_; link: string }) {
  return (
    <li>
      <a class="number" href={link}>
        {clockOf(r.facts.time)}
      </a>{" "}
      <Kind record={r} /> <Object_ record={r} />
    </li>
  );
}

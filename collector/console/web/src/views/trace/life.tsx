// The life of a file: asked for by its path, its number or its SHA-256, and shown as a list in time: made, renamed, copied (from where
// to where, how sure and why), written to a drive, printed, deleted. All of the question stands in the address.
import { useEffect, useId, useState } from "preact/hooks";
import { api, type Life, type Record_ } from "../../core/api";
import { fieldLabel, useDesk, valueLabel } from "../../core/desk";
import { clockOf, dayOf, exactMoment } from "../../core/format";
import { factText, isName, lastPart, nameText } from "../../core/hostile";
import { actOf, amountOf, deviceText, lifeKind, lifeNothing } from "../../core/record";
import { useResource } from "../../core/resource";
import { go, routeText, type Route } from "../../core/router";
import { Empty, Failure, Icon, Loading } from "../../ui/parts";
import { Text } from "../../ui/text";
import { Kind, Object_ } from "../logs/table";

const RANGES = ["-24h", "-7d", "-30d"] as const;

interface Asked {
  of: string;
  host: string;
  since: string;
}

function askedOf(route: Route): Asked {
  const since = route.query.get("since") ?? "";
  return { of: route.query.get("of") ?? "", host: route.query.get("host") ?? "", since: RANGES.some((r) => r === since) ? since : "" };
}

export function LifeView({ route }: { route: Route }) {
  const { words, language, say } = useDesk();
  const t = words.life;
  const asked = askedOf(route);
  const kind = lifeKind(asked.of);
  const query = { of: asked.of, host: asked.host, since: asked.since };
  const life = useResource(kind ? `life ${JSON.stringify(query)}` : null, (signal) => api.life(query, signal));
  const nothing = life.data && lifeNothing(kind, life.data);
  useEffect(() => {
    if (life.data) say(words.logs.rows(life.data.records.length));
  }, [life.data]);
  return (
    <div class="life">
      <header class="trace-head">
        <h1>{t.title}</h1>
        <p class="quiet-text">{t.why}</p>
      </header>
      <Form key={JSON.stringify(asked)} asked={asked} />
      {asked.of && !kind && (
        <p class="wrong" role="alert">
          {t.whichOne}
        </p>
      )}
      {life.error && <Failure error={life.error} retry={life.reload} />}
      {kind && !life.data && !life.error && <Loading />}
      {life.data && (
        <>
          <div class="list-bar">
            <p class="list-count" role="status">
              {words.logs.rows(life.data.records.length)}
              <span class="quiet-text"> · {words.logs.looked(life.data.looked_at)}</span>
            </p>
            <a class="button quiet" href={api.lifeCsvAddress({ ...query, lang: language })} download title={words.logs.csvTitle}>
              <Icon name="save" />
              {words.logs.csv}
            </a>
          </div>
          {!life.data.complete && <p class="caution">{t.cut}</p>}
          {nothing && <Empty>{t[nothing]}</Empty>}
          {life.data.records.length > 0 && <List of={life.data} />}
        </>
      )}
    </div>
  );
}

function Form({ asked }: { asked: Asked }) {
  const { words } = useDesk();
  const t = words.life;
  const [of, setOf] = useState(asked.of);
  const [host, setHost] = useState(asked.host);
  const [since, setSince] = useState(asked.since);
  const hint = useId();
  return (
    <form
      class="filters"
      role="search"
      aria-label={t.title}
      onSubmit={(e) => {
        e.preventDefault();
        go(routeText("/trace/life", { of: of.trim(), host: host.trim(), since }));
      }}
    >
      <div class="filter-line life-line">
        <label class="field life-of">
          {t.of}
          <input type="text" data-find required maxLength={4000} spellcheck={false} autocomplete="off" aria-describedby={hint} value={of} onInput={(e) => setOf(e.currentTarget.value)} />
        </label>
        <label class="field">
          {t.host}
          <input type="text" maxLength={128} spellcheck={false} value={host} onInput={(e) => setHost(e.currentTarget.value)} />
        </label>
        <label class="field">
          {words.logs.time}
          <select value={since} onChange={(e) => setSince(e.currentTarget.value)}>
            <option value="">{words.logs.ranges[""]}</option>
            {RANGES.map((r) => (
              <option key={r} value={r}>
                {words.logs.ranges[r]}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="main">
          {t.show}
        </button>
      </div>
      <p class="hint" id={hint}>
        {t.ofHint}
      </p>
    </form>
  );
}

function List({ of }: { of: Life }) {
  const { words } = useDesk();
  const t = words.life;
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label={t.title}>
      <table class="plain lives">
        <thead>
          <tr>
            <th scope="col">{t.columns.when}</th>
            <th scope="col">{t.columns.what}</th>
            <th scope="col">{t.columns.file}</th>
            <th scope="col">{t.columns.sure}</th>
            <th scope="col">{t.columns.who}</th>
            <th scope="col">{t.columns.where}</th>
          </tr>
        </thead>
        <tbody>
          {of.records.map((r, i) => (
            <Row key={r.row} record={r} newDay={i === 0 || dayOf(of.records[i - 1]?.facts.time ?? "") !== dayOf(r.facts.time)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ record: r, newDay }: { record: Record_; newDay: boolean }) {
  const { words, language } = useDesk();
  const t = words.life;
  const act = actOf(r);
  const until = new Date(new Date(r.facts.time).getTime() + 1000).toISOString();
  const user = r.facts["user"];
  const program = r.facts["program"];
  return (
    <tr class={newDay ? "new-day" : undefined}>
      <th scope="row">
        <a class="number" href={routeText("/logs", { since: "all", ...(r.host ? { host: r.host } : {}), until, open: r.row })} title={exactMoment(r.facts.time)}>
          {dayOf(r.facts.time)} {clockOf(r.facts.time)}
        </a>
      </th>
      <td>
        {act ? (
          <span class="kind channel-file">
            <span class="kind-mark" aria-hidden="true" />
            {t.acts[act]}
          </span>
        ) : (
          <Kind record={r} />
        )}
        <span class="quiet-text number"> {amountOf(r, words, language)}</span>
      </td>
      <td class="life-file">
        <Object_ record={r} />
        <On record={r} />
      </td>
      <td>
        <Sure record={r} />
      </td>
      <td>
        {isName(user) && <Text of={user} />}{" "}
        {isName(program) && (
          <span class="quiet-text">
            <Text of={lastPart(nameText(program))} />
          </span>
        )}
      </td>
      <td>{r.host ? <a href={`#/pcs/${r.host_id}`}><Text of={r.host} /></a> : words.common.unknownPc}</td>
    </tr>
  );
}

/** On which device it lies, and of a copy on which its source does, on which drive it is, and what its content is. */
function On({ record: r }: { record: Record_ }) {
  const { vocabulary, language } = useDesk();
  const place = (name: string) => {
    const value = factText(r.facts[name]);
    return value && valueLabel(vocabulary, "class", value, language);
  };
  const to = place("class");
  const copy = r.facts.kind === "copy";
  const from = copy ? place("from_class") : "";
  const drive = copy ? deviceText(r) : "";
  const hash = copy ? factText(r.facts["hash"]) : "";
  if (!to && !from) return null;
  return (
    <p class="quiet-text">
      {from && (
        <>
          <Text of={from} />{" "}
          <span class="arrow" aria-label="→">
            →
          </span>{" "}
        </>
      )}
      <Text of={to} />
      {drive && (
        <>
          {" "}
          <Text of={drive} />
        </>
      )}
      {hash && (
        <span class="number" title={`${fieldLabel(vocabulary, "hash", language)} ${hash}`}>
          {" "}
          SHA-256 {hash.slice(0, 12)}…
        </span>
      )}
    </p>
  );
}

/** How sure it is that one was made from the other, and what that is known by; of what was judged, the verdict. */
function Sure({ record: r }: { record: Record_ }) {
  const { vocabulary, language } = useDesk();
  const shown = r.facts.kind === "copy" ? ["certainty", "reason"] : r.facts["action"] ? ["action", "rule"] : [];
  return (
    <>
      {shown.map((name) => {
        const value = factText(r.facts[name]);
        return (
          value && (
            <p key={name} class={name === shown[0] ? undefined : "quiet-text"} title={fieldLabel(vocabulary, name, language)}>
              <Text of={valueLabel(vocabulary, name, value, language)} />
            </p>
          )
        );
      })}
    </>
  );
}

// Records as a table, a group of rows for each day. The time of a row is the link that opens it: so it works by keyboard, in a new tab,
// and for screen readers.
import type { Record_ } from "../../core/api";
import { channelOf, weightOf } from "../../core/channels";
import { useDesk, valueLabel } from "../../core/desk";
import { clockOf, dayOf, exactMoment, weekday } from "../../core/format";
import { factText, isName, lastPart, nameText } from "../../core/hostile";
import { accessOf, amountOf, objectOf } from "../../core/record";
import { go } from "../../core/router";
import { Path, Text } from "../../ui/text";
import { spoken } from "../../words/phrases";

export function RecordTable(props: { records: Record_[]; opened: string | null; link: (row: string) => string; label: string }) {
  // Beside an opened record there is room for what it is about, not for all of it.
  const compact = props.opened !== null;
  const { words } = useDesk();
  const c = words.logs.columns;
  const days: { day: string; records: Record_[] }[] = [];
  for (const r of props.records) {
    const day = dayOf(r.facts.time);
    const last = days[days.length - 1];
    if (last?.day === day) last.records.push(r);
    else days.push({ day, records: [r] });
  }
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label={props.label}>
      <table class="records">
        <thead>
          <tr>
            <th scope="col" class="col-time">{c.time}</th>
            <th scope="col" class="col-kind">{c.kind}</th>
            <th scope="col" class="col-user">{c.user}</th>
            <th scope="col" class="col-host">{c.host}</th>
            {!compact && <th scope="col" class="col-program">{c.program}</th>}
            <th scope="col" class="col-object">{c.object}</th>
            {!compact && <th scope="col" class="col-amount">{c.amount}</th>}
          </tr>
        </thead>
        {days.map(({ day, records }) => (
          <tbody key={`${day} ${records[0]?.row}`}>
            <DayRow day={day} time={records[0]?.facts.time ?? ""} columns={compact ? 5 : 7} />
            {records.map((r) => (
              <Row key={r.row} record={r} opened={r.row === props.opened} link={props.link(r.row)} compact={compact} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function DayRow({ day, time, columns }: { day: string; time: string; columns: number }) {
  const { language } = useDesk();
  return (
    <tr class="day">
      <th scope="rowgroup" colSpan={columns}>
        {day} <span class="quiet-text">{weekday(time, language)}</span>
      </th>
    </tr>
  );
}

function Row({ record: r, opened, link, compact }: { record: Record_; opened: boolean; link: string; compact: boolean }) {
  const { words, language } = useDesk();
  const program = r.facts["program"];
  return (
    <tr
      class={opened ? "row opened" : "row"}
      aria-current={opened ? "true" : undefined}
      onClick={(e) => {
        // A click anywhere on the row opens it, but not one that ends a selection of text, nor one on a link.
        if (getSelection()?.isCollapsed && !(e.target instanceof Element && e.target.closest("a,button"))) go(link);
      }}
    >
      <td class="col-time">
        <a href={link} data-row={r.row} title={exactMoment(r.facts.time)}>
          {clockOf(r.facts.time)}
        </a>
      </td>
      <td class="col-kind">
        <Kind record={r} />
      </td>
      <td class="col-user">{isName(r.facts["user"]) && <Text of={r.facts["user"]} cut />}</td>
      <td class="col-host">{r.host ? <Text of={r.host} cut /> : <span class="quiet-text">{words.common.unknownPc}</span>}</td>
      {!compact && <td class="col-program">{isName(program) && <Text of={lastPart(nameText(program))} cut />}</td>}
      <td class="col-object">
        <Object_ record={r} />
      </td>
      {!compact && <td class="col-amount">{amountOf(r, words, language)}</td>}
    </tr>
  );
}

export function Kind({ record: r }: { record: Record_ }) {
  const { vocabulary, language } = useDesk();
  const access = accessOf(r);
  return (
    <span class={`kind kind-${weightOf(r.facts.kind)} channel-${channelOf(r.facts.kind)}`}>
      <span class="kind-mark" aria-hidden="true" />
      {valueLabel(vocabulary, "kind", factText(r.facts.kind), language)}
      {access && <span class={`access access-${/^[a-z-]+$/.test(access) ? access : "other"}`}>{valueLabel(vocabulary, "access", access, language)}</span>}
    </span>
  );
}

export function Object_({ record }: { record: Record_ }) {
  const { vocabulary, language } = useDesk();
  const object = objectOf(record);
  if (!object) return null;
  const said = typeof object.first === "string" && object.fact ? valueLabel(vocabulary, object.fact, spoken(object.fact, object.first, language, factText(record.facts.kind)), language) : object.first;
  return (
    <span class="object">
      {object.kind === "path" ? <Path of={object.first} /> : <Text of={said} cut />}
      {object.second && (
        <>
          <span class="arrow" aria-label="→">
            →
          </span>
          <Path of={object.second} />
        </>
      )}
    </span>
  );
}

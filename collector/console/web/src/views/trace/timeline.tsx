// Records in order of time, by day and hour. What follows itself and is alike (the same kind by the same program on the same PC) is
// folded into one line that opens.
import { useMemo, useState } from "preact/hooks";
import type { Record_ } from "../../core/api";
import { useDesk } from "../../core/desk";
import { clockOf, dayOf, weekday } from "../../core/format";
import { factText, isName, lastPart, nameText } from "../../core/hostile";
import { amountOf } from "../../core/record";
import { routeText } from "../../core/router";
import { Text } from "../../ui/text";
import { Kind, Object_ } from "../logs/table";

export interface Run {
  key: string;
  records: Record_[];
}
export interface Hour {
  title: string;
  day: string;
  runs: Run[];
}

function likeness(r: Record_): string {
  return JSON.stringify([r.facts.kind, r.facts["program"], r.facts["user"], r.host, r.facts["access"]]);
}

/** Runs of at most a quarter of an hour between one and the next. */
export function hoursOf(records: Record_[]): Hour[] {
  const hours: Hour[] = [];
  for (const r of records) {
    const day = dayOf(r.facts.time);
    const title = `${clockOf(r.facts.time, false).slice(0, 2)}:00`;
    let hour = hours[hours.length - 1];
    if (!hour || hour.day !== day || hour.title !== title) {
      hour = { title, day, runs: [] };
      hours.push(hour);
    }
    const key = likeness(r);
    const run = hour.runs[hour.runs.length - 1];
    if (run?.key === key) run.records.push(r);
    else hour.runs.push({ key, records: [r] });
  }
  return hours;
}

export function Timeline({ records, days, subject }: { records: Record_[]; days: boolean; subject: string }) {
  const { language } = useDesk();
  const hours = useMemo(() => hoursOf(records), [records]);
  return (
    <div class="timeline">
      {hours.map((h, i) => {
        const newDay = days && hours[i - 1]?.day !== h.day;
        return (
          <section key={`${h.day} ${h.title}`}>
            {newDay && (
              <h2>
                {h.day} <span class="quiet-text">{weekday(h.runs[0]?.records[0]?.facts.time ?? "", language)}</span>
              </h2>
            )}
            <div class="timeline-hour">
              {days ? <p class="timeline-title">{h.title}</p> : <h2 class="timeline-title">{h.title}</h2>}
              <ol>
                {h.runs.map((run) => (
                  <RunRow key={run.records[0]?.row} run={run} subject={subject} />
                ))}
              </ol>
            </div>
          </section>
        );
      })}
    </div>
  );
}

function RunRow({ run, subject }: { run: Run; subject: string }) {
  const { words, language } = useDesk();
  const [open, setOpen] = useState(false);
  const [first] = run.records;
  if (!first) return null;
  if (run.records.length > 2 && !open) {
    const last = run.records[run.records.length - 1];
    return (
      <li class="run run-folded">
        <span class="number">
          {clockOf(first.facts.time)}–{clockOf(last?.facts.time ?? first.facts.time)}
        </span>
        <Kind record={first} />
        <Who record={first} subject={subject} />
        <button type="button" class="quiet" aria-expanded={false} onClick={() => setOpen(true)}>
          {words.trace.folded(run.records.length)}
        </button>
      </li>
    );
  }
  return (
    <>
      {run.records.map((r) => (
        <li key={r.row} class="run">
          <a class="number" href={routeText("/logs", { since: "all", ...(r.host ? { host: r.host } : {}), until: after(r.facts.time), open: r.row })}>
            {clockOf(r.facts.time)}
          </a>
          <Kind record={r} />
          <Who record={r} subject={subject} />
          <Object_ record={r} />
          <span class="quiet-text number">{amountOf(r, words, language)}</span>
        </li>
      ))}
    </>
  );
}

function after(time: string): string {
  return new Date(new Date(time).getTime() + 1000).toISOString();
}

function Who({ record: r, subject }: { record: Record_; subject: string }) {
  const user = r.facts["user"];
  const program = r.facts["program"];
  return (
    <span class="run-who">
      {isName(user) && factText(user) !== subject && <Text of={user} />}
      {isName(program) && (
        <span class="quiet-text">
          <Text of={lastPart(nameText(program))} />
        </span>
      )}
      {r.host && (
        <span class="quiet-text">
          <Text of={r.host} />
        </span>
      )}
    </span>
  );
}

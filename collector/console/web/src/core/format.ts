// Numbers, sizes, times and durations for people. Times are the browser's own zone; day and clock are written alike in both
// languages (2026-11-25 14:03:22), since they are compared and sorted by eye.

const two = (n: number) => String(n).padStart(2, "0");

/** A moment that no Date holds (of a PC that signs what it likes) is shown as the server writes it. */
const isBeyond = (d: Date) => Number.isNaN(d.getTime());

export function dayOf(time: string | Date): string {
  const d = typeof time === "string" ? new Date(time) : time;
  if (isBeyond(d)) return String(time).replace(/T.*/, "");
  return `${String(d.getFullYear()).padStart(4, "0")}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

export function clockOf(time: string | Date, seconds = true): string {
  const d = typeof time === "string" ? new Date(time) : time;
  if (isBeyond(d)) return /T(\d\d:\d\d(?::\d\d)?)/.exec(String(time))?.[1] ?? "";
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ""}`;
}

export function momentOf(time: string): string {
  return `${dayOf(time)} ${clockOf(time)}`;
}

/** With the microseconds that the record has: they do not fit into a Date. */
export function exactMoment(time: string): string {
  return `${momentOf(time)}.${/\.(\d{6})/.exec(time)?.[1] ?? "000000"}`;
}

export function weekday(time: string, language: string): string {
  const d = new Date(time);
  return isBeyond(d) ? "" : new Intl.DateTimeFormat(language, { weekday: "short" }).format(d);
}

/** "3 minutes ago", in the language; of what lies ahead, "in 3 minutes". */
export function ago(time: string, now: number, language: string): string {
  const s = (new Date(time).getTime() - now) / 1000;
  if (Number.isNaN(s)) return momentOf(time);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [86400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ];
  for (const [size, unit] of steps) if (Math.abs(s) >= size) return format.format(Math.trunc(s / size), unit);
  return format.format(Math.trunc(s), "second");
}

export function count(n: number, language: string): string {
  return new Intl.NumberFormat(language).format(n);
}

/** 1.2 MB: powers of 1000, as file managers and drives have them; exact bytes below 1000. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let n = bytes;
  let u = 0;
  while (n >= 999.5 && u < units.length - 1) {
    n /= 1000;
    u++;
  }
  return `${u === 0 || n >= 99.95 ? Math.round(n) : n.toFixed(1)} ${units[u]}`;
}

const UNITS = { en: { day: "d", hour: "h", minute: "min", second: "s" }, ja: { day: "日", hour: "時間", minute: "分", second: "秒" } };

/** Of microseconds: 1 d 2 h, 3 min 4 s, 1.25 s, 12 ms. */
export function span(us: number, language: string): string {
  const { day, hour, minute, second } = UNITS[language === "ja" ? "ja" : "en"];
  if (us < 1000) return `${us} µs`;
  if (us < 1e6) return `${Math.round(us / 1000)} ms`;
  if (us < 60e6) return `${(us / 1e6).toFixed(us < 10e6 ? 2 : 1)} ${second}`;
  const s = Math.round(us / 1e6);
  if (s < 3600) return `${Math.floor(s / 60)} ${minute} ${s % 60} ${second}`;
  if (s < 86400) return `${Math.floor(s / 3600)} ${hour} ${Math.floor((s % 3600) / 60)} ${minute}`;
  return `${Math.floor(s / 86400)} ${day} ${Math.floor((s % 86400) / 3600)} ${hour}`;
}

/** RFC 3339 for the server, of what <input type=datetime-local> gives (the browser's zone); "" where it is no time. */
export function toMoment(local: string): string {
  const d = new Date(local);
  return local && !Number.isNaN(d.getTime()) ? d.toISOString() : "";
}

export function toLocal(moment: string): string {
  const d = new Date(moment);
  return Number.isNaN(d.getTime()) ? "" : `${dayOf(d)}T${clockOf(d)}`;
}

/** "A, B and C" as the language says it. */
export function listed(items: string[], language: string): string {
  return new Intl.ListFormat(language, { type: "conjunction" }).format(items);
}

// What a record says, in the few words of a table row: what it is about, how much it was, and which other views it leads to. Full
// facts are in the detail; nothing is decided here.
import type { Name, Record_ } from "./api";
import { channelOf } from "./channels";
import { factText, isName } from "./hostile";
import { size, span } from "./format";
import { routeText } from "./router";
import { dayOf } from "./format";
import type { Language, Words } from "../words";

export function nameFact(r: Record_, name: string): Name | null {
  const fact = r.facts[name];
  return isName(fact) ? fact : null;
}

function numberFact(r: Record_, name: string): number | null {
  const fact = r.facts[name];
  return typeof fact === "number" ? fact : null;
}

export interface ObjectWords {
  kind: "path" | "text";
  first: Name;
  /** the fact that `first` is, where it may be a word of ours */
  fact?: string;
  /** new name, link target, printer */
  second?: Name;
}

/** What the record is about. */
export function objectOf(r: Record_): ObjectWords | null {
  const path = nameFact(r, "path");
  const path2 = nameFact(r, "path2");
  const channel = channelOf(r.facts.kind);
  const args = nameFact(r, "args");
  if (channel === "program" && args) {
    const text = typeof args === "string" ? args.replace(/\n$/, "").replaceAll("\n", " ") : args;
    return { kind: "text", first: text };
  }
  const printer = nameFact(r, "printer");
  if (channel === "print" && printer) {
    const title = nameFact(r, "title");
    return title ? { kind: "text", first: title, second: printer } : { kind: "text", first: printer };
  }
  const device = deviceText(r);
  if (channel === "usb" && device) return { kind: "text", first: path ? `${device}  ${factText(path)}` : device };
  // Of a copy the second path is what it was made from.
  if (path && path2 && r.facts.kind === "copy") return { kind: "path", first: path2, second: path };
  if (path) return path2 ? { kind: "path", first: path, second: path2 } : { kind: "path", first: path };
  if (device) return { kind: "text", first: device };
  for (const name of ["target_user", "text", "peer_name", "signer", "cause"]) {
    const text = factText(r.facts[name]);
    if (text) return { kind: "text", first: text, fact: name };
  }
  return null;
}

/** Label by the ledger, else what the device says of itself. */
export function deviceText(r: Record_): string {
  const label = factText(r.facts["label"]);
  const own = [factText(r.facts["maker"]), factText(r.facts["product"])].filter(Boolean).join(" ");
  const serial = factText(r.facts["serial"]);
  return [label || own || factText(r.facts["usb_id"]), serial].filter(Boolean).join("  ");
}

const errnos: Partial<Record<number, string>> = {
  1: "EPERM", 2: "ENOENT", 5: "EIO", 13: "EACCES", 16: "EBUSY", 17: "EEXIST", 18: "EXDEV", 20: "ENOTDIR", 21: "EISDIR",
  22: "EINVAL", 26: "ETXTBSY", 28: "ENOSPC", 30: "EROFS", 39: "ENOTEMPTY", 40: "ELOOP", 116: "ESTALE", 126: "ENOKEY",
};

export function resultText(result: number): string {
  return result < 0 ? (errnos[-result] ?? `errno ${-result}`) : String(result);
}

/** How much: bytes read and written, how often, how long, or that it failed. */
export function amountOf(r: Record_, words: Words, language: Language): string {
  const out: string[] = [];
  const pages = numberFact(r, "pages");
  const copies = numberFact(r, "copies");
  if (channelOf(r.facts.kind) === "print" && pages) out.push(words.drives.trial.pages(pages));
  if (copies && copies > 1) out.push(`× ${copies}`);
  const read = numberFact(r, "read");
  const written = numberFact(r, "written");
  const times = numberFact(r, "count") ?? numberFact(r, "lost");
  const result = numberFact(r, "result");
  if (result !== null && result < 0) out.push(resultText(result));
  if (read) out.push(`↓ ${size(read)}`);
  if (written) out.push(`↑ ${size(written)}`);
  if (times && times > 1) out.push(`× ${times}`);
  const code = numberFact(r, "exit_code");
  if (r.facts.kind === "exit") {
    if (code) out.push(`exit ${code}`);
    const lasted = numberFact(r, "duration");
    if (lasted !== null) out.push(span(lasted, language));
  }
  const policy = numberFact(r, "policy");
  if (r.facts.kind === "policy" && policy !== null) out.push(`v${policy}`);
  return out.join("  ");
}

/** What was decided, where something was. */
export function accessOf(r: Record_): string | null {
  const access = factText(r.facts["access"]);
  return access && ["decision", "denied", "release", "write-seen", "plug", "medium", "release-end"].includes(r.facts.kind) ? access : null;
}

/** Kinds whose hash is that of a file's content: those of collector/store/life.c. */
const contents = ["print", "print-result", "print-copy", "drive-file", "drive-copy", "drive-sealed", "drive-opened", "reason-given", "reason-missing", "malware"];
/** Kinds whose path is that of a file that people work with. */
const files = [...contents, "file", "rename", "link", "unlink", "truncate", "chmod", "chown", "copy", "file-refused"];

export type LifeKind = "path" | "number" | "hash";

/** What such a question is, as the server understands it; null: it is none. */
export function lifeKind(of: string): LifeKind | null {
  if (of.startsWith("/")) return "path";
  if (/^[0-9a-f]{64}$/i.test(of)) return "hash";
  return /^(0|[1-9]\d*):(0|[1-9]\d*)\/\d+$/.test(of) ? "number" : null;
}

/** That nothing is recorded: said only where all of it was looked at. */
export function lifeNothing(kind: LifeKind | null, of: { records: readonly unknown[]; complete: boolean }): "none" | "noneBy" | null {
  if (of.records.length > 0 || !of.complete) return null;
  return kind === "path" ? "none" : "noneBy";
}

/** By what the life of the record's file is asked for; "" where it has none. A name that is no text has a number. */
export function lifeOf(r: Record_): string {
  const path = r.facts["path"];
  const hash = r.facts["hash"];
  const device = r.facts["device"];
  const inode = r.facts["inode"];
  if (!files.includes(r.facts.kind)) return "";
  if (typeof path === "string" && path.startsWith("/")) return path;
  if (typeof hash === "string" && contents.includes(r.facts.kind) && lifeKind(hash) === "hash") return hash;
  const number = typeof device === "string" && typeof inode === "number" ? `${device}/${inode}` : "";
  return lifeKind(number) ? number : "";
}

export type Act = "made" | "changed" | "read" | null;

/** What a use of a file was, in one word; null: its kind says it. */
export function actOf(r: Record_): Act {
  if (r.facts.kind !== "file") return null;
  const flags = r.facts["flags"];
  if (Array.isArray(flags) && flags.includes("created")) return "made";
  if (numberFact(r, "written")) return "changed";
  return numberFact(r, "read") ? "read" : null;
}

/** Where the record leads: the file, the person's day, the drive. A name that is no text leads nowhere: filters are text. */
export function lensesOf(r: Record_): { file?: string; file2?: string; life?: string; day?: string; drive?: string } {
  const path = r.facts["path"];
  const path2 = r.facts["path2"];
  const user = r.facts["user"];
  const serial = r.facts["serial"];
  const usb = r.facts["usb_id"];
  const out: ReturnType<typeof lensesOf> = {};
  if (typeof path === "string" && path.startsWith("/")) out.file = routeText("/trace/file", { path });
  if (typeof path2 === "string" && path2.startsWith("/")) out.file2 = routeText("/trace/file", { path: path2 });
  const of = lifeOf(r);
  if (of) out.life = routeText("/trace/life", { of, host: r.host || r.host_id });
  if (typeof user === "string" && user) out.day = routeText("/trace/day", { user, date: dayOf(r.facts.time) });
  const device = typeof serial === "string" && serial ? serial : typeof usb === "string" ? usb : "";
  if (device) out.drive = routeText("/trace/drive", { device });
  return out;
}


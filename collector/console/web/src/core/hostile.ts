// Names, paths and titles come from PCs: whoever makes a file there writes here. This file takes such text apart into what can be
// read as it stands and what must be made visible (controls, direction marks, what is invisible). Nothing here makes HTML.
import type { Fact, Name } from "./api";

export interface Piece {
  text: string;
  /** What stands there instead: "U+202E". Absent: text to be shown as it is. */
  code?: string;
}

// Controls (but not the space), soft hyphen, direction marks, zero-width and other invisible signs, line separators, tags and
// variation selectors beyond the usual ones, halves of surrogate pairs, and spaces that are no space.
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff]|[\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|[\ud800-\udfff]/gu;

export function codeOf(sign: string): string {
  return `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (found.index > at) out.push({ text: text.slice(at, found.index) });
    out.push({ text: found[0], code: codeOf(found[0]) });
    at = found.index + found[0].length;
  }
  if (at < text.length) out.push({ text: text.slice(at) });
  return out;
}

/** Text with everything hidden spelled out: for titles, labels, file names, announcements. */
export function plain(text: string): string {
  return pieces(text)
    .map((p) => (p.code ? `[${p.code}]` : p.text))
    .join("");
}

/** Bytes that are no UTF-8: what can be read is, the rest is "\xNN". */
export function hexText(hex: string): string {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (two) => parseInt(two, 16));
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    let size = 0;
    // The shortest run of one to four bytes that is one sign.
    for (let n = 1; n <= 4 && at + n <= bytes.length && !size; n++) {
      try {
        out += decoder.decode(bytes.subarray(at, at + n));
        size = n;
      } catch {
        // Not yet a sign, or never one.
      }
    }
    if (!size) {
      out += `\\x${(bytes[at] ?? 0).toString(16).padStart(2, "0")}`;
      size = 1;
    }
    at += size;
  }
  return out;
}

export function nameText(name: Name): string {
  return typeof name === "string" ? name : hexText(name.hex);
}

export function isName(fact: Fact | undefined): fact is Name {
  return typeof fact === "string" || (typeof fact === "object" && fact !== null && "hex" in fact && typeof fact.hex === "string");
}

/** A fact as text, "" where it is not there. */
export function factText(fact: Fact | undefined): string {
  if (fact === undefined || fact === null) return "";
  if (isName(fact)) return nameText(fact);
  if (Array.isArray(fact)) return fact.map(factText).join(", ");
  return typeof fact === "object" ? JSON.stringify(fact) : String(fact);
}

/** The last part of a path; the whole where there is none. */
export function lastPart(path: string): string {
  const whole = path.replace(/\/+$/, "");
  return whole.slice(whole.lastIndexOf("/") + 1) || path;
}

// CBOR as policy/wire/FORMAT.md has it: deterministic (RFC 8949 section 4.2.1), shortest heads, definite lengths. Only writing, and only
// what a signed policy needs; the order of map keys is the caller's.

export type Bytes = Uint8Array<ArrayBuffer>;

export function concat(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** A head: major type and number, in the shortest form. Numbers up to 2^53 - 1. */
export function head(major: number, n: number): Bytes {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`no number for a head: ${n}`);
  const type = major << 5;
  if (n < 24) return Uint8Array.of(type | n);
  if (n < 0x100) return Uint8Array.of(type | 24, n);
  if (n < 0x10000) return Uint8Array.of(type | 25, n >> 8, n & 0xff);
  const size = n < 0x1_0000_0000 ? 4 : 8;
  const out = new Uint8Array(1 + size);
  out[0] = type | (size === 4 ? 26 : 27);
  let rest = n;
  for (let i = size; i > 0; i--) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return out;
}

export const uint = (n: number): Bytes => head(0, n);
/** Of any sign. */
export const int = (n: number): Bytes => (n < 0 ? head(1, -1 - n) : head(0, n));
export const bytes = (b: Uint8Array): Bytes => concat(head(2, b.length), b);
export const text = (s: string): Bytes => {
  const b = new TextEncoder().encode(s);
  return concat(head(3, b.length), b);
};
export const array = (...items: Uint8Array[]): Bytes => concat(head(4, items.length), ...items);
export const map = (...pairs: [Uint8Array, Uint8Array][]): Bytes => concat(head(5, pairs.length), ...pairs.flat());
export const tag = (n: number, item: Uint8Array): Bytes => concat(head(6, n), item);

// A signed policy, as policy/wire/FORMAT.md ("Signed policies") has it: built and signed here, in the browser. The same texts, times, fleet
// and key give the same bytes as `sekishoctl policy sign`, but for the frame, which here holds raw blocks instead of compressed ones.
import { array, bytes, concat, int, map, tag, text, uint, type Bytes } from "./cbor";

export const BUNDLE_MAX = 2 << 20;
const AAD = "sekisho policy 1";
const COSE_FORMAT = -70001;
const ALG_EDDSA = -8;
const BLOCK_MAX = 128 << 10;

export interface Key {
  /** Ed25519, for signing only. */
  secret: CryptoKey;
  /** 32 bytes */
  public: Bytes;
}

export interface Texts {
  policy_yaml: string;
  devices_csv: string;
}

export interface Bundle extends Texts {
  version: number;
  issued_us: number;
  not_before_us: number;
  not_after_us: number;
  /** 64 hexadecimal digits */
  fleet: string;
}

export function fromHex(hex: string): Bytes {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new TypeError("no hexadecimal digits");
  return Uint8Array.from(hex.match(/../g) ?? [], (two) => parseInt(two, 16));
}

export function toHex(b: Uint8Array): string {
  return Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
}

/** One zstd frame (RFC 8878) of raw blocks: a single segment, its length in four bytes, no checksum. */
export function zstdFrame(content: Uint8Array): Bytes {
  const n = content.length;
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, n & 0xff, (n >> 8) & 0xff, (n >> 16) & 0xff, (n >>> 24) & 0xff)];
  for (let at = 0; at === 0 || at < n; at += BLOCK_MAX) {
    const block = content.subarray(at, at + BLOCK_MAX);
    const last = at + BLOCK_MAX >= n ? 1 : 0;
    const h = (block.length << 3) | last;
    parts.push(Uint8Array.of(h & 0xff, (h >> 8) & 0xff, h >> 16), block);
  }
  return concat(...parts);
}

/** The inside of the signature. */
export function payloadOf(b: Bundle, frame: (raw: Bytes) => Uint8Array = zstdFrame): Bytes {
  const utf8 = new TextEncoder();
  const raw = array(bytes(utf8.encode(b.policy_yaml)), bytes(utf8.encode(b.devices_csv)));
  return map(
    [uint(1), uint(b.version)],
    [uint(2), int(b.issued_us)],
    [uint(3), bytes(fromHex(b.fleet))],
    [uint(4), int(b.not_before_us)],
    [uint(5), int(b.not_after_us)],
    [uint(6), uint(raw.length)],
    [uint(8), bytes(frame(raw))],
  );
}

/** The first 8 bytes of SHA-256 of the key's SubjectPublicKeyInfo (RFC 8410). */
export async function kidOf(publicKey: Uint8Array): Promise<Bytes> {
  const spki = concat(fromHex("302a300506032b6570032100"), publicKey);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", spki)).subarray(0, 8);
}

export async function protectedOf(publicKey: Uint8Array): Promise<Bytes> {
  return map([uint(1), int(ALG_EDDSA)], [uint(4), bytes(await kidOf(publicKey))], [int(COSE_FORMAT), uint(1)]);
}

/** What is signed: the Sig_structure of RFC 9052 section 4.4. */
export function toBeSigned(protectedBytes: Uint8Array, payload: Uint8Array): Bytes {
  return array(text("Signature1"), bytes(protectedBytes), bytes(new TextEncoder().encode(AAD)), bytes(payload));
}

export async function signBundle(key: Key, b: Bundle): Promise<Bytes> {
  const payload = payloadOf(b);
  const prot = await protectedOf(key.public);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key.secret, toBeSigned(prot, payload)));
  return tag(18, array(bytes(prot), map(), bytes(payload), bytes(signature)));
}

/** `version:` of policy.yaml; null where there is none at the beginning of a line. */
export function versionOf(yaml: string): number | null {
  const found = /^version[ \t]*:[ \t]*(\d{1,15})[ \t]*(#.*)?\r?$/m.exec(yaml);
  return found ? Number(found[1]) : null;
}

/** The same text under another version; a text without one gets it in front. */
export function withVersion(yaml: string, version: number): string {
  return versionOf(yaml) === null ? `version: ${version}\n${yaml}` : yaml.replace(/^(version[ \t]*:[ \t]*)\d{1,15}/m, `$1${version}`);
}

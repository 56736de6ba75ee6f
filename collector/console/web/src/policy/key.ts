// The administrator's key file: read in this page, used for one signature, and forgotten. It must never be sent, stored or shown.
import { fromHex, type Key } from "./bundle";
import type { Bytes } from "./cbor";

export type KeyProblem = "bad" | "locked" | "crypto";

export class KeyError extends Error {
  constructor(readonly problem: KeyProblem) {
    super(problem);
  }
}

/** DER between the lines of a PEM file. */
export function pemBody(pem: string): Bytes {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(pem)) throw new KeyError("locked");
  const found = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(pem);
  if (!found?.[1]) throw new KeyError("bad");
  try {
    return Uint8Array.from(atob(found[1].replace(/\s/g, "")), (c) => c.charCodeAt(0));
  } catch {
    throw new KeyError("bad");
  }
}

const ALGORITHM_ED25519 = fromHex("06032b6570");

function names(der: Uint8Array, oid: Uint8Array): boolean {
  for (let i = 0; i + oid.length <= der.length; i++) if (oid.every((b, k) => der[i + k] === b)) return true;
  return false;
}

export async function readKey(pem: string): Promise<Key> {
  const der = pemBody(pem);
  if (!names(der, ALGORITHM_ED25519)) throw new KeyError("bad");
  let open: CryptoKey;
  try {
    open = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
  } catch (e) {
    throw new KeyError(e instanceof DOMException && e.name === "NotSupportedError" ? "crypto" : "bad");
  }
  // WebCrypto derives the public half only on the way out; what stays afterwards cannot be taken out.
  const jwk = await crypto.subtle.exportKey("jwk", open);
  const secret = await crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]);
  der.fill(0);
  const x = (jwk.x ?? "").replaceAll("-", "+").replaceAll("_", "/");
  return { secret, public: Uint8Array.from(atob(x), (c) => c.charCodeAt(0)) };
}

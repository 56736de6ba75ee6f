// Passkeys in the browser (W3C Web Authentication): makes and shows them, as the server asks. What comes of it is for the server to judge.
import type { Challenge, MadePasskey, NewChallenge, ShownPasskey, Ways } from "./api";

/** The person, or the browser, ended it: nothing was made or shown. */
export class PasskeyStopped extends Error {
  constructor(readonly known: boolean) {
    super("stopped");
  }
}

/** Passkeys belong to one address: elsewhere the browser would refuse them. */
export function passkeysHere(ways: Ways): boolean {
  return ways.passkeys && ways.origin === location.origin && typeof PublicKeyCredential === "function";
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function base64Of(bytes: ArrayBuffer): string {
  return btoa(Array.from(new Uint8Array(bytes), (b) => String.fromCharCode(b)).join(""));
}

async function credential(asked: Promise<Credential | null>): Promise<PublicKeyCredential> {
  const got = await asked.catch((e: unknown) => {
    // One name for all that people do, on purpose: closing the window, waiting too long, none that fits.
    if (e instanceof DOMException) throw new PasskeyStopped(e.name === "InvalidStateError");
    throw e;
  });
  if (!(got instanceof PublicKeyCredential)) throw new PasskeyStopped(false);
  return got;
}

export async function makePasskey(asked: NewChallenge): Promise<MadePasskey> {
  const got = await credential(
    navigator.credentials.create({
      publicKey: {
        challenge: bytesOf(asked.challenge),
        rp: { id: asked.rp_id, name: "Sekisho" },
        user: { id: bytesOf(asked.user_handle), name: asked.account, displayName: asked.account },
        pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
        excludeCredentials: asked.known.map((id) => ({ type: "public-key", id: bytesOf(id) })),
        authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
        attestation: "none",
        timeout: asked.timeout_ms,
      },
    }),
  );
  const response = got.response as AuthenticatorAttestationResponse;
  return { client_data: base64Of(response.clientDataJSON), attestation: base64Of(response.attestationObject) };
}

/** `alone`: without a password, so that the authenticator has to verify the person. */
export async function showPasskey(asked: Challenge, alone: boolean): Promise<ShownPasskey> {
  const got = await credential(
    navigator.credentials.get({
      publicKey: {
        challenge: bytesOf(asked.challenge),
        rpId: asked.rp_id,
        userVerification: alone ? "required" : "preferred",
        timeout: asked.timeout_ms,
      },
    }),
  );
  const response = got.response as AuthenticatorAssertionResponse;
  return {
    id: base64Of(got.rawId),
    client_data: base64Of(response.clientDataJSON),
    authenticator_data: base64Of(response.authenticatorData),
    signature: base64Of(response.signature),
    user_handle: base64Of(response.userHandle ?? new ArrayBuffer(0)),
  };
}

// Signed policies, against one that `sekishoctl policy sign` made (golden/): the same header, the same payload but for the compressed frame, and a
// signature that holds over what we say was signed. Where sekishoctl is at hand (SEKISHOCTL), it judges ours.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { payloadOf, protectedOf, signBundle, toBeSigned, toHex, versionOf, withVersion, zstdFrame, type Bundle } from "../src/policy/bundle";
import { concat, head } from "../src/policy/cbor";
import { KeyError, pemBody, readKey } from "../src/policy/key";

const file = (name: string) => readFileSync(new URL(`golden/${name}`, import.meta.url));
const pem = file("office.key").toString();
const golden = new Uint8Array(file("policy.signed"));

/** What our C programs wrote, taken apart by hand: a reader that shares nothing with the writer under test. */
function read(b: Uint8Array): { value: unknown; end: number } {
  const one = (at: number): { value: unknown; end: number } => {
    const first = b[at] ?? 0;
    const size = [1, 2, 4, 8][(first & 31) - 24] ?? 0;
    let n = first & 31;
    let end = at + 1;
    if (size) {
      n = Number(BigInt(`0x${Buffer.from(b.subarray(end, end + size)).toString("hex")}`));
      end += size;
    }
    const many = (count: number) => {
      const out: unknown[] = [];
      for (let i = 0; i < count; i++) {
        const item = one(end);
        out.push(item.value);
        end = item.end;
      }
      return out;
    };
    switch (first >> 5) {
      case 0: return { value: n, end };
      case 1: return { value: -1 - n, end };
      case 2: return { value: b.subarray(end, end + n), end: end + n };
      case 4: return { value: many(n), end };
      case 5: {
        const flat = many(2 * n);
        return { value: new Map(flat.flatMap((k, i) => (i % 2 ? [] : [[k, flat[i + 1]]]))), end };
      }
      default: return { value: many(1)[0], end };
    }
  };
  return one(0);
}

const [goldProtected, , goldPayload, goldSignature] = read(golden).value as [Uint8Array<ArrayBuffer>, unknown, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
const inside = read(goldPayload).value as Map<number, number & Uint8Array<ArrayBuffer>>;
const bundle: Bundle = {
  version: inside.get(1) ?? 0,
  issued_us: inside.get(2) ?? 0,
  fleet: createHash("sha256").update(file("log.vkey").toString().trimEnd()).digest("hex"),
  not_before_us: inside.get(4) ?? 0,
  not_after_us: inside.get(5) ?? 0,
  policy_yaml: file("policy.yaml").toString(),
  devices_csv: file("devices.csv").toString(),
};

describe("beside sekishoctl's", () => {
  it("has the same protected header, from the same key", async () => {
    const key = await readKey(pem);
    expect(toHex(await protectedOf(key.public))).toBe(toHex(goldProtected));
  });
  it("has the same payload, but for the compressed frame", () => {
    const frame = inside.get(8) as Uint8Array<ArrayBuffer>;
    expect(toHex(payloadOf(bundle, () => frame))).toBe(toHex(goldPayload));
  });
  it("signs what sekishoctl signs", async () => {
    const key = await readKey(pem);
    const verifier = await crypto.subtle.importKey("raw", key.public, "Ed25519", false, ["verify"]);
    expect(await crypto.subtle.verify("Ed25519", verifier, goldSignature, toBeSigned(goldProtected, goldPayload))).toBe(true);
    // Ed25519 is deterministic: with the same payload the whole would be the same bytes.
    const again = new Uint8Array(await crypto.subtle.sign("Ed25519", key.secret, toBeSigned(goldProtected, goldPayload)));
    expect(toHex(again)).toBe(toHex(goldSignature));
  });
  it("carries the name of the key that admin.keys has", async () => {
    const key = await readKey(pem);
    const encoded = file("office.keys").toString().trim().split("+").slice(2).join("+");
    expect(toHex(Buffer.from(encoded, "base64").subarray(1))).toBe(toHex(key.public));
  });
  it.skipIf(!process.env["SEKISHOCTL"])("is taken by sekishoctl policy show", async () => {
    const dir = mkdtempSync(join(tmpdir(), "sekisho-bundle-"));
    try {
      // Texts of several blocks, and of one byte less and more than one.
      for (const size of [0, 100, (128 << 10) - 400, 128 << 10, 1_500_000]) {
        const big = { ...bundle, policy_yaml: `${bundle.policy_yaml}#${"あ".repeat(Math.ceil(size / 3))}\n` };
        writeFileSync(join(dir, "signed"), await signBundle(await readKey(pem), big));
        const out = execFileSync(process.env["SEKISHOCTL"] ?? "", ["policy", "show", join(dir, "signed"), "--admins", new URL("golden/office.keys", import.meta.url).pathname], { maxBuffer: 8 << 20 }).toString();
        expect(out.includes(big.policy_yaml)).toBe(true);
        expect(out.endsWith(`# devices.csv\n${bundle.devices_csv}`)).toBe(true);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe("the frame", () => {
  it("holds its content in raw blocks of at most 128 KiB", () => {
    for (const size of [0, 1, 131071, 131072, 131073, 400000]) {
      const content = Uint8Array.from({ length: size }, (_, i) => i);
      const frame = zstdFrame(content);
      expect(toHex(frame.subarray(0, 5))).toBe("28b52ffda0");
      expect(Buffer.from(frame).readUInt32LE(5)).toBe(size);
      const parts: Uint8Array[] = [];
      for (let at = 9, last = 0; !last; ) {
        const h = Buffer.from(frame).readUIntLE(at, 3);
        last = h & 1;
        expect(h & 6).toBe(0);
        parts.push(frame.subarray(at + 3, at + 3 + (h >> 3)));
        at += 3 + (h >> 3);
        if (last) expect(at).toBe(frame.length);
      }
      expect(Buffer.compare(concat(...parts), content)).toBe(0);
    }
  });
});

it("writes the shortest heads (RFC 8949 appendix A)", () => {
  const vectors: [number, string][] = [[0, "00"], [23, "17"], [24, "1818"], [255, "18ff"], [256, "190100"], [65535, "19ffff"], [65536, "1a00010000"], [1000000, "1a000f4240"], [4294967295, "1affffffff"], [1000000000000, "1b000000e8d4a51000"]];
  for (const [n, hex] of vectors) expect(toHex(head(0, n))).toBe(hex);
  expect(() => head(0, 2 ** 53)).toThrow(RangeError);
  expect(() => head(0, -1)).toThrow(RangeError);
});

it("takes no other key files", async () => {
  await expect(readKey("hello")).rejects.toThrow(KeyError);
  expect(() => pemBody("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----")).toThrow("locked");
  const p256 = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", p256.privateKey)).toString("base64");
  await expect(readKey(`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`)).rejects.toThrow("bad");
  await expect(readKey(pem.replace(/.{8}\n(?=-----END)/, "\n"))).rejects.toThrow(KeyError);
});

it("keeps a key that cannot be taken out", async () => {
  const key = await readKey(pem);
  expect(key.secret.extractable).toBe(false);
  await expect(crypto.subtle.exportKey("pkcs8", key.secret)).rejects.toThrow();
});

it("counts the version of a text", () => {
  expect(versionOf("# version: 3\nversion: 12 # now\n")).toBe(12);
  expect(versionOf("rules: []\n")).toBe(null);
  expect(withVersion("a: 1\nversion:  12 # now\n", 13)).toBe("a: 1\nversion:  13 # now\n");
  expect(withVersion("rules: []\n", 1)).toBe("version: 1\nrules: []\n");
});

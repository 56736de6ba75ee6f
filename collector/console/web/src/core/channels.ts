// Channels: kinds of records as people think of them (USB, files, programs, ...). The server knows kinds only; this is the one table
// that gathers them. A kind that it does not have is "other" and never hidden.

export const CHANNELS = ["print", "usb", "file", "program", "session", "policy", "system", "evidence", "audit", "other"] as const;
export type Channel = (typeof CHANNELS)[number];

const table: Partial<Record<string, Channel>> = {
  plug: "usb", unplug: "usb", decision: "usb", medium: "usb", denied: "usb", release: "usb", "release-refused": "usb",
  "release-end": "usb", "write-seen": "usb", mount: "usb", umount: "usb", mounted: "usb", "drive-file": "usb", "drive-copy": "usb",
  "drive-sealed": "usb", "drive-opened": "usb", malware: "usb", "scan-missed": "usb", "copy-taken": "audit",
  "reason-given": "file", "reason-missing": "file",
  file: "file", copy: "file", rename: "file", link: "file", symlink: "file", unlink: "file", mkdir: "file", rmdir: "file",
  truncate: "file", chmod: "file", chown: "file", "file-refused": "file",
  exec: "program", fork: "program", exit: "program", running: "program",
  login: "session", logout: "session", lock: "session", unlock: "session", "user-change": "session",
  policy: "policy", "policy-refused": "policy",
  "recorder-start": "system", "recorder-stop": "system", heartbeat: "system", "guard-start": "system",
  "guard-stop": "system", sleep: "system", wake: "system", proof: "system", posture: "system", loss: "system", "collector-start": "system",
  enrol: "evidence", revoke: "evidence", retire: "evidence", refused: "evidence", gap: "evidence", forked: "evidence", rejoin: "evidence",
  renew: "evidence", "witness-alarm": "evidence", witness: "evidence", clock: "evidence",
  "own-file": "evidence", "own-files": "system", "self-open": "system", "self-close": "system",
  "agent-upgraded": "system", "clock-set": "evidence", "call-refused": "evidence", "self-refused": "evidence",
  retention: "evidence", expired: "evidence", hold: "evidence", "hold-lifted": "evidence",
  admin: "audit", alert: "audit", "alert-acknowledged": "audit", "alert-unsent": "audit", "herald-start": "system",
};

export function channelOf(kind: string): Channel {
  if (kind.startsWith("console-")) return "audit";
  if (kind.startsWith("print") || kind.startsWith("job")) return "print";
  return (Object.hasOwn(table, kind) && table[kind]) || "other";
}

/** As many kinds as a filter takes. */
export const KINDS_MAX = 32;

/** Kinds of a channel among those that the server knows. */
export function kindsIn(channel: Channel, known: string[]): string[] {
  return known.filter((k) => channelOf(k) === channel);
}

/** How much a kind wants to be seen: it colours its mark. */
export function weightOf(kind: string): "alarm" | "warning" | "plain" {
  if (["denied", "write-seen", "forked", "witness-alarm", "gap", "refused", "loss", "policy-refused", "alert", "own-file", "malware", "call-refused", "self-refused"].includes(kind)) return "alarm";
  if (/-refused$|^(rejoin|revoke|release|recorder-stop|guard-stop|print-missed|clock|clock-set|alert-unsent|scan-missed|self-open|self-close|copy-taken|reason-missing)$|denied|held/.test(kind)) return "warning";
  return "plain";
}

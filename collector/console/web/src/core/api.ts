// What the server says, as types, and the one way to ask it. Follows collector/console/openapi.yaml. Every view asks through here:
// the session's csrf goes along with what changes something, and a session that ended is told to whoever listens.

export type Role = "administrator" | "auditor" | "viewer";
/** Text, or bytes that are no UTF-8. Hostile: show it with <Text>, nothing else. */
export type Name = string | { hex: string };
/** What the vocabulary has by other types (flags: a list of words) comes as it comes: factText() takes it all. */
export type Fact = Name | number | boolean | null | Fact[];

export interface Session {
  account: string;
  roles: Role[];
  scope: string[] | null;
  must: ("password" | "factor")[];
  csrf: string;
  /** It began at the OpenID provider: no password of this console was asked for. */
  federated: boolean;
  idle_seconds: number;
  expires: string;
}
/** By which ways people sign in here. */
export interface Ways {
  origin: string | null;
  passkeys: boolean;
  certificates: boolean;
  certificate: ShownCertificate | null;
  oidc: { name: string } | null;
}
/** What the OpenID provider gave the browser, to be brought on. */
export interface Returned {
  state: string;
  code?: string;
  error?: string;
  iss?: string;
}
export interface SignedOut {
  location: string;
  state: string;
}
/** The password is right, or the provider knows who it is; the account's second factor comes next. */
export interface FactorDue {
  account: string;
  factors: ("code" | "passkey" | "certificate" | "recovery")[];
}
/** One second factor, as somebody shows it. */
export type Factor = { code: string } | { passkey: ShownPasskey } | { certificate: true } | { recovery: string };
/** Who somebody is, shown once more before they change what they sign in with; null: there is nothing to show yet. */
export type Proof = ({ password?: string } & Factor) | null;
/** Recovery codes that were not used yet. */
export interface RecoveryLeft {
  left: number;
  of: number;
  made: string;
}
/** Who somebody is at the provider. */
export interface BoundPerson {
  issuer: string;
  subject: string;
  bound: string;
  used: string | null;
}
/** What this browser showed, and why it is not accepted. */
export interface ShownCertificate {
  name: string;
  refused: "revoked" | "expired" | "early" | "foreign" | "purpose" | "list" | "bad" | null;
}
export interface BoundCertificate {
  fingerprint: string;
  name: string;
  not_after: string;
  bound: string;
  used: string | null;
}
export interface Challenge {
  challenge: string;
  rp_id: string;
  timeout_ms: number;
}
export interface NewChallenge extends Challenge {
  user_handle: string;
  account: string;
  known: string[];
  algorithms: number[];
}
export interface ShownPasskey {
  id: string;
  client_data: string;
  authenticator_data: string;
  signature: string;
  user_handle: string;
}
export interface MadePasskey {
  client_data: string;
  attestation: string;
}
export interface Passkey {
  id: string;
  name: string;
  created: string | null;
  used: string | null;
}
/** Where somebody is signed in besides. */
export interface OtherSession {
  id: string;
  address: string;
  began: string;
  seen: string;
}
export interface Passkeys {
  passkeys: Passkey[];
  most: number;
  codes: boolean;
  recovery: RecoveryLeft | null;
  certificates: BoundCertificate[];
  oidc: BoundPerson | null;
}
export interface Somebody {
  account: string;
  roles: Role[];
  scope: string[] | null;
  disabled: boolean;
  password_due: boolean;
  codes: boolean;
  recovery: RecoveryLeft | null;
  passkeys: Passkey[];
  certificates: BoundCertificate[];
  oidc: BoundPerson | null;
  created: string | null;
  signed_in: string | null;
}
export interface Secret {
  secret: string;
  uri: string;
}
export interface FieldWord {
  name: string;
  type: "uint" | "int" | "name" | "bytes" | "enum" | "time" | "duration";
  en: string;
  ja: string;
  what: string;
  values?: { name: string; en: string; ja: string }[];
}
export interface Record_ {
  row: string;
  host: string;
  host_id: string;
  facts: { kind: string; time: string; [name: string]: Fact };
}
export interface RecordPage {
  records: Record_[];
  next: string | null;
  looked_at: number;
}
/** The life of a file, oldest first. */
export interface Life {
  records: Record_[];
  complete: boolean;
  looked_at: number;
}
export interface Segment {
  producer: string;
  seq: number;
  epoch: number;
  boot: string;
  hash: string;
  previous: string | null;
  body_hash: string;
  records: number;
  first: string;
  last: string;
  policy: number;
  flags: string[];
  means: string | null;
}
export interface Proven {
  record: Record_;
  segment: Segment;
  log: {
    index: number;
    size: number;
    root: string;
    checkpoint: string;
    cosigned: { host: string; name: string | null; time: string }[];
  };
  tlog_proof: string;
  stamped: Stamped | { why: string } | null;
  verified: { signature: boolean; inclusion: boolean; why: string | null };
}
/** By which time a segment was in the log, by an authority (RFC 3161). */
export interface Stamped {
  time: string;
  authority: string;
  policy: string;
  serial: string;
  accuracy_us: number | null;
  trusted: boolean | null;
  why: string | null;
  checkpoint: string;
  tlog_proof: string;
  token: string;
}
export interface Neighbours {
  before: Record_[];
  after: Record_[];
}
export interface Count {
  value: Name;
  count: number;
}
export interface ReportFigure {
  name: string;
  title: string;
  type: "count" | "bytes";
  now: number;
  before: number | null;
  key: boolean;
}
export interface ReportTable {
  name: string;
  section: string;
  title: string;
  note: string | null;
  columns: { name: string; title: string; type: "text" | "count" | "bytes" | "time" }[];
  rows: (string | number | null)[][];
  more: number;
}
export interface Report {
  period: string;
  month: string | null;
  since: string | null;
  until: string | null;
  before: string | null;
  made: string | null;
  by: string;
  host: string;
  log: { origin: string | null; size: number; root: string | null; verified: boolean; included: boolean; unindexed: number };
  figures: ReportFigure[];
  attention: { severity: "alarm" | "warning" | "note"; text: string }[];
  charts: { name: string; title: string; type: "count" | "bytes"; since: string | null; days: number; values: number[] }[];
  tables: ReportTable[];
}
export interface Facets {
  matched: number;
  looked_at: number;
  complete: boolean;
  host: Count[];
  user: Count[];
  kind: Count[];
  class: Count[];
  program: Count[];
  printer: Count[];
  decision: Count[];
}
export interface Attention {
  what: string;
  severity: "alarm" | "warning" | "note";
  host: string;
  host_id: string | null;
  count: number;
  first: string | null;
  last: string | null;
  row?: string;
  text: string;
}
export interface Overview {
  now: string;
  attention: Attention[];
  attention_complete: boolean;
  fleet: {
    known: number;
    connected: number;
    asleep: number;
    silent: number;
    revoked: number;
    policy: number;
    policy_current: number;
    policy_old: number;
  };
  log: { size: number; records: number; index_lag: number; disk_full: boolean };
}
export interface Expiring {
  now: string;
  months: {
    month: string;
    channel: "recorder" | "guard" | "print" | "posture" | "console" | "herald";
    /** null: not counted yet. */
    segments: number | null;
    bytes: number;
    due: string;
    state: "missing" | "going" | "open" | "held" | "looking" | "due" | "kept";
    hold: string | null;
  }[];
  more: boolean;
}
export interface Traffic {
  from: string;
  step: number;
  hours: number;
  complete: boolean;
  series: { kind: string; counts: number[] }[];
}
export interface Host {
  id: string;
  name: string;
  state: "active" | "revoked" | "retired" | "unknown";
  enrolled: string | null;
  seen: string | null;
  connected: boolean;
  policy: number;
  /** Of the program that started last; null: not known. */
  version: string | null;
  means: string | null;
  forked: boolean;
  /** Since when, by its own clock; null: it does not sleep, or nobody knows. */
  asleep: string | null;
  silent: boolean;
}
export interface HostPage {
  hosts: Host[];
  policy: number;
  next: string | null;
}
export interface HostMore {
  host: Host;
  chains: { producer: string; seq: number; heads: number }[];
  recorder: Record_ | null;
  guard: Record_ | null;
  proof: Record_ | null;
  posture: Record_[];
}
export interface Token {
  id: string;
  name: string | null;
  expires: string;
}
export interface Policy {
  version: number;
  signer: string;
  issued: string | null;
  not_before: string | null;
  not_after: string | null;
  /** When the collector took it, and the next one after it. */
  from: string | null;
  to: string | null;
  policy_yaml: string;
  devices_csv: string;
  fleet: string;
  admins: { name: string; key: string }[];
}
export interface PolicyVersion {
  version: number;
  /** null: damaged, or signed by nobody who is an administrator today. */
  signer: string | null;
  issued: string | null;
  not_before: string | null;
  not_after: string | null;
  from: string | null;
  to: string | null;
}
export interface Finding {
  fatal: boolean;
  where: string;
  text: string;
}
export interface Check {
  good: boolean;
  version: number | null;
  findings: Finding[];
}
export interface PolicyStatus {
  version: number;
  in_force: number;
  behind: number;
  away: number;
  hosts: { id: string; name: string; policy: number; connected: boolean; seen: string | null }[];
}
export interface Alert {
  id: string;
  row: string;
  rule: string;
  title: string;
  severity: "alarm" | "warning" | "note";
  host: string;
  host_id: string | null;
  user: Name;
  time: string;
  count: number;
  about: string | null;
  acknowledged: { by: string; time: string; comment: string } | null;
  unsent: string[];
}
export interface Unlisted {
  usb_id: string;
  serial: string;
  maker: string;
  product: string;
  fingerprint: string | null;
  times: number;
  first: string;
  last: string;
  hosts: string[];
  users: string[];
  warning: "none" | "no-serial" | "two-fingerprints" | "short-serial";
  row: string;
  ledger: string;
}
export interface TrialWords {
  count: number;
  /** There are more than could be counted. */
  more: boolean;
  names: string[];
}
export interface TrialCase {
  effect: "stricter" | "looser" | "same";
  /** As the records have it; `noted`: it was not enforced; `was`: what came into force. */
  decided: string;
  noted: boolean;
  was: string;
  now: string;
  rule: string;
  reason: string;
  reason_ja: string;
  times: number;
  last: string | null;
  hosts: TrialWords;
  users: TrialWords;
  device: { kind: string; usb_id: string; serial: string; product: string } | null;
  print: { printer: string; pages: number; title: string | null } | null;
  records: { row: string; time: string | null }[];
}
export interface Trial {
  version: number;
  since: string;
  until: string;
  /** Titles, people and records are in it. */
  reads: boolean;
  looked_at: number;
  of: number;
  of_more: boolean;
  cut: ("records" | "time" | "cases" | "answer")[];
  stricter: number;
  looser: number;
  same: number;
  not_compared: number;
  left_out: number;
  cases_found: number;
  cases: TrialCase[];
}
export interface FiledProof {
  hash: string;
  contractor: string;
  what: string;
  name: string;
  size: number;
  by: string;
  time: string | null;
  /** The file is there. */
  kept: boolean;
}
export interface SavedSearch {
  name: string;
  /** As the address of the logs has it. */
  query: string;
}
export interface SavedSearches {
  /** To be said when they are changed: another browser may have been quicker. */
  version: number;
  searches: SavedSearch[];
}
export interface LogState {
  origin: string;
  size: number;
  root: string;
  checkpoint: string;
  vkey: string;
}

/** Why an answer is none. `word` is the same in every language; status 0: the server was not reached. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly word: string,
    readonly reason: string,
    readonly retryAfter: number | null,
  ) {
    super(`${status} ${word}: ${reason}`);
  }
}

let csrf = "";
let onEnded: () => void = () => undefined;

/** Remembers whose requests these are from now on; null: nobody's. */
export function useToken(session: Session | null): void {
  csrf = session?.csrf ?? "";
}

/** Who is told when the server says that the session is over. */
export function whenEnded(listener: () => void): void {
  onEnded = listener;
}

async function refusalOf(answer: Response): Promise<Refusal> {
  let word = String(answer.status);
  let reason = answer.statusText;
  try {
    const said: unknown = await answer.json();
    if (typeof said === "object" && said !== null) {
      if ("error" in said && typeof said.error === "string") word = said.error;
      if ("reason" in said && typeof said.reason === "string") reason = said.reason;
    }
  } catch {
    // A proxy or a server that is going down answers what it likes: the status says enough.
  }
  const retry = Number(answer.headers.get("Retry-After"));
  return new Refusal(answer.status, word, reason, Number.isFinite(retry) && retry > 0 ? retry : null);
}

interface Asking {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  json?: unknown;
  bytes?: Uint8Array<ArrayBuffer>;
  type?: string;
  signal?: AbortSignal | undefined;
  /** The answer 401 is part of the question (signing in), not the end of a session. */
  quiet?: boolean;
}

async function ask(path: string, how: Asking = {}): Promise<Response> {
  const headers: Record<string, string> = {};
  let body: BodyInit | null = null;
  if (how.json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(how.json);
  } else if (how.bytes) {
    headers["Content-Type"] = how.type ?? "application/octet-stream";
    body = how.bytes;
  }
  if (how.method && how.method !== "GET" && csrf) headers["Sekisho-Csrf"] = csrf;
  let answer: Response;
  try {
    answer = await fetch(path, {
      method: how.method ?? "GET",
      headers,
      body,
      credentials: "same-origin",
      cache: "no-store",
      signal: how.signal ?? null,
    });
  } catch (e) {
    if (e instanceof DOMException && e.name === "AbortError") throw e;
    throw new Refusal(0, "unreachable", String(e), null);
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && !how.quiet) onEnded();
  throw await refusalOf(answer);
}

async function askJson<T>(path: string, how?: Asking): Promise<T> {
  return (await (await ask(path, how)).json()) as T;
}

export type Query = Record<string, string | number | string[] | undefined>;

/** "?a=1&fact=x&fact=y", or nothing; what is empty is left out. */
export function queryText(query: Query): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== "") out.append(name, String(one));
    }
  }
  const text = out.toString();
  return text && `?${text}`;
}

const v1 = "/api/v1";
type Stop = AbortSignal | undefined;
const id = encodeURIComponent;
const withProof = (proof: Proof) => (proof ? { proof } : {});

export const api = {
  session: () => askJson<Session>(`${v1}/session`, { quiet: true }),
  signIn: (account: string, password: string) =>
    askJson<Session | FactorDue>(`${v1}/session`, { method: "POST", json: { account, password }, quiet: true }),
  ways: () => askJson<Ways>(`${v1}/ways`),
  challenge: () => askJson<Challenge>(`${v1}/session/challenge`, { method: "POST", json: {}, quiet: true }),
  signInPasskey: (passkey: ShownPasskey, known: { account: string; password: string } | null) =>
    askJson<Session>(`${v1}/session`, { method: "POST", json: { ...known, passkey }, quiet: true }),
  signInCertificate: (account: string, password: string) =>
    askJson<Session>(`${v1}/session`, { method: "POST", json: { account, password, certificate: true }, quiet: true }),
  providerAddress: () => askJson<{ location: string }>(`${v1}/session/oidc`, { method: "POST", json: {}, quiet: true }),
  providerReturn: (returned: Returned) =>
    askJson<Session | FactorDue>(`${v1}/session/oidc/return`, { method: "POST", json: returned, quiet: true }),
  signInFactor: (factor: Factor) =>
    askJson<Session>(`${v1}/session`, { method: "POST", json: { second: true, ...factor }, quiet: true }),
  passkeys: (signal?: Stop) => askJson<Passkeys>(`${v1}/session/passkeys`, { signal }),
  others: (signal?: Stop) => askJson<{ others: OtherSession[] }>(`${v1}/session/others`, { signal }),
  /** One of them, or all (null). */
  othersEnd: (which: string | null, proof: Proof) =>
    askJson<{ others: OtherSession[] }>(`${v1}/session/others/end`, {
      method: "POST",
      json: { ...(which === null ? {} : { id: which }), ...withProof(proof) },
      quiet: true,
    }),
  passkeyChallenge: (proof: Proof) =>
    askJson<NewChallenge>(`${v1}/session/passkeys/challenge`, { method: "POST", json: withProof(proof), quiet: true }),
  passkeyAdd: (name: string, made: MadePasskey) =>
    askJson<Session>(`${v1}/session/passkeys`, { method: "POST", json: { name, ...made } }),
  passkeyRemove: (key: string, proof: Proof) =>
    askJson<Passkeys>(`${v1}/session/passkeys/${id(key)}/remove`, { method: "POST", json: withProof(proof), quiet: true }),
  totpRemove: (proof: Proof) => askJson<Passkeys>(`${v1}/session/totp/remove`, { method: "POST", json: withProof(proof), quiet: true }),
  recoveryMake: (proof: Proof) =>
    askJson<{ codes: string[] }>(`${v1}/session/recovery`, { method: "POST", json: withProof(proof), quiet: true }),
  people: (signal?: Stop) => askJson<{ people: Somebody[] }>(`${v1}/people`, { signal }),
  peoplePasskeyRemove: (account: string, passkey: string) =>
    askJson<{ disabled: boolean }>(`${v1}/people/passkeys/remove`, { method: "POST", json: { account, passkey } }),
  /** Where the browser goes to sign out at the provider as well; null: nowhere. */
  signOut: async (): Promise<SignedOut | null> => {
    const answer = await ask(`${v1}/session`, { method: "DELETE", quiet: true });
    return answer.status === 200 ? ((await answer.json()) as SignedOut) : null;
  },
  password: (old: string, next: string) =>
    askJson<Session>(`${v1}/session/password`, { method: "POST", json: { old, new: next }, quiet: true }),
  totpSecret: (proof: Proof) => askJson<Secret>(`${v1}/session/totp`, { method: "POST", json: withProof(proof), quiet: true }),
  totpProve: (code: string) => askJson<Session>(`${v1}/session/totp`, { method: "POST", json: { code }, quiet: true }),
  vocabulary: () => askJson<{ fields: FieldWord[] }>(`${v1}/vocabulary`),
  records: (query: Query, signal?: Stop) => askJson<RecordPage>(`${v1}/records${queryText(query)}`, { signal }),
  record: (row: string, signal?: Stop) => askJson<Proven>(`${v1}/records/${id(row)}`, { signal }),
  neighbours: (row: string, each: number, signal?: Stop) =>
    askJson<Neighbours>(`${v1}/records/${id(row)}/neighbours?each=${each}`, { signal }),
  segment: async (row: string) => (await ask(`${v1}/records/${id(row)}/segment`)).blob(),
  searches: (signal?: Stop) => askJson<SavedSearches>(`${v1}/searches`, { signal }),
  searchesSave: (saved: SavedSearches) => askJson<SavedSearches>(`${v1}/searches`, { method: "PUT", json: saved }),
  facets: (query: Query, signal?: Stop) => askJson<Facets>(`${v1}/facets${queryText(query)}`, { signal }),
  /** A file that may be large: the browser keeps it on its disk. */
  bundle: async (query: Query, signal?: Stop) => (await ask(`${v1}/bundle${queryText(query)}`, { signal })).blob(),
  register: async (form: "pdf" | "csv" | "zip", query: Query) =>
    (
      await ask(
        {
          pdf: `${v1}/register.pdf${queryText(query)}`,
          csv: `${v1}/register.csv${queryText(query)}`,
          zip: `${v1}/register.zip${queryText(query)}`,
        }[form],
      )
    ).blob(),
  makeReport: (what: { month?: string; since?: string; until?: string; lang: string }) =>
    askJson<{ id: string }>(`${v1}/reports`, { method: "POST", json: what }),
  report: (which: string, signal?: Stop) => askJson<{ percent: number; report: Report | null }>(`${v1}/reports/${id(which)}`, { signal }),
  reportFile: async (which: string, form: "pdf" | "zip") =>
    (await ask(form === "pdf" ? `${v1}/reports/${id(which)}/pdf` : `${v1}/reports/${id(which)}/zip`)).blob(),
  proofs: (cursor: string | null, signal?: Stop) =>
    askJson<{ proofs: FiledProof[]; next: string | null }>(`${v1}/proofs${queryText({ cursor: cursor ?? undefined })}`, { signal }),
  proof: async (hash: string) => (await ask(`${v1}/proofs/${id(hash)}`)).blob(),
  fileProof: (contractor: string, what: string, name: string, content: string) =>
    askJson<{ hash: string }>(`${v1}/proofs`, { method: "POST", json: { contractor, what, name, content } }),
  life: (query: Query, signal?: Stop) => askJson<Life>(`${v1}/trail${queryText(query)}`, { signal }),
  lifeCsvAddress: (query: Query) => `${v1}/trail.csv${queryText(query)}`,
  csvAddress: (query: Query) => `${v1}/records.csv${queryText(query)}`,
  alerts: (days: number, signal?: Stop) => askJson<{ complete: boolean; alerts: Alert[] }>(`${v1}/alerts?days=${days}`, { signal }),
  acknowledge: (row: string, comment: string) =>
    ask(`${v1}/alerts/${id(row)}/acknowledge`, { method: "POST", json: { comment } }),
  overview: (signal?: Stop) => askJson<Overview>(`${v1}/overview`, { signal }),
  expiring: (signal?: Stop) => askJson<Expiring>(`${v1}/expiring`, { signal }),
  traffic: (hours: number, signal?: Stop) => askJson<Traffic>(`${v1}/traffic?hours=${hours}`, { signal }),
  hosts: (cursor: string | null, signal?: Stop) =>
    askJson<HostPage>(`${v1}/hosts${queryText({ limit: 500, cursor: cursor ?? undefined })}`, { signal }),
  host: (host: string, signal?: Stop) => askJson<HostMore>(`${v1}/hosts/${id(host)}`, { signal }),
  revoke: (host: string, reason: string) =>
    ask(`${v1}/hosts/${id(host)}/revoke`, { method: "POST", json: { reason } }),
  retire: (host: string, reason: string, unheard: boolean) =>
    ask(`${v1}/hosts/${id(host)}/retire`, { method: "POST", json: { reason, unheard } }),
  tokens: (signal?: Stop) => askJson<{ tokens: Token[] }>(`${v1}/tokens`, { signal }),
  makeToken: (name: string | null, valid: number) =>
    askJson<{ token: string }>(`${v1}/tokens`, { method: "POST", json: { name, valid } }),
  /** The newest one, or an earlier version that the collector keeps. */
  policy: (signal?: Stop, version?: number) => askJson<Policy>(`${v1}/policy${queryText({ version })}`, { signal }),
  policyVersions: (cursor: string | null, signal?: Stop) =>
    askJson<{ versions: PolicyVersion[]; next: string | null }>(`${v1}/policy/versions${queryText({ cursor: cursor ?? undefined })}`, { signal }),
  policyPush: (bytes: Uint8Array<ArrayBuffer>) =>
    askJson<{ version: number; connected: number }>(`${v1}/policy`, {
      method: "POST",
      bytes,
      type: "application/vnd.sekisho.policy",
    }),
  policyCheck: (policy_yaml: string, devices_csv: string, signal?: Stop) =>
    askJson<Check>(`${v1}/policy/check`, { method: "POST", json: { policy_yaml, devices_csv }, signal }),
  policyReplay: (texts: { policy_yaml: string; devices_csv: string }, since: string, groups: string[], signal?: Stop) =>
    askJson<Trial>(`${v1}/policy/replay`, {
      method: "POST",
      json: { policy_yaml: texts.policy_yaml, devices_csv: texts.devices_csv, since, groups },
      signal,
    }),
  policyStatus: (signal?: Stop) => askJson<PolicyStatus>(`${v1}/policy/status`, { signal }),
  unlisted: (days: number, signal?: Stop) =>
    askJson<{ complete: boolean; devices: Unlisted[] }>(`${v1}/devices/unlisted?days=${days}`, { signal }),
  log: (signal?: Stop) => askJson<LogState>(`${v1}/log`, { signal }),
};

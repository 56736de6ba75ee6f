// What records say in a few fixed English words of ours, in Japanese: reasons and remarks (text), ways to sign in (service), what was found in a
// document (findings, found). A record is signed as it is, so it stays as it is (and a row's CSV and JSON say it so); this is how the page shows it.
// What is not here is shown as it was told. Held against the programs' sources by test/phrases.test.ts.
import type { Language } from "./index";

/** Whole remarks. */
export const remarks: Readonly<Record<string, string>> = {
  // the console
  "signed out": "サインアウト",
  "cut: more names or records than are followed": "打ち切り: 追跡できる名前・記録の上限を超過",
  "signed out, and sent to the provider to sign out there": "サインアウトし、プロバイダー側のサインアウトへ移動",
  "timed out": "時間切れによるサインアウト",
  "account is gone or disabled": "アカウントが削除または無効化されたため",
  "another password": "パスワードを変更",
  "for a new password": "パスワード変更時",
  "a second factor: codes": "二要素認証を設定: 認証アプリ",
  "a second factor: codes, instead of those before": "二要素認証を再設定: 認証アプリ",
  "second factor removed: codes": "二要素認証を削除: 認証アプリ",
  "recovery codes made": "回復コードを発行",
  "recovery codes made, instead of those before": "回復コードを再発行",
  "not with the certificate that the session began with": "セッション開始時と異なる証明書",
  "the second factor was not shown": "第二要素の提示なし",
  "signed out by the provider meanwhile": "その間にプロバイダー側でサインアウト",
  "the answer is of another issuer, or does not say of which": "別の発行者の応答、または発行者の記載なし",
  "the token was brought before": "一度使われたトークン",
  "no answer": "応答なし",
  "logout tokens": "ログアウトトークン",
  "another device with the same serial number is plugged in": "同じシリアル番号の機器がもう 1 台接続されています",
  "signed out by the provider before the second factor was shown": "第二要素の提示前にプロバイダー側でサインアウト",
  // the collector
  "by token": "登録トークンによる",
  "a collector of this log": "このログのコレクター",
  "counted since the one told": "前回の通知以降の件数",
  "from too many PCs to tell apart": "区別できない多数の PC から",
  "the collector itself": "コレクター自身",
  "segments of two boots come by turns: two machines with the same keys": "2 つの起動の区間が交互に到着: 同じ鍵を持つ PC が 2 台",
  // PCs
  "no sleep is known: it was not said, is told already, or was before the guard was started":
    "対応するスリープの記録なし: 通知がなかった、すでに記録済み、またはデバイス制御の起動前のもの",
  "no area refuses": "拒否の対象となる領域なし",
  "by permissions, or by another rule of this PC (EACCES)": "アクセス権、またはこの PC の他の規則による (EACCES)",
  "by permissions, or by another rule of this PC (EPERM)": "アクセス権、またはこの PC の他の規則による (EPERM)",
  "refused-by=fanotify": "拒否手段: fanotify",
  "refused-by=none": "拒否手段なし",
  "a means that did not hold before holds again": "効いていなかった手段が再び有効",
  "a means that held before does not hold any more": "効いていた手段が無効に",
  "a means that the kernel took does not hold": "カーネルが受け入れた手段が効いていない",
  "every means holds": "すべての手段が有効",
  "the kernel's gate is not there: only udev and flags hold": "カーネルのゲートなし: udev とフラグのみ有効",
  "what is held stays held": "保留中のものは保留のまま",
  "the kernel's gate is there now: started anew with it": "カーネルのゲートが有効になったため再起動",
  "the kernel's gate is another one now: started anew with it": "カーネルのゲートが別のものに替わったため再起動",
  "changes that no package speaks of are told one by one": "パッケージによらない変更は 1 件ずつ記録",
  "the kernel does not protect the agent itself any more": "カーネルによるエージェントの保護が停止",
  "the kernel protects the agent itself": "カーネルがエージェントを保護中",
  "what is done to the agent itself is told, and not refused": "エージェントへの操作は記録のみで拒否しない",
  "what protects the agent itself does not hold any more": "エージェントの保護が無効に",
  "the guard stopped before": "ガードが先に停止",
  "the guard stopped while it was at work with it": "処理中にガードが停止",
  "its backend was killed, which CUPS takes for success": "バックエンドが強制終了され、CUPS は成功とみなした",
  "jobs are held until it is back": "復帰までジョブを保留",
  "jobs print, and are told when it is back": "ジョブは印刷され、復帰後に記録",
  "no wrapper asked for it": "記録用ラッパーを経由しない印刷",
  "there is no inspector: documents are not looked into": "検査プログラムなし: 文書の中身は検査されない",
  "how many is not known: what was not sealed when the power went may be lost": "件数不明: 電源断の時点で未封緘の記録が失われた可能性",
  "was so already when first seen": "最初に確認した時点ですでにこの状態",
  "more files than are looked at": "確認できる数を超えるファイル",
  "only notes": "記録のみ",
  "expired: the built-in defaults hold": "期限切れ: 組み込みの既定値を適用",
  "was written to again and again while held": "保留中に繰り返し書き込まれた",
  "another device with this serial number is plugged in": "同じシリアル番号の機器がもう 1 台接続されています",
  "the device was unplugged": "機器が取り外された",
  "in no rule and in no row of the ledger": "該当する規則も台帳の行もありません",
  "listed, but not for who is here, or not now": "台帳にありますが、この利用者・PC・日時には許可されていません",
  "released by a code of the administrator's": "管理者の解除コードにより一時解除中",
  "no rule fits": "該当する規則がありません",
  "the guard stopped before the copy was made": "控えの作成前にガードが停止",
  "the print gate ended before the copy was made": "控えの作成前に印刷ゲートが終了",
  "too many files wait for their copy": "控えを待つファイルが多すぎる",
  "too many documents wait for their copy": "控えを待つ文書が多すぎる",
  "there is no folder for copies": "控えの保存先なし",
  "it cannot be held open": "ファイルを開いたままにできない",
  "it could not be made": "作成できない",
  "a document was not handed over": "文書が渡されなかった",
  "it was ended at its work: what the file held is whole in it, or in the copy": "処理中に終了: 内容はファイルまたは控えに残っている",
  "it was cut off, and another file lies there now: what it held is in the copy on the PC": "中断後に別のファイルが置かれた: 元の内容は PC の控えに残っている",
  "cut off while the medium was written to, and its copy is gone": "媒体への書き込み中に中断し、控えも失われている",
  "cut off while the medium was written to; goes on when the drive is there": "媒体への書き込み中に中断: ドライブが接続されると再開する",
  "no room on the medium: its content is in the copy on the PC only": "媒体に空きなし: 内容は PC 上の控えのみ",
  "the medium does not hold what was written to it: the copy on the PC is whole": "媒体に書いた内容が残っていない: PC 上の控えは完全",
  "it is open for writing": "書き込み用に開かれている",
  "no room for its sealed copy on the PC": "PC に隔離用の控えの空きなし",
  "it was open for writing: a copy as of this moment is on the PC": "書き込み用に開かれていた: その時点の控えが PC にある",
  "no room for a copy on the PC": "PC に控えの空きなし",
  "not the file that the order is for": "指示書の対象と異なるファイル",
  "no cupsd runs": "cupsd が動作していません",
  "CUPS writes to files and devices itself, without a backend": "CUPS がバックエンドを使わずにファイルやデバイスへ直接書き込みます",
  "one of that name is under way": "同名の控えを作成中",
  "there is one of that name": "同名の控えが存在",
  "the disk is full": "ディスクの空きなし",
  "the document became shorter": "文書が途中で短くなった",
  "it is larger than all that may be kept": "保存できる総量を超える大きさ",
  "what may be kept is full": "保存できる量の上限",
  // words behind others
  forged: "偽造",
  foreign: "別のログのもの",
  old: "古い",
  early: "まだ有効でない",
  expired: "期限切れ",
  bad: "不正な形式",
  administrator: "管理者",
  auditor: "監査者",
  viewer: "閲覧者",
  "the print gate ended before the documents were looked into": "文書の検査前に印刷ゲートが終了",
  // the recorder, of cloud folders: as findings
  "not-looked-at: on a network file system": "未検査: ネットワークファイルシステム上",
  "not-looked-at: the guard was not there": "未検査: ガードが停止中",
  "not-looked-at: no room at the guard": "未検査: ガードの混雑",
  "not-looked-at: the guard could not be told": "未検査: ガードに通知できず",
  "not-looked-at: the path is too long": "未検査: パスが長すぎる",
  "not-looked-at: a symbolic link": "未検査: シンボリックリンク",
};

/**
 * Remarks with parts that differ: a {} in the English is any text, a {#} a number, and {1}, {2} in the Japanese are those. A part that is such a remark itself, and
 * was not told by anybody else, is {=1}.
 */
export const phrases: Readonly<Record<string, string>> = {
  // the console
  "signed out by the provider; it began at {}": "プロバイダー側でのサインアウト({1} から始まったセッション)",
  "the provider said: {}": "プロバイダーの応答: {1}",
  "passkey added: {}": "パスキーを追加: {1}",
  "passkey removed: {}": "パスキーを削除: {1}",
  "passkey removed, account disabled: {}": "パスキーを削除し、アカウントを無効化: {1}",
  "a recovery code was used: {#} left": "回復コードを使用: 残り {1}",
  "subject {}": "プロバイダーの利用者 {1}",
  "OpenID subject bound: {} at {}": "OpenID の利用者を登録: {1}({2})",
  "OpenID subject unbound: {} at {}": "OpenID の利用者の登録を解除: {1}({2})",
  "certificate bound: {}, SHA-256 {}": "証明書を登録: {1}、SHA-256 {2}",
  "certificate unbound: SHA-256 {}": "証明書の登録を解除: SHA-256 {1}",
  "certificate unbound, account disabled: SHA-256 {}": "証明書の登録を解除し、アカウントを無効化: SHA-256 {1}",
  "account made: {}": "アカウントを作成: {=1}",
  "enrolment token, good for {#} s": "登録トークンを発行(有効期間 {1} 秒)",
  "enrolment token, good for {#} s, for {}": "登録トークンを発行(有効期間 {1} 秒、{2} 用)",
  "policy {#} pushed": "ポリシー {1} を配布",
  "policy {#} tried: since={}&until={}": "ポリシー {1} を試行(期間 {2} 〜 {3})",
  // the collector
  "token {} made, good for {#} s": "登録トークン {1} を発行(有効期間 {2} 秒)",
  "token {} made, good for {#} s, for {}": "登録トークン {1} を発行(有効期間 {2} 秒、{3} 用)",
  "the {} of this machine": "このサーバーの {1}",
  "policy refused: {}": "ポリシーを拒否: {=1}",
  "policy {#} pushed, signed by {}": "ポリシー {1} を配布(署名者 {2})",
  "forged: {}": "偽造: {1}",
  "foreign: {}": "別のログのもの: {1}",
  "old: {}": "古い: {1}",
  "early: {}": "まだ有効でない: {1}",
  "expired: {}": "期限切れ: {1}",
  "bad: {}": "不正な形式: {1}",
  "order refused: {}": "指示書を拒否: {1}",
  "{}: segments are lost, as the PC says": "{1}: 失われた区間があると PC が報告",
  "{}: a second history: a cloned or restored disk": "{1}: 履歴が二つに分岐(複製または復元されたディスク)",
  "{}: the chain's state was lost": "{1}: 連鎖の状態が失われたため再開",
  "{}: stored as evidence, but it says what only servers say: {}": "{1}: 証拠として保存。サーバーだけが記録する内容を含む: {2}",
  "{}: stored as evidence, but its body cannot be read: {}": "{1}: 証拠として保存。本文を読み取れない: {2}",
  "{}: records are of {#} s after they came": "{1}: 記録の時刻が到着より {2} 秒先",
  "slowed: {#} records and {#} bytes today": "送信を抑制: 本日 {1} 件、{2} バイト",
  // decisions on devices
  "the first rule that fits, policy.yaml:{#}": "最初に該当した規則(policy.yaml:{1})",
  "listed in devices.csv:{#}": "台帳に登録済み(devices.csv:{1})",
  "devices.csv:{#} grants more, but another device with this serial number is plugged in":
    "devices.csv:{1} は書き込みを許可していますが、同じシリアル番号の機器がもう 1 台接続されています",
  "devices.csv:{#} grants more, but the medium is not encrypted": "devices.csv:{1} は書き込みを許可していますが、媒体が暗号化されていません",
  "devices.csv:{#} grants more, but the medium is not the one that is listed":
    "devices.csv:{1} は書き込みを許可していますが、登録された媒体ではありません",
  "listed in devices.csv:{#}: {}": "台帳に登録済み(devices.csv:{1}): {2}",
  // ... on files and print jobs
  "{}; deleted since": "{=1}(その後削除)",
  "not refused: {}": "拒否せず記録のみ: {=1}",
  "what is written there is not looked into: {}": "そこへの書き込みは検査されない: {1}",
  "the medium: {}; its content is in the copy on the PC": "媒体の異常: {1}(内容は PC 上の控えにあり)",
  "the medium: {}; the sealed file is in the copy on the PC": "媒体の異常: {1}(隔離ファイルは PC 上の控えにあり)",
  "cupsd runs with {}, not with the gate's ServerBin: restart CUPS, or see sekisho-print(8)":
    "cupsd は {1} で動作しており、ゲートを通りません。CUPS を再起動するか、sekisho-print(8) を参照してください",
  "its member {} is not": "メンバーの {1} がゲート外です",
  // the agent itself
  "written again with the same content, or its owner or mode": "同じ内容での書き直し、または所有者・モードの変更",
  "before: {}": "変更前: {1}",
  "process {#}": "プロセス {1}",
  "map {#}": "マップ {1}",
  "program {#}": "プログラム {1}",
  "link {#}": "リンク {1}",
  "set back by {#} s": "時計が {1} 秒戻された",
  "set forward by {#} s": "時計が {1} 秒進められた",
  "awake for {#} s since it said that it goes to sleep": "スリープに入ると通知してから {1} 秒間、動作していた",
};

/** Which facts a rule for print jobs, files on drives or protected files decided by: behind "policy.yaml:12: ". */
export const because: Readonly<Record<string, string>> = {
  "who it is": "利用者",
  "who it is could not be found out in time": "利用者を時間内に確認できないこと",
  "its program": "プログラム",
  "that no purpose was stated": "利用目的が入力されていないこと",
  "the printer": "プリンター",
  "the title": "文書名",
  "the protected area of its file": "元ファイルの取扱区域",
  "the number of pages": "ページ数",
  "its name": "ファイル名",
  "its format": "形式",
  "its size": "サイズ",
  "personal numbers": "個人番号",
  "corporate numbers": "法人番号",
  "card numbers": "カード番号",
  "bank accounts": "口座番号",
  "pension numbers": "基礎年金番号",
  "insurance numbers": "健康保険番号",
  "words in it": "文書中の語句",
  "a known document": "登録文書",
  "it cannot be read": "読み取れない文書",
};

/** Of a place ("/home=luks2"): its name stays. */
const placed: Readonly<Record<string, string>> = { plain: "暗号化なし", crypt: "暗号化", memory: "メモリー上", unknown: "不明" };
/** How a PC is kept, as sekisho-posture reads it: "scanner=clamav signatures=2d". The same word may mean something else of another key. */
export const readings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  scanner: { label: "ウイルス対策", none: "なし" },
  "on-access": { label: "常時検査", yes: "あり", no: "なし" },
  signatures: { label: "定義ファイル", none: "なし", d: "日前" },
  swap: { label: "スワップ", none: "なし", ...placed },
  desktop: { label: "デスクトップ", none: "なし" },
  ipv4: { label: "IPv4 の受信", refuses: "拒否", open: "許可", unknown: "不明" },
  ipv6: { label: "IPv6 の受信", refuses: "拒否", open: "許可", off: "IPv6 なし", unknown: "不明" },
  read: { label: "確認元", nothing: "なし" },
  apt: { label: "apt", unknown: "不明" },
  pending: { label: "保留中の更新", "": "件" },
  security: { label: "うちセキュリティ", "": "件" },
  lists: { label: "パッケージ一覧", none: "なし", d: "日前" },
  restart: { label: "再起動", wanted: "必要" },
  pam: { label: "PAM", none: "なし" },
  quality: { label: "品質検査", none: "なし" },
  minlen: { label: "最小文字数", "": "文字" },
  lockout: { label: "ロックアウト", none: "なし", "": "回" },
  "max-days": { label: "有効期間", "": "日" },
  empty: { label: "空のパスワード", unknown: "不明", "": "件" },
};
/** Of a desktop ("gnome=300s"): its name stays. */
const locked: Readonly<Record<string, string>> = {
  off: "自動ロックなし",
  "left-to-people": "利用者が変更可能",
  never: "自動ロックなし",
  unknown: "不明",
  s: "秒でロック",
};

/** Ways to sign in, joined by "and" or a comma. */
export const ways: Readonly<Record<string, string>> = {
  password: "パスワード",
  code: "認証アプリのコード",
  passkey: "パスキー",
  certificate: "クライアント証明書",
  "recovery code": "回復コード",
  "two factors": "二要素",
  "OpenID Connect": "OpenID Connect",
};

/** What was found in a document, and what of it could not be looked at. */
export const found: Readonly<Record<string, string>> = {
  "my-number": "個人番号",
  "corporate-number": "法人番号",
  card: "カード番号",
  "bank-account": "口座番号",
  "pension-number": "基礎年金番号",
  "insurance-number": "被保険者番号",
  gzip: "gzip 圧縮",
  pjl: "PJL",
  encrypted: "暗号化",
  password: "パスワード付き",
  "image-only": "画像のみ",
  damaged: "破損",
  truncated: "途中まで",
  "pages-claimed": "ページ数は申告値",
  "mixed-media": "用紙混在",
  blank: "白紙",
  document: "文書全体",
  pages: "ページ",
  pictures: "画像",
  ocr: "文字認識",
  color: "色",
  text: "文字",
  "time-up": "時間切れ",
  "too-big": "大きすぎる",
  "inspection-died": "検査の異常終了",
  "needs-password": "パスワードが必要",
  broken: "壊れている",
  "not-looked-at": "未検査",
  "not-said": "記載なし",
  "not-readable": "読み取り不可",
  busy: "検査の混雑",
  "inspector-gone": "検査プログラムなし",
  more: "ほか",
};

const own = <T,>(of: Readonly<Record<string, T>>, key: string): T | undefined => (Object.hasOwn(of, key) ? of[key] : undefined);

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const hole = (part: string) => (part === "{}" ? "(.*)" : part === "{#}" ? "([0-9]+)" : literal(part));
const compiled = Object.entries(phrases).map(([en, ja]) => [new RegExp(`^${en.split(/(\{#?\})/).map(hole).join("")}$`, "s"), ja] as const);

/** "administrator auditor, with a scope": the roles that an account was made with. */
function roles(text: string): string {
  const [list = "", scope] = text.split(", with a scope");
  const names = list.split(" ").map((r) => own(remarks, r));
  return names.every((n) => n !== undefined) ? names.join("・") + (scope === undefined ? "" : "(範囲の指定あり)") : text;
}

/** "policy.yaml:12: who it is, the title": undefined where it is something else. */
function reason(text: string): string | undefined {
  const [, line, list] = /^policy\.yaml:(\d+)(?:: ([^:]*))?$/.exec(text) ?? [];
  if (line === undefined) return undefined;
  const facts = list?.split(", ").map((f) => own(because, f));
  if (facts && !facts.every((f) => f !== undefined)) return undefined;
  return `policy.yaml:${line}${facts ? `: ${facts.join("、")}` : ""}`;
}

/** "scanner=clamav signatures=2d": undefined where any of it is something else. */
function reading(text: string): string | undefined {
  const said = text.split(" ").map((part) => {
    const [, key = "", value = ""] = /^([^\s=]+)=(\S+)$/.exec(part) ?? [];
    const named = own(readings, key);
    const words = named ?? (key.startsWith("/") ? placed : /^[a-z][a-z0-9-]*$/i.test(key) ? locked : undefined);
    if (!words) return undefined;
    const [, number, unit = ""] = /^(\d+)([a-z]?)$/.exec(value) ?? [];
    const counted = number === undefined ? undefined : own(words, unit);
    const whole = own(words, value) ?? (counted && `${number} ${counted}`) ?? (named || words === placed ? value : undefined);
    return whole && `${named?.label ?? key}: ${whole}`;
  });
  return said.every((part) => part !== undefined) ? said.join("、") : undefined;
}

function remark(text: string): string {
  const known = own(remarks, text) ?? reason(text) ?? reading(text);
  if (known) return known;
  for (const [pattern, ja] of compiled) {
    const parts = pattern.exec(text);
    if (parts) return ja.replace(/\{(=?)(\d)\}/g, (_, inner: string, i: string) => (inner ? remark(roles(parts[Number(i)] ?? "")) : (parts[Number(i)] ?? "")));
  }
  return text;
}

/** "password and code": each part has to be known, or it is a name of something else (a service of the PC). */
function way(text: string): string {
  const parts = text.split(/ and |, /).map((p) => own(ways, p));
  return parts.every((p) => p !== undefined) ? parts.join("、") : text;
}

/** Words between the separators; what stands in brackets was told by somebody else, and stays. */
function finding(text: string): string {
  const whole = own(remarks, text);
  if (whole) return whole;
  return text
    .split(/(\([^)]*\))/)
    .map((part, i) => (i % 2 ? part : part.replace(/[a-z]+(?:-[a-z]+)*/g, (word) => own(found, word) ?? word).replace(/ to /g, "〜")))
    .join("");
}

/** Kinds whose remark is what a person wrote. */
const written = new Set(["reason-given", "copy-taken", "print-release", "self-open", "drive-opened", "revoke", "retire", "hold", "hold-lifted", "expired"]);

/** A fact's text as it is shown in this language; `kind` is that of its record, where it is known. */
export function spoken(name: string, text: string, language: Language, kind?: string): string {
  if (language !== "ja" || (name === "text" && kind !== undefined && written.has(kind))) return text;
  if (name === "text") return remark(text);
  if (name === "service") return way(text);
  return name === "findings" || name === "found" ? finding(text) : text;
}

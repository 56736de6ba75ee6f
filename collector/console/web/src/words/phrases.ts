// What records say in a few fixed English words of ours, in Japanese: reasons and remarks (text), ways to sign in (service), what was found in a
// document (findings, found). A record is signed as it is, so it stays as it is; this is how the page shows it. What is not here is shown as it
// was told. Held against the programs' sources by test/phrases.test.ts.
import type { Language } from "./index";

/** Whole remarks. */
export const remarks: Readonly<Record<string, string>> = {
  // the console
  "signed out": "サインアウト",
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
  "signed out by the provider before the second factor was shown": "第二要素の提示前にプロバイダー側でサインアウト",
  // the collector
  "by token": "登録トークンによる",
  "a collector of this log": "このログのコレクター",
  "counted since the one told": "前回の通知以降の件数",
  "from too many PCs to tell apart": "区別できない多数の PC から",
  "the collector itself": "コレクター自身",
  "segments of two boots come by turns: two machines with the same keys": "2 つの起動の区間が交互に到着: 同じ鍵を持つ PC が 2 台",
  // PCs
  "no area refuses": "拒否の対象となる領域なし",
  "refused-by=fanotify": "拒否手段: fanotify",
  "refused-by=none": "拒否手段なし",
  "a means that did not hold before holds again": "効いていなかった手段が再び有効",
  "a means that held before does not hold any more": "効いていた手段が無効に",
  "a means that the kernel took does not hold": "カーネルが受け入れた手段が効いていない",
  "every means holds": "すべての手段が有効",
  "the kernel's gate is not there: only udev and flags hold": "カーネルのゲートなし: udev とフラグのみ有効",
  "what is held stays held": "保留中のものは保留のまま",
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
  "the print gate ended before the documents were looked into": "文書の検査前に印刷ゲートが終了",
};

/** Remarks with a part that differs. */
const remarksWith: readonly (readonly [RegExp, string])[] = [
  [/^signed out by the provider; it began at (\S+)$/, "プロバイダー側でのサインアウト($1 から始まったセッション)"],
  [/^passkey added: (.*)$/, "パスキーを追加: $1"],
  [/^a recovery code was used: (\d+) left$/, "回復コードを使用: 残り $1"],
  [/^subject (.*)$/, "プロバイダーの利用者 $1"],
  [/^OpenID subject bound: (.*) at (\S+)$/, "OpenID の利用者を登録: $1($2)"],
];

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

const own = (of: Readonly<Record<string, string>>, key: string) => (Object.hasOwn(of, key) ? of[key] : undefined);

function remark(text: string): string {
  const whole = own(remarks, text);
  if (whole) return whole;
  for (const [pattern, ja] of remarksWith) if (pattern.test(text)) return text.replace(pattern, ja);
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

/** A fact's text as it is shown in this language. */
export function spoken(name: string, text: string, language: Language): string {
  if (language !== "ja") return text;
  if (name === "text") return remark(text);
  if (name === "service") return way(text);
  return name === "findings" || name === "found" ? finding(text) : text;
}

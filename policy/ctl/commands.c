/*
 * The table of subcommands. Whatever is added here is in the help and the completion at once, and the test of the
 * manual asks for its paragraph.
 */
#include "policy/ctl/ctl.h"
#include "policy/rule/known.h"
#include <limits.h>

#define END                                      \
	{                                        \
		0, 0, NULL, NULL, OFFER_NOTHING, \
		{                                \
			NULL, NULL               \
		}                                \
	}
#define STORE_ROW                                                                 \
	{                                                                         \
		OPT_STORE, 0, "store", "DIR", OFFER_DIR,                          \
		{                                                                 \
			"the collector's store", "コレクターの保存場所" \
		}                                                                 \
	}
#define SOCKET_ROW                                                                        \
	{                                                                                 \
		OPT_SOCKET, 0, "socket", "FILE", OFFER_FILE,                              \
		{                                                                         \
			"the collector's door", "コレクターの管理用ソケット" \
		}                                                                         \
	}
#define JSON_ROW                                              \
	{                                                     \
		OPT_JSON, 0, "json", NULL, OFFER_NOTHING,     \
		{                                             \
			"JSON for programs", "JSON で出力" \
		}                                             \
	}

const struct option_row common_options[] = {
	{OPT_LANG, 0, "lang", "en|ja", OFFER_LANG, {"language of what is printed", "表示言語"}},
	{OPT_HELP, 'h', "help", NULL, OFFER_NOTHING, {"this help", "このヘルプ"}},
	END,
};

static const struct option_row none[] = {END};

static const struct option_row report_options[] = {
	{OPT_MONTH, 'm', "month", "YYYY-MM", OFFER_NOTHING,
		{"of this month; default: the last one", "対象月(既定: 先月)"}},
	{OPT_SINCE, 's', "since", "TIME", OFFER_NOTHING, {"of another period: from", "任意の期間: 開始日時"}},
	{OPT_UNTIL, 'u', "until", "TIME", OFFER_NOTHING, {"up to", "終了日時"}},
	{OPT_PDF, 0, "pdf", "FILE", OFFER_FILE, {"as PDF into this file", "PDF をこのファイルに出力"}},
	{OPT_CSV_DIR, 0, "csv", "DIR", OFFER_DIR,
		{"its tables as CSV files into this folder", "各表を CSV としてこのフォルダーに出力"}},
	JSON_ROW,
	{OPT_SCHEDULED, 0, "scheduled", NULL, OFFER_NOTHING,
		{"make what is due by the settings", "設定に従い未作成の月次レポートを作成する"}},
	{OPT_CONFIG, 0, "config", "FILE", OFFER_FILE, {"instead of /etc/sekisho/collector.conf", "設定ファイル"}},
	STORE_ROW,
	{OPT_LOG_KEY, 'l', "log-key", "FILE", OFFER_FILE, {"the log's public key", "ログの公開鍵"}},
	{OPT_SOCKET, 0, "socket", "FILE", OFFER_FILE, {"the console's door", "コンソールの管理用ソケット"}},
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING, {"no progress", "進行状況を表示しない"}},
	END,
};

static const struct option_row log_options[] = {
	{OPT_SINCE, 's', "since", "TIME", OFFER_NOTHING,
		{"from: 2026-11-23T10:00+09:00, 10:00, -2h, -3d", "開始日時: 2026-11-23T10:00+09:00, 10:00, -2h, -3d"}},
	{OPT_UNTIL, 'u', "until", "TIME", OFFER_NOTHING, {"up to", "終了日時"}},
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"name or id of a PC", "PC の名前または ID"}},
	{OPT_USER, 'U', "user", "USER", OFFER_NOTHING, {"user", "ユーザー"}},
	{OPT_PROGRAM, 'P', "program", "PATTERN", OFFER_FILE,
		{"program; * and ? stand for anything", "プログラム(* と ? が使えます)"}},
	{OPT_PATH, 'p', "path", "PATTERN", OFFER_FILE,
		{"path of a file, either name", "ファイルのパス(変更前後どちらでも)"}},
	{OPT_KIND, 'k', "kind", "KIND,...", OFFER_KIND,
		{"what happened: exec, file, rename, ...", "種別: exec, file, rename など"}},
	{OPT_CLASS, 'c', "class", "CLASS,...", OFFER_CLASS,
		{"where it lives: usb, network, cloud, ...", "デバイス種別: usb, network, cloud など"}},
	{OPT_TEXT, 't', "text", "TEXT", OFFER_NOTHING,
		{"anywhere in paths, program, arguments, user", "パス・プログラム・引数・ユーザーに含まれる文字"}},
	{OPT_FACT, 0, "fact", "NAME:VALUE", OFFER_FIELD,
		{"any fact of a record: area:hr, serial:0401*", "記録の任意の項目: area:人事, serial:0401* など"}},
	{OPT_LIMIT, 'n', "limit", "N", OFFER_NOTHING, {"at most so many records", "最大件数"}},
	{OPT_NEWEST, 'r', "newest", NULL, OFFER_NOTHING, {"newest first", "新しい順"}},
	{OPT_FOLLOW, 'f', "follow", NULL, OFFER_NOTHING, {"go on with what arrives", "届いた記録を表示し続ける"}},
	JSON_ROW,
	{OPT_CSV, 0, "csv", NULL, OFFER_NOTHING,
		{"CSV for spreadsheets (UTF-8 with BOM)", "CSV(Excel 用、BOM 付き UTF-8)"}},
	{OPT_FIELDS, 0, "fields", "NAME,...", OFFER_FIELD, {"columns of the CSV", "CSV の列"}},
	{OPT_COLOR, 0, "color", "WHEN", OFFER_COLOR, {"auto, always or never", "色: auto, always, never"}},
	STORE_ROW,
	SOCKET_ROW,
	END,
};

static const struct option_row trail_options[] = {
	{OPT_SINCE, 's', "since", "TIME", OFFER_NOTHING, {"from", "開始日時"}},
	{OPT_UNTIL, 'u', "until", "TIME", OFFER_NOTHING, {"up to", "終了日時"}},
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"name or id of a PC", "PC の名前または ID"}},
	JSON_ROW,
	STORE_ROW,
	END,
};

static const struct option_row status_options[] = {JSON_ROW, SOCKET_ROW, END};

#define ADMINS_ROW                                                                            \
	{                                                                                     \
		OPT_ADMINS, 0, "admins", "FILE", OFFER_FILE,                                  \
		{                                                                             \
			"administrators' public keys", "管理者の公開鍵のファイル" \
		}                                                                             \
	}

#define TSA_CA_ROW                                                                                                       \
	{                                                                                                                \
		OPT_TSA_CA, 0, "tsa-ca", "FILE", OFFER_FILE,                                                             \
		{                                                                                                        \
			"who may be the timestamp authority (PEM)", "タイムスタンプ局の認証局証明書(PEM)" \
		}                                                                                                        \
	}

#define WITNESS_ROWS                                                                                                    \
	{OPT_WITNESSES, 0, "witnesses", "N", OFFER_NOTHING,                                                             \
		{"that so many witnesses have cosigned the log", "必要な連署の数"}},                                    \
	{                                                                                                               \
		OPT_WITNESS_POLICY, 0, "witness-policy", "FILE", OFFER_FILE,                                            \
		{                                                                                                       \
			"which witnesses have to have cosigned (C2SP tlog-policy)", "連署の条件(C2SP tlog-policy)" \
		}                                                                                                       \
	}

static const struct option_row timestamp_options[] = {
	{OPT_CONFIG, 0, "config", "FILE", OFFER_FILE, {"instead of /etc/sekisho/collector.conf", "設定ファイル"}},
	{OPT_LOG_KEY, 'l', "log-key", "FILE", OFFER_FILE, {"the log's verifier key", "ログの検証鍵"}},
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING,
		{"say nothing where nothing is new", "新しい記録がなければ何も表示しない"}},
	JSON_ROW,
	STORE_ROW,
	END,
};

static const struct option_row verify_options[] = {
	{OPT_DEVICE, 'd', "device", "FILE", OFFER_FILE,
		{"device.pub of a PC (for files; repeatable)", "PC の device.pub(ファイル検証用、複数可)"}},
	{OPT_LOG_KEY, 'l', "log-key", "FILE", OFFER_FILE, {"the log's verifier key", "ログの検証鍵"}},
	{OPT_CHECKPOINT, 0, "checkpoint", "FILE", OFFER_FILE,
		{"a checkpoint that must be of this log (repeatable)",
			"同じログのものであるべきチェックポイント(複数可)"}},
	WITNESS_ROWS,
	{OPT_TIMESTAMPS, 0, "timestamps", "DIR", OFFER_DIR,
		{"checkpoints with tokens of a timestamp authority", "タイムスタンプのフォルダー"}},
	TSA_CA_ROW,
	ADMINS_ROW,
	{OPT_NO_BODIES, 0, "no-bodies", NULL, OFFER_NOTHING,
		{"headers and log only: much faster", "ヘッダーとログのみ(高速)"}},
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING, {"problems only", "問題のみ表示"}},
	JSON_ROW,
	STORE_ROW,
	END,
};

static const struct option_row bundle_options[] = {
	{OPT_LOG_KEY, 'l', "log-key", "FILE", OFFER_FILE,
		{"the log's verifier key, not from the bundle", "ログの検証鍵(証拠一式とは別に入手したもの)"}},
	WITNESS_ROWS,
	TSA_CA_ROW,
	ADMINS_ROW,
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING, {"problems only", "問題のみ表示"}},
	JSON_ROW,
	END,
};

static const struct option_row export_options[] = {
	{OPT_OUT, 'o', "out", "DIR", OFFER_DIR, {"a new directory for the files", "出力先(新しいフォルダー)"}},
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"of one PC only: name or id", "対象 PC の名前または ID"}},
	{OPT_SINCE, 's', "since", "TIME", OFFER_NOTHING, {"from", "開始日時"}},
	{OPT_UNTIL, 'u', "until", "TIME", OFFER_NOTHING, {"up to", "終了日時"}},
	{OPT_LOG_KEY, 'l', "log-key", "FILE", OFFER_FILE,
		{"the log's verifier key, to go with it", "添付するログの検証鍵"}},
	{OPT_TIMESTAMPS, 0, "timestamps", "DIR", OFFER_DIR,
		{"checkpoints with tokens of a timestamp authority", "タイムスタンプのフォルダー"}},
	JSON_ROW,
	STORE_ROW,
	END,
};

static const struct option_row parquet_options[] = {
	{OPT_OUT, 'o', "out", "DIR", OFFER_DIR,
		{"the folder; where it is there already, it goes on", "出力先(既にあれば続きから出力)"}},
	{OPT_SINCE, 's', "since", "TIME", OFFER_NOTHING, {"records from", "開始日時"}},
	{OPT_UNTIL, 'u', "until", "TIME", OFFER_NOTHING, {"up to", "終了日時"}},
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"of one PC only: name or id", "対象 PC の名前または ID"}},
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING, {"no progress", "進行状況を表示しない"}},
	JSON_ROW,
	STORE_ROW,
	{OPT_SOCKET, 0, "socket", "FILE", OFFER_FILE, {"the console's door", "コンソールの管理用ソケット"}},
	END,
};

static const struct option_row clickhouse_options[] = {
	{OPT_NAME, 0, "name", "DATABASE", OFFER_NOTHING, {"the database (sekisho)", "データベース名(既定 sekisho)"}},
	END,
};

static const struct option_row token_create_options[] = {
	{OPT_NAME, 0, "name", "NAME", OFFER_NOTHING, {"for a PC of this name only", "この名前の PC 専用"}},
	{OPT_VALID, 0, "valid", "TIME", OFFER_NOTHING,
		{"how long: 30m, 24h, 7d (24h)", "有効期間: 30m, 24h, 7d(既定 24h)"}},
	JSON_ROW,
	SOCKET_ROW,
	END,
};

static const struct option_row door_options[] = {JSON_ROW, SOCKET_ROW, END};

static const struct option_row revoke_options[] = {
	{OPT_REASON, 0, "reason", "TEXT", OFFER_NOTHING, {"why, for the record", "理由(記録されます)"}},
	JSON_ROW,
	SOCKET_ROW,
	END,
};

static const struct option_row retire_options[] = {
	{OPT_REASON, 0, "reason", "TEXT", OFFER_NOTHING, {"why, for the record", "理由(記録されます)"}},
	{OPT_UNHEARD, 0, "unheard", NULL, OFFER_NOTHING,
		{"although it is not connected: what it has not sent is lost",
			"接続していなくても廃止する(未送信の記録は失われます)"}},
	JSON_ROW,
	SOCKET_ROW,
	END,
};

#define DEVICES_ROW                                                                                                       \
	{                                                                                                                 \
		OPT_DEVICES, 0, "devices", "FILE", OFFER_FILE,                                                            \
		{                                                                                                         \
			"the ledger (devices.csv beside the policy)", "機器台帳(既定: 同じ場所の devices.csv)" \
		}                                                                                                         \
	}
#define KEY_ROW                                                  \
	{                                                        \
		OPT_KEY, 0, "key", "FILE", OFFER_FILE,           \
		{                                                \
			"your private key", "自分の秘密鍵" \
		}                                                \
	}

static const struct option_row check_options[] = {DEVICES_ROW, JSON_ROW, END};

static const struct option_row explain_options[] = {
	{OPT_USB, 0, "usb", "VENDOR:PRODUCT[:SERIAL]", OFFER_NOTHING, {"which device", "対象機器"}},
	{OPT_DEVICE_KIND, 0, "device-kind", "KIND", OFFER_DEVICE_KIND,
		{"as what: storage, phone, ... (storage)", "種類: storage, phone など(既定 storage)"}},
	{OPT_PRINTER, 0, "printer", "QUEUE", OFFER_NOTHING, {"a print job: on which queue", "印刷: 印刷キュー"}},
	{OPT_TITLE, 0, "title", "TEXT", OFFER_NOTHING, {"a print job: its title", "印刷: 文書名"}},
	{OPT_PAGES, 0, "pages", "N", OFFER_NOTHING, {"a print job: its pages", "印刷: ページ数"}},
	{OPT_PATH, 0, "path", "PATH", OFFER_FILE, {"a file on a drive: its path", "ドライブ上のファイル: パス"}},
	{OPT_FORMAT, 0, "format", "FORMAT", OFFER_NOTHING,
		{"a file on a drive: pdf, xlsx, ...", "ドライブ上のファイル: 形式(pdf, xlsx など)"}},
	{OPT_MIB, 0, "mib", "N", OFFER_NOTHING, {"a file on a drive: its size", "ドライブ上のファイル: サイズ(MiB)"}},
	{OPT_FOUND, 0, "found", "KIND=N", OFFER_NOTHING,
		{"a file on a drive: my_numbers=30, document:NAME=45 (percent), ... (repeatable)",
			"ドライブ上のファイル: my_numbers=30、document:名前=45(%)など(複数可)"}},
	{OPT_UNREADABLE, 0, "unreadable", NULL, OFFER_NOTHING,
		{"a file on a drive that cannot be read", "ドライブ上のファイル: 読み取れない"}},
	{OPT_PROTECTED, 0, "protected", "PATH", OFFER_FILE, {"a protected file: where it lies", "保護ファイル: パス"}},
	{OPT_SHARE, 0, "share", "SOURCE", OFFER_NOTHING,
		{"a protected file: on which share (//server/share)", "保護ファイル: 共有の接続元(//server/share)"}},
	{OPT_PROGRAM, 0, "program", "PATH", OFFER_FILE,
		{"a protected file: by which program", "保護ファイル: プログラムのパス"}},
	{OPT_USER, 'U', "user", "USER", OFFER_NOTHING, {"who is at the PC", "利用者"}},
	{OPT_GROUP, 0, "group", "GROUP", OFFER_NOTHING, {"in this group (repeatable)", "所属グループ(複数可)"}},
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"on this PC", "PC の名前"}},
	{OPT_AT, 0, "at", "TIME", OFFER_NOTHING, {"when (now)", "日時(既定: 現在)"}},
	DEVICES_ROW,
	JSON_ROW,
	END,
};

static const struct option_row fingerprint_options[] = {
	{OPT_POLICY, 0, "policy", "FILE", OFFER_FILE,
		{"policy.yaml that has a key already: more documents for it",
			"既に key のある policy.yaml(文書を追加する場合)"}},
	JSON_ROW,
	END,
};

static const struct option_row diff_options[] = {
	{OPT_USER, 'U', "user", "USER", OFFER_NOTHING, {"for whom devices are compared", "機器の判定を比べる利用者"}},
	{OPT_GROUP, 0, "group", "GROUP", OFFER_NOTHING, {"in this group (repeatable)", "所属グループ(複数可)"}},
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"on this PC", "PC の名前"}},
	{OPT_AT, 0, "at", "TIME", OFFER_NOTHING, {"when (now)", "日時(既定: 現在)"}},
	ADMINS_ROW,
	JSON_ROW,
	END,
};

static const struct option_row replay_options[] = {
	{OPT_SINCE, 's', "since", "TIME", OFFER_NOTHING, {"from (a week ago)", "開始日時(既定: 1 週間前)"}},
	{OPT_UNTIL, 'u', "until", "TIME", OFFER_NOTHING, {"up to", "終了日時"}},
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"on one PC only: name or id", "対象 PC の名前または ID"}},
	{OPT_GROUP, 0, "group", "GROUP", OFFER_NOTHING,
		{"everybody is in this group (repeatable)", "全員が所属するものとするグループ(複数可)"}},
	DEVICES_ROW,
	ADMINS_ROW,
	JSON_ROW,
	STORE_ROW,
	END,
};

static const struct option_row keygen_options[] = {
	{OPT_NAME, 0, "name", "NAME", OFFER_NOTHING, {"who signs, for the records", "署名者名(記録に残ります)"}},
	{OPT_OUT, 'o', "out", "FILE", OFFER_FILE, {"where the private key goes", "秘密鍵の保存先"}},
	END,
};

static const struct option_row sign_options[] = {
	KEY_ROW,
	DEVICES_ROW,
	{OPT_LOG_KEY, 'l', "log-key", "FILE", OFFER_FILE,
		{"log.vkey of the fleet that it is for", "対象のログの検証鍵 log.vkey"}},
	{OPT_VALID, 0, "valid", "TIME", OFFER_NOTHING, {"how long: 90d, 12h (400d)", "有効期間: 90d, 12h(既定 400d)"}},
	ADMINS_ROW,
	{OPT_OUT, 'o', "out", "FILE", OFFER_FILE, {"the signed policy (FILE.signed)", "出力先(既定 FILE.signed)"}},
	JSON_ROW,
	END,
};

static const struct option_row push_options[] = {
	{OPT_WAIT, 'w', "wait", NULL, OFFER_NOTHING,
		{"until connected PCs have it in force", "接続中の PC に適用されるまで待つ"}},
	JSON_ROW,
	SOCKET_ROW,
	END,
};

static const struct option_row show_options[] = {ADMINS_ROW, JSON_ROW, END};

static const struct option_row console_user_options[] = {
	{OPT_ROLE, 0, "role", "ROLE", OFFER_ROLE,
		{"administrator, auditor, viewer (repeatable)", "administrator, auditor, viewer(複数可)"}},
	{OPT_SCOPE, 0, "scope", "PATTERN", OFFER_NOTHING,
		{"PCs that it may see, by name (repeatable)", "閲覧できる PC の名前(* と ? 可、複数可)"}},
	{OPT_OIDC, 0, "oidc", "SUBJECT", OFFER_NOTHING,
		{"bind, unbind: who it is at the OpenID provider (sub)",
			"bind, unbind: OpenID プロバイダーでの利用者(sub)"}},
	{OPT_CERTIFICATE, 0, "certificate", "FILE", OFFER_FILE,
		{"bind, unbind: a client certificate, or its SHA-256",
			"bind, unbind: クライアント証明書、またはその SHA-256"}},
	JSON_ROW,
	{OPT_SOCKET, 0, "socket", "FILE", OFFER_FILE, {"the console's door", "コンソールの管理用ソケット"}},
	END,
};

static const struct option_row usb_options[] = {JSON_ROW, END};

static const struct option_row self_open_options[] = {
	{OPT_FOR, 0, "for", "PURPOSE", OFFER_PURPOSE, {"upgrade, removal or repair", "目的: upgrade、removal、repair"}},
	{OPT_VALID, 0, "valid", "TIME", OFFER_NOTHING,
		{"how long at most: 1m to 2h (30m)", "期限: 1m から 2h(既定 30m)"}},
	{OPT_REASON, 0, "reason", "TEXT", OFFER_NOTHING, {"why, for the record", "理由(記録されます)"}},
	JSON_ROW,
	END,
};

static const struct option_row learn_options[] = {
	{OPT_SINCE, 's', "since", "TIME", OFFER_NOTHING, {"from", "開始日時"}},
	{OPT_UNTIL, 'u', "until", "TIME", OFFER_NOTHING, {"up to", "終了日時"}},
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"on one PC only: name or id", "対象 PC の名前または ID"}},
	{OPT_INTO, 0, "into", "FILE", OFFER_FILE,
		{"a ledger: its rows stay, what is new is added", "既存の台帳(既存行は維持し、新規分を追加)"}},
	STORE_ROW,
	END,
};

static const struct option_row answer_options[] = {
	KEY_ROW,
	{OPT_ROSTER, 0, "roster", "FILE", OFFER_FILE, {"PCs, by host export", "PC 名簿(host export の出力)"}},
	{OPT_FOR, 0, "for", "TIME", OFFER_NOTHING, {"how long: 15m to 24h (1h)", "期間: 15m から 24h(既定 1h)"}},
	{OPT_ACCESS, 0, "access", "ACCESS", OFFER_ACCESS,
		{"read-only or read-write (read-write)", "read-only か read-write(既定 read-write)"}},
	JSON_ROW,
	END,
};

static const struct option_row evidence_options[] = {
	{OPT_KEY, 0, "key", "FILE", OFFER_FILE, {"the auditor's private key", "監査者の秘密鍵"}},
	{OPT_CERTIFICATE, 0, "certificate", "FILE", OFFER_FILE,
		{"its certificate, where several can open", "その証明書(複数の監査者がいる場合)"}},
	END,
};

static const struct option_row take_options[] = {
	{OPT_REASON, 0, "reason", "TEXT", OFFER_NOTHING, {"why, for the record", "理由(記録されます)"}},
	JSON_ROW,
	END,
};

static const struct option_row unseal_options[] = {
	{OPT_KEY, 0, "key", "FILE", OFFER_FILE, {"the opener's private key", "開封者の秘密鍵"}},
	{OPT_CERTIFICATE, 0, "certificate", "FILE", OFFER_FILE,
		{"its certificate, where several can open", "その証明書(複数の開封者がいる場合)"}},
	{OPT_ADMIN_KEY, 0, "admin-key", "FILE", OFFER_FILE,
		{"the administrator's key, which signs it", "署名する管理者の鍵"}},
	{OPT_REASON, 0, "reason", "TEXT", OFFER_NOTHING, {"why, for the records", "理由(記録に残ります)"}},
	{OPT_VALID, 0, "valid", "TIME", OFFER_NOTHING, {"how long: 1d to 31d (7d)", "有効期間: 1d から 31d(既定 7d)"}},
	{OPT_OUT, 'o', "out", "FILE", OFFER_FILE, {"the order", "出力先"}},
	JSON_ROW,
	END,
};

static const struct option_row release_keygen_options[] = {
	{OPT_OUT, 'o', "out", "FILE", OFFER_FILE, {"where the private key goes", "秘密鍵の保存先"}},
	END,
};

#define MONTH_ROW                                                                             \
	{                                                                                     \
		OPT_MONTH, 0, "month", "YYYY-MM", OFFER_NOTHING,                              \
		{                                                                             \
			"month in which the collector took it in", "受信した月(年-月)" \
		}                                                                             \
	}
#define WHY_ROW                                                             \
	{                                                                   \
		OPT_REASON, 0, "reason", "TEXT", OFFER_NOTHING,             \
		{                                                           \
			"why, for the record", "理由(記録されます)" \
		}                                                           \
	}

static const struct option_row hold_options[] = {
	MONTH_ROW,
	{OPT_HOST, 'H', "host", "PC", OFFER_NOTHING, {"name or id of a PC", "PC の名前または ID"}},
	{OPT_USER, 'U', "user", "USER", OFFER_NOTHING, {"user", "ユーザー"}},
	WHY_ROW,
	JSON_ROW,
	SOCKET_ROW,
	END,
};

static const struct option_row request_options[] = {
	MONTH_ROW,
	{OPT_CHANNEL, 0, "channel", "CHANNEL", OFFER_CHANNEL,
		{"recorder, guard, print, posture, console, herald",
			"recorder, guard, print, posture, console, herald"}},
	WHY_ROW,
	KEY_ROW,
	{OPT_LOG_KEY, 'l', "log-key", "FILE", OFFER_FILE, {"the log's verifier key", "ログの検証鍵"}},
	{OPT_CHECKPOINT, 0, "checkpoint", "FILE", OFFER_FILE, {"the log as you saw it", "確認済みのチェックポイント"}},
	{OPT_VALID, 0, "valid", "TIME", OFFER_NOTHING, {"how long: 1d to 31d (7d)", "有効期間: 1d から 31d(既定 7d)"}},
	{OPT_OUT, 'o', "out", "FILE", OFFER_FILE, {"the request", "出力先"}},
	JSON_ROW,
	END,
};

static const struct option_row countersign_options[] = {
	KEY_ROW,
	ADMINS_ROW,
	{OPT_OUT, 'o', "out", "FILE", OFFER_FILE, {"the order", "出力先"}},
	JSON_ROW,
	END,
};

static const struct option_row enrol_options[] = {
	{OPT_NAME, 0, "name", "NAME", OFFER_NOTHING,
		{"of this PC, instead of its host name", "この PC の名前(既定: ホスト名)"}},
	{OPT_AGAIN, 0, "again", NULL, OFFER_NOTHING,
		{"also where it is enrolled: at another log", "登録済みでも登録し直す(別のログへ移す)"}},
	{OPT_NEW_KEYS, 0, "new-keys", NULL, OFFER_NOTHING,
		{"with --again: as another PC, its keys made where agent.conf says",
			"--again と併用: 鍵を agent.conf の指定先に新しく作り、別の PC として登録"}},
	{OPT_FILE, 0, "file", "FILE", OFFER_FILE,
		{"address and token from this file, removed after use",
			"アドレスとトークンを記したファイル(使用後に削除)"}},
	END,
};

static const struct option_row init_options[] = {
	{OPT_CONFIG, 0, "config", "FILE", OFFER_FILE, {"instead of /etc/sekisho/collector.conf", "設定ファイル"}},
	END,
};

static const struct option_row join_options[] = {
	{OPT_CONFIG, 0, "config", "FILE", OFFER_FILE, {"instead of /etc/sekisho/collector.conf", "設定ファイル"}},
	JSON_ROW,
	END,
};

static const struct option_row store_options_rows[] = {JSON_ROW, STORE_ROW, END};
static const struct option_row rebuild_options[] = {
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING, {"no progress", "進行状況を表示しない"}},
	STORE_ROW,
	END,
};

static const struct option_row move_options[] = {
	{OPT_TO, 0, "to", "PLACE", OFFER_DIR,
		{"a folder, or postgresql://... (needed)", "移行先: フォルダーまたは postgresql://...(必須)"}},
	{OPT_READERS, 0, "readers", "PLACE", OFFER_NOTHING,
		{"the same place as console and herald log in there", "コンソールと通知サービスが使う移行先の表記"}},
	{OPT_CONFIG, 0, "config", "FILE", OFFER_FILE, {"instead of /etc/sekisho/collector.conf", "設定ファイル"}},
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING, {"no progress", "進行状況を表示しない"}},
	JSON_ROW,
	END,
};

static const struct option_row backup_options[] = {
	{OPT_TO, 0, "to", "PLACE", OFFER_DIR,
		{"a folder, or postgresql://... (needed)", "写しの置き場所: フォルダーまたは postgresql://...(必須)"}},
	{OPT_CONFIG, 0, "config", "FILE", OFFER_FILE, {"instead of /etc/sekisho/collector.conf", "設定ファイル"}},
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING, {"no progress", "進行状況を表示しない"}},
	JSON_ROW,
	END,
};

static const struct option_row restore_options[] = {
	{OPT_FROM, 0, "from", "PLACE", OFFER_DIR, {"the copy (needed)", "写しの場所(必須)"}},
	{OPT_CHECKPOINT, 0, "checkpoint", "FILE", OFFER_FILE,
		{"what a PC keeps: /var/lib/sekisho/inbox/checkpoint (needed; repeatable)",
			"PC が保持する /var/lib/sekisho/inbox/checkpoint(必須、複数可)"}},
	{OPT_CONFIG, 0, "config", "FILE", OFFER_FILE, {"instead of /etc/sekisho/collector.conf", "設定ファイル"}},
	{OPT_QUIET, 'q', "quiet", NULL, OFFER_NOTHING, {"no progress", "進行状況を表示しない"}},
	JSON_ROW,
	END,
};

const struct command commands[] = {
	{"log", NULL, log_options, NULL, 0, 0, OFFER_NOTHING,
		{"Show records: filter, follow, export", "記録を表示・絞り込み・追跡・出力する"}, command_log},
	{"trail", NULL, trail_options, "PATH|DEVICE/INODE|SHA256", 1, 1, OFFER_FILE,
		{"The life of a file: renames and copies followed, back and forth",
			"ファイルの来歴を表示する(名前変更とコピーを前後にたどる)"},
		command_trail},
	{"status", NULL, status_options, NULL, 0, 0, OFFER_NOTHING,
		{"What runs on this machine, and how it is", "このマシンの動作状況を表示する"}, command_status},
	{"doctor", NULL, usb_options, NULL, 0, 0, OFFER_NOTHING,
		{"What is wrong on this machine, and what mends it", "問題の有無と対処方法を診断する"}, command_doctor},
	{"verify", "bundle", bundle_options, "FILE", 1, 1, OFFER_FILE,
		{"Check an evidence bundle: nothing changed, nothing left out", "証拠一式(バンドル)を検証する"},
		command_verify_bundle},
	{"verify", NULL, verify_options, "[FILE|DIR...]", 0, INT_MAX, OFFER_FILE,
		{"Check signatures, chains, gaps and inclusion", "署名・記録列・欠落・ログ収録を検証する"},
		command_verify},
	{"timestamp", NULL, timestamp_options, NULL, 0, 0, OFFER_NOTHING,
		{"Have the log stamped by a timestamp authority", "ログのタイムスタンプを取得する"}, command_timestamp},
	{"export", "parquet", parquet_options, NULL, 0, 0, OFFER_NOTHING,
		{"Records as Parquet files, for DuckDB and others; again: what is new",
			"記録を Parquet ファイルに出力する(2 回目以降は追加分のみ)"},
		command_export_parquet},
	{"export", "clickhouse", clickhouse_options, NULL, 0, 0, OFFER_NOTHING,
		{"Tables for records in ClickHouse, as SQL", "ClickHouse 用の表の定義(SQL)を出力する"},
		command_export_clickhouse},
	{"export", NULL, export_options, NULL, 0, 0, OFFER_NOTHING,
		{"Carry segments away with their proofs", "記録を証明付きで持ち出す"}, command_export},
	{"decode", NULL, none, "FILE...", 1, INT_MAX, OFFER_FILE,
		{"Print what is in a segment, as JSON", "セグメントの内容を JSON で表示する"}, command_decode},
	{"evidence", "list", usb_options, "[FOLDER]", 0, 1, OFFER_FILE,
		{"Copies of printed documents that this PC keeps", "この PC が保管する印刷文書の控えを一覧表示する"},
		command_evidence_list},
	{"evidence", "take", take_options, "COPY FILE", 2, 2, OFFER_FILE,
		{"Take a copy from this PC, by the guard, which records it",
			"この PC から控えを取り出す(記録されます)"},
		command_evidence_take},
	{"evidence", "open", evidence_options, "COPY DOCUMENT", 2, 2, OFFER_FILE,
		{"Open a copy of a printed document", "印刷文書の控えを復号する"}, command_evidence_open},
	{"enrol", NULL, enrol_options, "[COLLECTOR TOKEN]", 0, 2, OFFER_NOTHING,
		{"Make this PC known to a collector, and start", "この PC をコレクターに登録し、開始する"},
		command_enrol},
	{"collector", "init", init_options, NULL, 0, 0, OFFER_NOTHING,
		{"Make the collector's keys on this machine, and start", "コレクターの鍵を作成し、開始する"},
		command_collector_init},
	{"collector", "join", join_options, NULL, 0, 0, OFFER_NOTHING,
		{"Join the log of other collectors, in their database", "既存のコレクターのログに参加する"},
		command_collector_join},
	{"collector", "list", door_options, NULL, 0, 0, OFFER_NOTHING,
		{"Collectors of this log, and those that ask to join", "コレクターと参加申請を一覧表示する"},
		command_collector_list},
	{"collector", "admit", door_options, "ID", 1, 1, OFFER_NOTHING,
		{"Let a collector in that asks to join", "コレクターの参加を承認する"}, command_collector_admit},
	{"token", "create", token_create_options, NULL, 0, 0, OFFER_NOTHING,
		{"Make a token that enrols one PC", "PC 登録用トークンを発行する"}, command_token_create},
	{"token", "list", door_options, NULL, 0, 0, OFFER_NOTHING,
		{"Tokens that can still be used", "有効なトークンを一覧表示する"}, command_token_list},
	{"host", "list", door_options, NULL, 0, 0, OFFER_NOTHING,
		{"PCs that are enrolled", "登録済み PC を一覧表示する"}, command_host_list},
	{"host", "revoke", revoke_options, "PC", 1, 1, OFFER_NOTHING,
		{"Take nothing from a PC any more", "PC を失効させる"}, command_host_revoke},
	{"host", "retire", retire_options, "PC", 1, 1, OFFER_NOTHING,
		{"A PC has gone out of use", "使用を終えた PC を廃止する"}, command_host_retire},
	{"host", "export", door_options, NULL, 0, 0, OFFER_NOTHING,
		{"The roster of PCs, for release codes", "PC 名簿を出力する(解除コード用)"}, command_host_export},
	{"console", "user", console_user_options, "list|add|disable|reset|bind|unbind [NAME]", 1, 2, OFFER_NOTHING,
		{"Accounts of the console", "コンソールのアカウントを管理する"}, command_console_user},
	{"policy", "check", check_options, "FILE", 1, 1, OFFER_FILE,
		{"Try a policy: mistakes, expectations, lock-outs", "ポリシーを検査する"}, command_policy_check},
	{"policy", "explain", explain_options, "FILE", 1, 1, OFFER_FILE,
		{"What a policy says of a device, a print job or a file on a drive, and why",
			"機器・印刷・ドライブ上のファイルへの判定とその理由を表示する"},
		command_policy_explain},
	{"policy", "fingerprint", fingerprint_options, "FILE...", 1, KNOWN_MAX, OFFER_FILE,
		{"Documents by which copies of them are found: a section for policy.yaml",
			"複製を検出したい文書から policy.yaml 用の documents を作る"},
		command_policy_fingerprint},
	{"policy", "diff", diff_options, "OLD NEW", 2, 2, OFFER_FILE,
		{"What a new policy changes, and for which devices",
			"二つのポリシーの違いと、判定が変わる機器を表示する"},
		command_policy_diff},
	{"policy", "replay", replay_options, "FILE", 1, 1, OFFER_FILE,
		{"What a policy would have said of last week's devices, prints and files on drives",
			"過去 1 週間の機器・印刷・ドライブ上のファイルに対する判定の変化を表示する"},
		command_policy_replay},
	{"policy", "keygen", keygen_options, NULL, 0, 0, OFFER_NOTHING,
		{"Make an administrator's key", "管理者の鍵を作る"}, command_policy_keygen},
	{"policy", "sign", sign_options, "FILE", 1, 1, OFFER_FILE,
		{"Check a policy and sign it", "ポリシーを検査して署名する"}, command_policy_sign},
	{"policy", "show", show_options, "FILE", 1, 1, OFFER_FILE,
		{"Print a signed policy", "署名済みポリシーを表示する"}, command_policy_show},
	{"policy", "apply", none, "FILE", 1, 1, OFFER_FILE,
		{"Give a signed policy to the guard of this PC", "署名済みポリシーをこの PC に適用する"},
		command_policy_apply},
	{"policy", "push", push_options, "FILE", 1, 1, OFFER_FILE,
		{"Send a signed policy to all PCs", "署名済みポリシーを全 PC に配布する"}, command_policy_push},
	{"policy", "status", door_options, NULL, 0, 0, OFFER_NOTHING,
		{"Which PC has which policy in force", "各 PC に適用されたポリシーを表示する"}, command_policy_status},
	{"usb", "list", usb_options, NULL, 0, 0, OFFER_NOTHING,
		{"What is plugged in here, and what may be done with it", "接続機器とその判定を表示する"},
		command_usb_list},
	{"usb", "learn", learn_options, NULL, 0, 0, OFFER_NOTHING,
		{"What the fleet has seen, as rows for devices.csv", "検出した機器を台帳 CSV として出力する"},
		command_usb_learn},
	{"print", "queues", usb_options, NULL, 0, 0, OFFER_NOTHING,
		{"Which print queues are behind the gate, and why not", "印刷キューがゲート内かどうかを表示する"},
		command_print_queues},
	{"print", "held", usb_options, NULL, 0, 0, OFFER_NOTHING,
		{"Print jobs that the policy holds", "保留中の印刷を一覧表示する"}, command_print_held},
	{"print", "release", usb_options, "JOB", 1, 1, OFFER_NOTHING,
		{"Let a held job print", "保留中の印刷を許可する"}, command_print_release},
	{"quarantine", "request", none, "FILE", 1, 1, OFFER_FILE,
		{"What an opener needs to release a quarantined file", "隔離されたファイルの解除の要求を出力する"},
		command_quarantine_request},
	{"quarantine", "order", unseal_options, "FILE", 1, 1, OFFER_FILE,
		{"Sign the release of a quarantined file, or of a request", "隔離の解除を許可(署名)する"},
		command_quarantine_order},
	{"quarantine", "release", usb_options, "FILE ORDER", 2, 2, OFFER_FILE,
		{"Make a quarantined file on a drive readable again", "ドライブ上のファイルの隔離を解除する"},
		command_quarantine_release},
	{"reason", NULL, usb_options, "[ITEM REASON]", 0, 2, OFFER_NOTHING,
		{"What the policy wants you to say why of, and saying it",
			"理由・利用目的の入力が必要な項目を表示し、入力する"},
		command_reason},
	{"release", "request", none, "[DEVICE]", 0, 1, OFFER_NOTHING,
		{"Release a held device by phone", "電話で機器の一時解除を受ける"}, command_release},
	{"release", "answer", answer_options, "CHALLENGE...", 1, 8, OFFER_NOTHING,
		{"The administrator's answer to a challenge", "チャレンジに回答する(管理者)"}, command_release_answer},
	{"release", "keygen", release_keygen_options, NULL, 0, 0, OFFER_NOTHING,
		{"Make a key for release codes", "解除コード用の鍵を作る"}, command_release_keygen},
	{"report", NULL, report_options, NULL, 0, 0, OFFER_NOTHING,
		{"A month in figures, for the management and the regulator", "月次レポートを作成する"}, command_report},
	{"retention", "show", door_options, NULL, 0, 0, OFFER_NOTHING,
		{"How long evidence is kept, what expired, what is held", "保存期間・削除済み・保留を表示する"},
		command_retention_show},
	{"retention", "plan", door_options, NULL, 0, 0, OFFER_NOTHING,
		{"What will go when, and how much", "削除予定とその量を表示する"}, command_retention_plan},
	{"retention", "hold", hold_options, NULL, 0, 0, OFFER_NOTHING,
		{"Keep what would expire", "保存期間が過ぎても削除しないよう保留する"}, command_retention_hold},
	{"retention", "lift", revoke_options, "HOLD", 1, 1, OFFER_NOTHING, {"Lift a hold", "保留を解除する"},
		command_retention_lift},
	{"retention", "request", request_options, NULL, 0, 0, OFFER_NOTHING,
		{"Sign a request to expire a month early", "期間満了前の削除を請求(署名)する"},
		command_retention_request},
	{"retention", "countersign", countersign_options, "FILE", 1, 1, OFFER_FILE,
		{"Countersign another's request", "他の管理者の請求を承認(署名)する"}, command_retention_countersign},
	{"retention", "order", door_options, "FILE", 1, 1, OFFER_FILE,
		{"Carry out an order signed by two", "二人が署名した削除指示を実行する"}, command_retention_order},
	{"self", "show", usb_options, NULL, 0, 0, OFFER_NOTHING,
		{"Whether the agent may be changed, and what keeps it",
			"エージェント自身の保護と保守作業の状態を表示する"},
		command_self_show},
	{"self", "open", self_open_options, NULL, 0, 0, OFFER_NOTHING,
		{"Open a maintenance window: the agent is changed", "保守作業を開始する(エージェントを更新・修理する)"},
		command_self_open},
	{"self", "close", usb_options, NULL, 0, 0, OFFER_NOTHING,
		{"Close it, and compare what was changed", "保守作業を終了し、変更を照合する"}, command_self_close},
	{"store", "stats", store_options_rows, NULL, 0, 0, OFFER_NOTHING,
		{"How much the store holds", "保存量を表示する"}, command_store_stats},
	{"store", "rebuild", rebuild_options, NULL, 0, 0, OFFER_NOTHING,
		{"Make the index anew from the packs (collector stopped)", "索引を作り直す(コレクター停止中)"},
		command_store_rebuild},
	{"store", "move", move_options, NULL, 0, 0, OFFER_NOTHING,
		{"Move the log into another store, while it is in use: folder or database",
			"稼働したままログを別の保存場所(フォルダー・データベース)へ移行する"},
		command_store_move},
	{"store", "backup", backup_options, NULL, 0, 0, OFFER_NOTHING,
		{"Copy the log beside the running collector; again: what is new of it",
			"稼働したままログの写しを取る(2 回目以降は追加分のみ)"},
		command_store_backup},
	{"store", "restore", restore_options, NULL, 0, 0, OFFER_NOTHING,
		{"Put a copy to use, where no PC has seen more of the log",
			"写しから復元する(PC がより新しい状態を見ていない場合)"},
		command_store_restore},
	{"completion", NULL, none, "bash|zsh|fish", 1, 1, OFFER_NOTHING,
		{"Print the completion of a shell", "シェル補完を出力する"}, command_completion},
	{"version", NULL, none, NULL, 0, 0, OFFER_NOTHING, {"Print the version", "バージョンを表示する"},
		command_version},
	{"help", NULL, none, "[COMMAND...]", 0, 2, OFFER_NOTHING, {"This list", "この一覧"}, command_help},
	{NULL, NULL, NULL, NULL, 0, 0, OFFER_NOTHING, {NULL, NULL}, NULL},
};

const struct command *command_find(const char *name, const char *sub, bool *group)
{
	const struct command *cmd, *plain = NULL;

	*group = false;
	for (cmd = commands; cmd->name; cmd++) {
		if (strcmp(cmd->name, name) != 0)
			continue;
		if (cmd->sub && sub && !strcmp(cmd->sub, sub))
			return cmd;
		*group |= cmd->sub != NULL;
		plain = cmd->sub ? plain : cmd;
	}
	return plain;
}

int command_version(struct ctl *c)
{
	(void)c;
	puts("sekishoctl " SEKISHO_VERSION);
	return EXIT_GOOD;
}

int command_help(struct ctl *c)
{
	const char *name = c->operands_n ? c->operands[0] : NULL, *sub = c->operands_n > 1 ? c->operands[1] : NULL;
	char text[SHOWN_MAX];
	bool group;
	const struct command *cmd = name ? command_find(name, sub, &group) : NULL;

	if (!name) {
		options_overview(c, NULL, stdout);
		return EXIT_GOOD;
	}
	/* "help verify" is of verify and of what begins with it. */
	if (!sub && group) {
		options_overview(c, name, stdout);
		return EXIT_GOOD;
	}
	if (cmd) {
		struct ctl of = {.lang = c->lang, .command = cmd};

		options_help(&of, stdout);
		return EXIT_GOOD;
	}
	return complain_command(c, name, group ? sub : NULL, text);
}

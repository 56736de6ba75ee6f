/*
 * `sekishoctl status` of what stands at the gates: the guard, the print gate, the kernel programs. See status_parts.h.
 */
#include "policy/base/text.h"
#include "policy/ctl/status_parts.h"
#include <inttypes.h>

void status_wrong(struct status_view *v, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_whole(text);
	json_array_append_new(v->problems, json_string(text));
}

json_int_t status_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

void status_guard(struct status_view *v, const char *name, const json_t *o)
{
	const struct ctl *c = v->ctl;
	const json_t *p = json_object_get(o, "policy"), *layers = json_object_get(o, "layers"), *layer;
	const json_t *files = json_object_get(o, "protected_files");
	const char *gate = json_string_value(json_object_get(o, "gate"));
	char a[SHOWN_MAX], b[SHOWN_MAX];
	size_t i;

	if (!gate)
		return;
	buf_putf(&v->out, SAY(c, "    policy %" PRId64 ", signed by %s", "    ポリシー %" PRId64 "、署名者 %s"),
		(int64_t)status_number(p, "version"), door_text(a, p, "signer"));
	buf_putf(&v->out,
		SAY(c, "; %" PRId64 " devices plugged in, %" PRId64 " held, %" PRId64 " denials\n",
			"。接続機器 %" PRId64 " 台、保護中 %" PRId64 " 台、拒否 %" PRId64 " 件\n"),
		(int64_t)status_number(o, "devices"), (int64_t)status_number(o, "held"),
		(int64_t)status_number(o, "denials"));
	buf_puts(&v->out, SAY(c, "    held by:", "    制御手段:"));
	json_array_foreach(layers, i, layer)
	{
		buf_putf(&v->out, " %s", shown(a, json_string_value(layer) ? json_string_value(layer) : "?"));
	}
	buf_puts(&v->out, json_array_size(layers) ? "\n" : SAY(c, " udev and flags only\n", " udev とフラグのみ\n"));
	if (json_is_object(files)) {
		buf_putf(&v->out,
			SAY(c,
				"    protected files: refused by %s; %" PRId64 " folders, %" PRId64
				" files marked, %" PRId64 " refusals\n",
				"    保護ファイル: 拒否の手段 %s、対象フォルダー %" PRId64 "、ファイル %" PRId64
				"、拒否 %" PRId64 " 件\n"),
			door_text(a, files, "refused_by"), (int64_t)status_number(files, "folders"),
			(int64_t)status_number(files, "files"), (int64_t)status_number(files, "refused"));
		if (strcmp(door_text(a, files, "refused_by"), "none") == 0)
			status_wrong(v,
				SAY(c, "%s: protected files are not refused to others, as the policy wants it",
					"%s: ポリシーで指定された保護ファイルの利用制限が効いていません"),
				name);
		if (status_number(files, "left_out"))
			status_wrong(v,
				SAY(c, "%s: %" PRId64 " protected folders and files are not marked: too many",
					"%s: 保護ファイル・フォルダー %" PRId64 " 件は数が多すぎるため対象外です"),
				name, (int64_t)status_number(files, "left_out"));
	}
	if (strcmp(gate, "none") == 0)
		status_wrong(v, SAY(c, "%s: the kernel's gate is not there", "%s: カーネルのゲートがありません"), name);
	if (strcmp(gate, "note") == 0)
		status_wrong(v,
			SAY(c, "%s: the gate only notes, and holds nothing", "%s: ゲートは記録のみで、制御しません"),
			name);
	if (strcmp(gate, "enforce") == 0 && json_string_value(json_object_get(o, "enforce")) &&
		strcmp(json_string_value(json_object_get(o, "enforce")), "full") != 0)
		status_wrong(v,
			SAY(c, "%s: what must be denied was not denied",
				"%s: 拒否されるべき操作が拒否されませんでした"),
			name);
	if (json_is_true(json_object_get(p, "expired")))
		status_wrong(v,
			SAY(c, "%s: the policy has expired: the built-in defaults hold",
				"%s: ポリシーの有効期限が切れています(既定値で動作中)"),
			name);
	if (json_is_string(json_object_get(p, "refused")))
		status_wrong(v, SAY(c, "%s: a policy was refused: %s", "%s: ポリシーが拒否されました: %s"), name,
			door_text(b, p, "refused"));
}

/* The print gate: an object with queues. */
void status_print(struct status_view *v, const char *name, const json_t *o)
{
	const struct ctl *c = v->ctl;
	const json_t *queues = json_object_get(o, "queues"), *p = json_object_get(o, "policy"), *q;
	const json_t *copies = json_object_get(o, "copies");
	const char *outside = json_string_value(json_object_get(o, "outside"));
	char a[SHOWN_MAX], b[SHOWN_MAX];
	size_t i;

	if (!json_is_array(queues) || !json_is_object(p))
		return;
	buf_putf(&v->out,
		SAY(c,
			"    policy %" PRId64 ", %" PRId64 " rules for print jobs; behind the gate: %" PRId64
			" of %zu queues\n",
			"    ポリシー %" PRId64 "、印刷の規則 %" PRId64 " 件。ゲート内: キュー %" PRId64 " / %zu\n"),
		(int64_t)status_number(p, "version"), (int64_t)status_number(p, "rules"),
		(int64_t)status_number(o, "inside"), json_array_size(queues));
	buf_putf(&v->out,
		SAY(c,
			"    jobs: %" PRId64 " judged, %" PRId64 " stopped, %" PRId64 " held now, %" PRId64
			" printed without being judged\n",
			"    印刷: 判定 %" PRId64 " 件、停止 %" PRId64 " 件、保留中 %" PRId64 " 件、判定なし %" PRId64
			" 件\n"),
		(int64_t)status_number(o, "judged"), (int64_t)status_number(o, "stopped"),
		(int64_t)status_number(o, "held"), (int64_t)status_number(o, "missed"));
	if (status_number(copies, "files") || status_number(copies, "waiting"))
		buf_putf(&v->out,
			SAY(c,
				"    copies for the auditor: %" PRId64 " (%" PRId64 " bytes), %" PRId64
				" wait, %" PRId64 " made room\n",
				"    監査者用の控え: %" PRId64 " 件(%" PRId64 " バイト)、待機 %" PRId64
				" 件、容量超過で削除 %" PRId64 " 件\n"),
			(int64_t)status_number(copies, "files"), (int64_t)status_number(copies, "bytes"),
			(int64_t)status_number(copies, "waiting"), (int64_t)status_number(copies, "dropped"));
	if (!json_is_true(json_object_get(o, "cups")))
		return; /* nothing prints either, or CUPS starts with the first job */
	if (outside && *outside)
		status_wrong(v,
			SAY(c, "%s: no queue is behind the gate: %s", "%s: どのキューもゲート内にありません: %s"), name,
			door_text(a, o, "outside"));
	json_array_foreach(queues, i, q)
	{
		if (!(outside && *outside) && !json_is_true(json_object_get(q, "inside")))
			status_wrong(v,
				SAY(c, "%s: queue %s is not behind the gate: %s",
					"%s: キュー %s はゲート内にありません: %s"),
				name, door_text(a, q, "name"), door_text(b, q, "reason"));
	}
	if (json_is_false(json_object_get(o, "inspector")))
		status_wrong(v, SAY(c, "%s: documents are not looked into", "%s: 文書の検査ができません"), name);
	if (json_is_true(json_object_get(p, "expired")))
		status_wrong(v,
			SAY(c, "%s: the policy has expired: jobs print, and are recorded",
				"%s: ポリシーの有効期限が切れています(印刷は許可・記録のみ)"),
			name);
}

/* What keeps root itself from the agent's files, kernel objects and processes. */
static void say_shield(struct status_view *v, const json_t *o)
{
	const struct ctl *c = v->ctl;
	const char *how = json_string_value(json_object_get(o, "shield"));
	char a[SHOWN_MAX];

	if (!strcmp(how, "enforce"))
		buf_puts(&v->out,
			SAY(c, "protection of the agent itself: by the kernel (changes are refused and recorded)\n",
				"エージェント自身の保護: カーネル(変更を拒否し、記録します)\n"));
	else if (!strcmp(how, "note"))
		buf_putf(&v->out,
			SAY(c, "protection of the agent itself: none (changes are recorded): note by %s\n",
				"エージェント自身の保護: なし(変更は記録のみ): %s により note\n"),
			door_text(a, o, "why"));
	else
		buf_putf(&v->out,
			SAY(c, "protection of the agent itself: none (changes of files are recorded): %s\n",
				"エージェント自身の保護: なし(ファイルの変更は記録されます): %s\n"),
			door_text(a, o, "why"));
}

/* The kernel programs: loaded by a program that has ended, as it should. */
bool status_kernel(struct status_view *v, const json_t *o)
{
	const struct ctl *c = v->ctl;
	const char *why = json_string_value(json_object_get(o, "why_not_fuller"));
	char a[SHOWN_MAX], b[SHOWN_MAX], t[SHOWN_MAX];

	if (json_is_string(json_object_get(o, "gate")) && !json_object_get(o, "program")) {
		buf_putf(&v->out, SAY(c, "gate: %s (%s), loaded %s\n", "ゲート: %s(%s)、読み込み %s\n"),
			door_text(a, o, "gate"), door_text(b, o, "layers"), door_text(t, o, "loaded"));
		return true; /* what is wrong with it the guard says */
	}
	if (json_is_boolean(json_object_get(o, "egress"))) {
		if (json_is_true(json_object_get(o, "egress")))
			buf_puts(&v->out, SAY(c, "connections to printers past CUPS: seen\n",
						  "CUPS を通らないプリンター接続: 検知可能\n"));
		else
			buf_putf(&v->out,
				SAY(c, "connections to printers past CUPS: not seen: %s\n",
					"CUPS を通らないプリンター接続: 検知不可: %s\n"),
				door_text(a, o, "why"));
		return true;
	}
	if (json_is_string(json_object_get(o, "shield"))) {
		say_shield(v, o);
		return true;
	}
	if (json_is_string(json_object_get(o, "purpose"))) {
		buf_putf(&v->out, SAY(c, "maintenance window: open for %s\n", "保守作業: 実施中(%s)\n"),
			door_text(a, o, "purpose"));
		return true;
	}
	if (!json_is_string(json_object_get(o, "set")))
		return false;
	buf_putf(&v->out,
		SAY(c, "kernel programs: %s set, loaded %s\n", "カーネルプログラム: 記録方式 %s、読み込み %s\n"),
		door_text(a, o, "set"), door_text(b, o, "loaded"));
	if (why && *why)
		buf_putf(&v->out,
			SAY(c, "    the kernel cannot enforce; the fuller set does not work here: %s\n",
				"    カーネルによる強制は不可。上位の方式が使えない理由: %s\n"),
			door_text(a, o, "why_not_fuller"));
	return true;
}

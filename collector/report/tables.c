/* Which tables a report has, and what their rows are. README.md says what each figure counts. See report_parts.h. */
#include "collector/report/report_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT(name, en, ja, share)              \
	{                                      \
		name, CELL_TEXT, en, ja, share \
	}
#define COUNT(name, en, ja)                 \
	{                                   \
		name, CELL_COUNT, en, ja, 7 \
	}
#define BYTES(name, en, ja)                 \
	{                                   \
		name, CELL_BYTES, en, ja, 8 \
	}
#define WHEN(name, en, ja)                  \
	{                                   \
		name, CELL_TIME, en, ja, 11 \
	}
#define PRINTS_COLUMNS                                                                                             \
	COUNT("jobs", "Jobs", "ジョブ"), COUNT("pages", "Pages", "ページ"), COUNT("sheets", "Sheets", "用紙枚数"), \
		COUNT("colour", "Colour jobs", "カラー"), COUNT("denied", "Denied", "禁止"),                       \
		COUNT("held", "Held", "保留"), COUNT("released", "Released", "許可"),                              \
		COUNT("noted", "Note mode", "記録のみ"), COUNT("numbers", "Personal numbers", "個人番号あり"),     \
		COUNT("missed", "Not judged", "判定なし")

static int by_name(const struct named *a, const struct named *b)
{
	int r = memcmp(a->name, b->name, a->n < b->n ? a->n : b->n);

	return r ? r : (a->n > b->n) - (a->n < b->n);
}

static int more_first(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

#define ORDER_(fn, type, first, second)                                                         \
	static int fn(const void *a, const void *b)                                             \
	{                                                                                       \
		const struct type *x = *(struct type *const *)a, *y = *(struct type *const *)b; \
		int r = more_first(x->first, y->first);                                         \
                                                                                                \
		r = r ? r : more_first(x->second, y->second);                                   \
		return r ? r : by_name(&x->named, &y->named);                                   \
	}
ORDER_(by_pages, person, p.pages, p.jobs)
ORDER_(by_place, paper_place, p.pages, p.jobs)
ORDER_(by_written, person, bytes, denied)
ORDER_(by_drive, drive, bytes, plugs)
ORDER_(by_reader, reader, searches, views)
ORDER_(by_lost, cause, lost, events)
ORDER_(by_found, known_document, jobs, files)

static int by_version(const void *a, const void *b)
{
	const struct version *x = *(struct version *const *)a, *y = *(struct version *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

#define EARLIER_(fn, type, when)                                                                \
	static int fn(const void *a, const void *b)                                             \
	{                                                                                       \
		const struct type *x = *(struct type *const *)a, *y = *(struct type *const *)b; \
		int r = (x->when > y->when) - (x->when < y->when);                              \
                                                                                                \
		return r ? r : by_name(&x->named, &y->named);                                   \
	}
EARLIER_(by_moment, exception, first_us)
EARLIER_(by_act, act, at_us)

static int by_pc(const void *a, const void *b)
{
	const struct pc *x = *(struct pc *const *)a, *y = *(struct pc *const *)b;
	int r = strcmp(x->name, y->name);

	return r ? r : by_name(&x->named, &y->named);
}

static void name_cell(struct report *r, struct table *t, const struct named *n, const struct tally *of)
{
	if (n == of->other)
		cell_text(r, t, SPAN_STR(say(r, "(all others)", "(その他すべて)")));
	else if (!n->n)
		cell_text(r, t, SPAN_STR(say(r, "(unknown)", "(不明)")));
	else
		cell_text(r, t, SPAN(n->name, n->n));
}

static void prints_cells(struct table *t, const struct prints *p)
{
	const uint64_t v[] = {p->jobs, p->pages, p->sheets, p->colour, p->denied, p->held, p->released, p->noted,
		p->numbers, p->missed};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(v); i++)
		cell_number(t, v[i]);
}

/* --- 1. prints --- */

static bool printed(const struct prints *p)
{
	const uint64_t *v = (const uint64_t *)p;
	size_t i;

	for (i = 0; i < sizeof(*p) / sizeof(*v); i++)
		if (v[i])
			return true;
	return false;
}

/* The entry behind the last is what did not fit, if there is one. */
static void *entry(const struct tally *t, unsigned i)
{
	return i < t->n ? t->v[i] : t->other;
}
static unsigned entries(const struct tally *t)
{
	return t->n + (t->other != NULL);
}

static void places(struct report *r, struct tally *of, const char *name, const char *en, const char *ja,
	const char *en_key, const char *ja_key)
{
	const struct column columns[] = {TEXT("name", en_key, ja_key, 22), PRINTS_COLUMNS};
	struct table *t = table_begin(r, name, 1, en, ja, columns, ARRAY_SIZE(columns));
	unsigned i;

	tally_sort(of, by_place);
	for (i = 0; i < entries(of); i++) {
		const struct paper_place *p = entry(of, i);

		if (!row_begin(r, t))
			continue;
		name_cell(r, t, &p->named, of);
		prints_cells(t, &p->p);
	}
}

static void prints(struct report *r)
{
	static const struct column columns[] = {TEXT("name", "Person", "氏名", 22), PRINTS_COLUMNS};
	struct tally *of = &r->now.persons;
	struct table *t;
	unsigned i;

	if (part_on(r, REPORT_PERSONS)) {
		t = table_begin(
			r, "prints-by-person", 1, "Prints by person", "利用者別の印刷", columns, ARRAY_SIZE(columns));
		t->note_en = "Jobs: print jobs sent. Pages: pages of the documents times copies, of jobs that were let "
			     "print. "
			     "Note mode: would have been denied or held.";
		t->note_ja = "ジョブ: 送信された印刷。ページ: 印刷が認められたジョブの文書ページ数×部数。記録のみ: "
			     "強制していれば禁止・保留となったもの。";
		tally_sort(of, by_pages);
		for (i = 0; i < entries(of); i++) {
			const struct person *p = entry(of, i);

			if (!printed(&p->p) || !row_begin(r, t))
				continue;
			name_cell(r, t, &p->named, of);
			prints_cells(t, &p->p);
		}
	}
	places(r, &r->now.printers, "prints-by-printer", "Prints by printer", "プリンター別の印刷", "Printer",
		"プリンター");
	if (r->settings && r->settings->departments_n)
		places(r, &r->now.departments, "prints-by-department", "Prints by department", "部門別の印刷",
			"Department", "部門");
}

/* --- 2. drives --- */

static const char *access_text(const struct report *r, const struct drive *d)
{
	const struct enum_info *e = d->has_access ? enum_by_value(F_ACCESS, d->access) : NULL;

	return e ? say(r, e->en, e->ja) : "";
}

static void drives_unknown(struct report *r, struct table *t)
{
	unsigned i;

	if (!r->now.bytes_unknown || !row_begin(r, t))
		return;
	cell_text(r, t, SPAN_STR(say(r, "(not known which)", "(特定できないドライブ)")));
	for (i = 0; i < 5; i++)
		cell_none(t);
	cell_none(t);
	cell_none(t);
	cell_number(t, r->now.files_unknown);
	cell_number(t, r->now.bytes_unknown);
	cell_none(t);
	cell_none(t);
}

static void drives(struct report *r)
{
	static const struct column columns[] = {TEXT("product", "Drive", "ドライブ", 15),
		TEXT("usb_id", "USB ID", "USB ID", 8), TEXT("serial", "Serial number", "シリアル番号", 12),
		TEXT("label", "Label", "ラベル", 9), TEXT("access", "Access", "アクセス権", 9),
		WHEN("first", "First in the period", "期間内の初回接続"), COUNT("plugs", "Plugged in", "接続回数"),
		COUNT("pcs", "PCs", "PC台数"), COUNT("files", "Files", "ファイル"),
		BYTES("bytes", "Written", "書き込み量"), COUNT("denied", "Denied", "拒否"),
		TEXT("seen", "Before", "過去の接続", 9)};
	static const struct column by_person[] = {TEXT("name", "Person", "氏名", 26),
		COUNT("plugs", "Plugged in", "接続回数"), COUNT("files", "Files written", "書き込みファイル"),
		BYTES("bytes", "Written", "書き込み量"), COUNT("denied", "Writes denied", "書き込み拒否"),
		COUNT("codes", "Released by code", "一時解除")};
	struct table *t = table_begin(r, "drives", 2, "Drives", "ドライブ", columns, ARRAY_SIZE(columns));
	unsigned i;

	t->note_en = "Access: what the policy last said of it. Before: seen in the year before the period. Files do "
		     "not name "
		     "their drive: bytes are those of the drive that was plugged in at that PC then.";
	t->note_ja = "アクセス権: 最後の判定。過去の接続: "
		     "期間前1年間の接続の有無。書き込み量は、その時刻に当該PCに接続されていた"
		     "ドライブのものとして集計。";
	tally_sort(&r->now.drives, by_drive);
	for (i = 0; i < r->now.drives.n; i++) {
		const struct drive *d = (struct drive *)r->now.drives.v[i];

		if (!d->seen || !d->storage || !row_begin(r, t))
			continue;
		cell_text(r, t, SPAN_STR(d->product));
		cell_text(r, t, SPAN_STR(d->usb_id));
		cell_text(r, t, SPAN_STR(d->serial));
		cell_text(r, t, SPAN_STR(d->label));
		cell_text(r, t, SPAN_STR(access_text(r, d)));
		cell_time(t, d->first_us);
		cell_number(t, d->plugs);
		cell_number(t, d->pcs);
		cell_number(t, d->files);
		cell_number(t, d->bytes);
		cell_number(t, d->denied);
		cell_text(r, t, SPAN_STR(d->earlier_us ? say(r, "yes", "あり") : say(r, "no", "なし")));
	}
	drives_unknown(r, t);
	if (!part_on(r, REPORT_PERSONS))
		return;
	t = table_begin(r, "drives-by-person", 2, "Drives by person", "利用者別のドライブ利用", by_person,
		ARRAY_SIZE(by_person));
	tally_sort(&r->now.persons, by_written);
	for (i = 0; i < entries(&r->now.persons); i++) {
		const struct person *p = entry(&r->now.persons, i);

		if ((!p->plugs && !p->files && !p->denied && !p->codes) || !row_begin(r, t))
			continue;
		name_cell(r, t, &p->named, &r->now.persons);
		cell_number(t, p->plugs);
		cell_number(t, p->files);
		cell_number(t, p->bytes);
		cell_number(t, p->denied);
		cell_number(t, p->codes);
	}
}

/* --- 3. exceptions --- */

static void exceptions(struct report *r)
{
	static const struct column columns[] = {WHEN("time", "First time", "日時(最初)"),
		TEXT("what", "What", "内容", 17), TEXT("pc", "PC", "PC", 10), TEXT("person", "Person", "氏名", 12),
		TEXT("object", "Printer, drive", "プリンター・ドライブ", 18), TEXT("rule", "Rule", "規則", 14),
		TEXT("by", "Released by", "許可者", 8), COUNT("count", "Times", "件数")};
	struct table *t =
		table_begin(r, "exceptions", 3, "Out of the ordinary", "例外の一覧", columns, ARRAY_SIZE(columns));
	unsigned i;

	t->note_en = "What is alike (PC, person, object, rule) on one day is one row.";
	t->note_ja = "同じ日の同じ内容(PC・氏名・対象・規則)は1行にまとめています。";
	tally_sort(&r->now.exceptions, by_moment);
	for (i = 0; i < r->now.exceptions.n; i++) {
		const struct exception *e = (struct exception *)r->now.exceptions.v[i];

		if (!row_begin(r, t))
			continue;
		cell_time(t, e->first_us);
		cell_text(r, t, SPAN_STR(exception_word(r, e->what)));
		cell_text(r, t, SPAN_STR(e->pc));
		cell_text(r, t, SPAN_STR(e->user));
		cell_text(r, t, SPAN_STR(e->object));
		cell_text(r, t, SPAN_STR(e->rule));
		cell_text(r, t, SPAN_STR(e->by));
		cell_number(t, e->count);
	}
	t->more += r->now.exceptions.over;
}

static void known(struct report *r)
{
	static const struct column columns[] = {TEXT("name", "Document", "文書", 30),
		COUNT("jobs", "Print jobs", "印刷ジョブ"), COUNT("files", "Files on drives", "ドライブ上のファイル"),
		COUNT("most", "Most of it, %", "最大の一致率(%)"), WHEN("last", "Last", "最終検出")};
	struct table *t = table_begin(r, "known-documents", 3, "Known documents that were found", "検出された登録文書",
		columns, ARRAY_SIZE(columns));
	unsigned i;

	t->note_en =
		"Documents that the policy knows by their fingerprints, in what was printed or tried, and in what was "
		"written to drives.";
	t->note_ja = "ポリシーにフィンガープリントで登録された文書。印刷(禁止・保留を含む)"
		     "とドライブへの書き込みから検出したもの。";
	tally_sort(&r->now.known, by_found);
	for (i = 0; i < entries(&r->now.known); i++) {
		const struct known_document *k = entry(&r->now.known, i);

		if (!row_begin(r, t))
			continue;
		name_cell(r, t, &k->named, &r->now.known);
		cell_number(t, k->jobs);
		cell_number(t, k->files);
		cell_number(t, k->most);
		cell_time(t, k->last_us);
	}
}

/* --- 4. policy --- */

static void policy(struct report *r)
{
	static const struct column columns[] = {COUNT("version", "Version", "版"),
		TEXT("signer", "Signed by", "署名者", 16), WHEN("pushed", "Pushed", "配布日時"),
		TEXT("by", "Pushed by", "配布者", 9), WHEN("first", "First applied", "最初の適用"),
		WHEN("last", "Last applied", "最後の適用"), COUNT("pcs", "PCs", "適用PC"),
		COUNT("refused", "Refused", "拒否")};
	static const struct column lines[] = {COUNT("version", "Version", "版"), TEXT("file", "File", "ファイル", 10),
		TEXT("change", "Change", "変更", 7), TEXT("line", "Line", "行", 60)};
	static const struct column acts[] = {WHEN("time", "Time", "日時"), TEXT("who", "Who", "実施者", 14),
		TEXT("kind", "What", "種別", 18), TEXT("text", "Note", "内容", 46)};
	struct table *t = table_begin(
		r, "policy-versions", 4, "Versions of the policy", "ポリシーの版", columns, ARRAY_SIZE(columns));
	char text[32];
	unsigned i;

	tally_sort(&r->now.versions, by_version);
	for (i = 0; i < r->now.versions.n; i++) {
		const struct version *v = (struct version *)r->now.versions.v[i];

		if (!v->here || !row_begin(r, t))
			continue;
		cell_number(t, v->number);
		cell_text(r, t, SPAN_STR(v->signer));
		cell_time(t, v->pushed_us);
		snprintf(text, sizeof(text), "uid %" PRIu64, v->uid);
		cell_text(r, t, SPAN_STR(v->has_uid ? text : ""));
		cell_time(t, v->first_us);
		cell_time(t, v->last_us);
		cell_number(t, v->pcs);
		cell_number(t, v->refused);
	}
	t = table_begin(
		r, "policy-changes", 4, "What the versions changed", "版ごとの変更点", lines, ARRAY_SIZE(lines));
	t->note_en = "Lines of the two texts that were added or removed, against the version before.";
	t->note_ja = "直前の版との比較で追加・削除された行。";
	changes_rows(r, t);
	t = table_begin(r, "administrators-acts", 4, "Acts of administrators", "管理操作", acts, ARRAY_SIZE(acts));
	tally_sort(&r->now.acts, by_act);
	for (i = 0; i < r->now.acts.n; i++) {
		const struct act *a = (struct act *)r->now.acts.v[i];
		const struct enum_info *e = enum_by_value(F_KIND, a->kind);

		if (!row_begin(r, t))
			continue;
		cell_time(t, a->at_us);
		cell_text(r, t, SPAN_STR(a->who));
		cell_text(r, t, SPAN_STR(e ? say(r, e->en, e->ja) : ""));
		cell_text(r, t, SPAN_STR(a->what));
	}
	t->more += r->now.acts.over;
}

/* --- 5. readers of the logs --- */

static void readers(struct report *r)
{
	static const struct column columns[] = {TEXT("name", "Account", "アカウント", 22),
		COUNT("sign_ins", "Sign-ins", "サインイン"), COUNT("refused", "Refused", "拒否"),
		COUNT("views", "Views", "閲覧"), COUNT("searches", "Searches", "検索"),
		COUNT("exports", "Exports", "出力"), COUNT("bundles", "Evidence bundles", "証拠バンドル"),
		COUNT("reports", "Reports", "レポート"), COUNT("changes", "Changes", "変更")};
	struct table *t = table_begin(
		r, "log-readers", 5, "Who looked at the logs", "ログの閲覧者", columns, ARRAY_SIZE(columns));
	unsigned i;

	t->note_en =
		"From the signed access log of the console. The same page looked at again within a minute is one view.";
	t->note_ja = "コンソールの署名付きアクセス記録による。同じ画面の1分以内の再表示は1回と数えます。";
	tally_sort(&r->now.readers, by_reader);
	for (i = 0; i < entries(&r->now.readers); i++) {
		const struct reader *p = entry(&r->now.readers, i);

		if (!row_begin(r, t))
			continue;
		name_cell(r, t, &p->named, &r->now.readers);
		cell_number(t, p->sign_ins);
		cell_number(t, p->refused);
		cell_number(t, p->views);
		cell_number(t, p->searches);
		cell_number(t, p->exports);
		cell_number(t, p->bundles);
		cell_number(t, p->reports);
		cell_number(t, p->changes);
	}
}

/* --- 6. fleet --- */

static void state_text(const struct report *r, const struct pc *pc, char out[160])
{
	const char *comma = say(r, ", ", "、");

	if (pc->state != HOST_ACTIVE) {
		snprintf(out, 160, "%s",
			pc->state == HOST_REVOKED ? say(r, "revoked", "失効") : say(r, "retired", "廃止"));
		return;
	}
	snprintf(out, 160, "%s%s%s", pc_is_silent(&r->now, pc) ? say(r, "silent", "応答なし") : "",
		pc_is_silent(&r->now, pc) && pc->weak ? comma : "",
		pc->weak ? say(r, "cannot enforce", "強制不可") : "");
	if (!out[0])
		snprintf(out, 160, "%s", say(r, "in order", "正常"));
}

static void pcs(struct report *r)
{
	static const struct column columns[] = {TEXT("name", "PC", "PC", 14),
		TEXT("department", "Department", "部門", 10), TEXT("state", "State", "状態", 14),
		WHEN("last", "Last record", "最後の記録"), COUNT("gaps", "Gaps", "欠落箇所"),
		COUNT("missing", "Segments missing", "欠落セグメント"), COUNT("forks", "Forks", "分岐"),
		COUNT("refused", "Refused", "拒否"), COUNT("lost", "Records lost", "欠落件数"),
		COUNT("alerts", "Alerts", "警告"), COUNT("policy", "Policy", "ポリシー版")};
	struct table *t = table_begin(r, "pcs", 6, "PCs", "PC", columns, ARRAY_SIZE(columns));
	char text[160];
	unsigned i;

	t->note_en = "Silent: no record of the last seven days of the period. Cannot enforce: by the PC's newest word "
		     "in it.";
	t->note_ja = "応答なし: 期間の最後の7日間に記録がないPC。強制不可: 期間内の最新の申告による。";
	tally_sort(&r->now.pcs, by_pc);
	for (i = 0; i < r->now.pcs.n; i++) {
		const struct pc *pc = (struct pc *)r->now.pcs.v[i];
		const char *department = report_department_of(r->settings, pc->name);

		if (!pc->known || !row_begin(r, t))
			continue;
		state_text(r, pc, text);
		cell_text(r, t, SPAN_STR(pc->name));
		cell_text(r, t, SPAN_STR(department ? department : ""));
		cell_text(r, t, SPAN_STR(text));
		cell_time(t, pc->has_last ? pc->last_us : 0);
		cell_number(t, pc->gaps);
		cell_number(t, pc->missing);
		cell_number(t, pc->forks);
		cell_number(t, pc->refused);
		cell_number(t, pc->lost);
		cell_number(t, pc->alerts);
		if (pc->policy)
			cell_number(t, pc->policy);
		else
			cell_none(t);
	}
	t->more += r->now.pcs.over;
}

static void losses(struct report *r)
{
	static const struct column columns[] = {TEXT("cause", "Cause", "原因", 40), COUNT("events", "Times", "回数"),
		COUNT("lost", "Records lost", "欠落件数"), COUNT("unknown", "Number not known", "件数不明"),
		COUNT("pcs", "PCs", "PC台数")};
	struct table *t =
		table_begin(r, "losses", 6, "Losses by cause", "原因別の記録の欠落", columns, ARRAY_SIZE(columns));
	unsigned i;

	tally_sort(&r->now.causes, by_lost);
	for (i = 0; i < r->now.causes.n; i++) {
		const struct cause *c = (struct cause *)r->now.causes.v[i];
		const struct enum_info *e = enum_by_value(F_CAUSE, c->value);

		if (!row_begin(r, t))
			continue;
		cell_text(r, t, SPAN_STR(e ? say(r, e->en, e->ja) : c->named.name));
		cell_number(t, c->events);
		cell_number(t, c->lost);
		cell_number(t, c->unknown);
		cell_number(t, c->pcs);
	}
}

/* --- 7. completeness --- */

static void fact_row(struct report *r, struct table *t, const char *en, const char *ja, const char *value)
{
	if (!row_begin(r, t))
		return;
	cell_text(r, t, SPAN_STR(say(r, en, ja)));
	cell_text(r, t, SPAN_STR(value));
}

static void completeness(struct report *r)
{
	static const struct column columns[] = {TEXT("what", "What", "項目", 30), TEXT("value", "Finding", "内容", 70)};
	struct table *t = table_begin(r, "completeness", 7, "Statement", "記載事項", columns, ARRAY_SIZE(columns));
	const struct figures *f = &r->now.f;
	char text[256], a[64];
	uint64_t behind = r->leaves > r->indexed ? r->leaves - r->indexed : 0;

	fact_row(r, t, "Log", "ログ", r->verified ? r->head.origin : say(r, "not verified", "未検証"));
	shown_number(a, CELL_COUNT, (int64_t)r->head.size);
	fact_row(r, t, "Size of the log (segments)", "ログの大きさ(セグメント数)", r->verified ? a : "");
	fact_row(r, t, "Root hash (SHA-256)", "ルートハッシュ(SHA-256)", r->verified ? r->root : "");
	fact_row(r, t, "Signature of the checkpoint", "チェックポイントの署名",
		r->verified ? say(r, "verified with the log's key", "ログの公開鍵で検証済み")
		: r->o.log  ? say(r, "DOES NOT VERIFY", "検証に失敗")
			   : say(r, "not verified: the log's key is not there", "未検証: ログの公開鍵がありません"));
	fact_row(r, t, "Newest segment lies in the signed tree", "最新セグメントが署名済みツリーに含まれること",
		r->included ? say(r, "verified by an inclusion proof", "包含証明により検証済み")
			    : say(r, "not verified", "未検証"));
	shown_number(a, CELL_COUNT, (int64_t)behind);
	fact_row(
		r, t, "Segments not indexed yet (not in this report)", "未索引のセグメント(本レポートに含まれない)", a);
	if (part_on(r, REPORT_FLEET)) {
		snprintf(text, sizeof(text),
			say(r, "%" PRIu64 " gaps, %" PRIu64 " segments", "%" PRIu64 " か所、%" PRIu64 " セグメント"),
			f->gaps, f->missing);
		fact_row(r, t, "Missing of the PCs' chains", "PCの記録列の欠落", text);
		snprintf(text, sizeof(text), "%" PRIu64, f->lost);
		fact_row(r, t, "Records lost, by the PCs' own count", "PCの申告による欠落件数", text);
		snprintf(text, sizeof(text), "%" PRIu64, f->silent);
		fact_row(
			r, t, "Silent PCs, whose records may come later", "応答のないPC(記録が後から届く可能性)", text);
	}
	if (r->now.jobs.full || r->now.pairs.full || r->now.spells_over || r->now.persons.over || r->now.drives.over)
		fact_row(r, t, "Bounds", "上限",
			say(r, "more persons, drives or jobs than are told apart: see README of the report",
				"区別できる人数・台数・ジョブ数の上限を超えています"));
	fact_row(r, t, "All signatures and chains", "すべての署名と記録列の検証",
		say(r, "by: sekishoctl verify", "sekishoctl verify で実施"));
}

int model_make(struct report *r)
{
	if (part_on(r, REPORT_PRINTS))
		prints(r);
	if (part_on(r, REPORT_DRIVES))
		drives(r);
	if (part_on(r, REPORT_EXCEPTIONS) && part_on(r, REPORT_PERSONS))
		exceptions(r);
	if (part_on(r, REPORT_EXCEPTIONS) && r->now.known.n)
		known(r);
	if (part_on(r, REPORT_POLICY))
		policy(r);
	if (part_on(r, REPORT_ACCESS))
		readers(r);
	if (part_on(r, REPORT_FLEET)) {
		pcs(r);
		losses(r);
	}
	completeness(r);
	return r->failed;
}

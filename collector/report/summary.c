/*
 * What a manager reads first: the figures beside those of the period before, and what wants attention, worst first.
 */
#include "collector/report/report_parts.h"
#include <inttypes.h>
#include <stdio.h>

static void figure(struct report *r, unsigned parts, bool first_page, const char *name, const char *en, const char *ja,
	enum cell_type type, const uint64_t *now)
{
	/* The same place in the other period's figures. */
	const uint64_t *before =
		(const uint64_t *)((const char *)&r->before.f + ((const char *)now - (const char *)&r->now.f));

	if (!part_on(r, parts) || r->figures_n == FIGURES_MAX)
		return;
	r->figures[r->figures_n++] = (struct figure){.name = name,
		.en = en,
		.ja = ja,
		.type = type,
		.now = *now,
		.before = *before,
		.compared = true,
		.first_page = first_page};
}

static void figures(struct report *r)
{
	const struct figures *f = &r->now.f;
	const unsigned P = REPORT_PRINTS, D = REPORT_DRIVES, L = REPORT_POLICY, A = REPORT_ACCESS, F = REPORT_FLEET;

	figure(r, P, true, "pages", "Pages printed", "印刷ページ数", CELL_COUNT, &f->p.pages);
	figure(r, P, true, "jobs", "Print jobs", "印刷ジョブ", CELL_COUNT, &f->p.jobs);
	figure(r, P, false, "sheets", "Sheets of paper", "用紙枚数", CELL_COUNT, &f->p.sheets);
	figure(r, P, false, "colour", "Jobs in colour", "カラージョブ", CELL_COUNT, &f->p.colour);
	figure(r, P | REPORT_PERSONS, false, "people", "People who printed", "印刷した人数", CELL_COUNT, &f->people);
	figure(r, P, true, "prints_denied", "Prints denied", "印刷の禁止", CELL_COUNT, &f->p.denied);
	figure(r, P, false, "prints_held", "Prints held", "印刷の保留", CELL_COUNT, &f->p.held);
	figure(r, P, false, "prints_released", "Held prints released", "保留印刷の許可", CELL_COUNT, &f->p.released);
	figure(r, P, false, "prints_noted", "Prints that note mode let pass", "記録のみで通過した印刷", CELL_COUNT,
		&f->p.noted);
	figure(r, P, false, "prints_alerted", "Prints with an alert", "警告対象の印刷", CELL_COUNT, &f->p.alerted);
	figure(r, P, false, "prints_marked", "Prints allowed, marked", "印刷の許可(要確認)", CELL_COUNT, &f->p.marked);
	figure(r, P, false, "prints_missed", "Printed without being judged", "判定なしの印刷", CELL_COUNT,
		&f->p.missed);
	figure(r, P, false, "personal_numbers", "Jobs with personal numbers", "個人番号を含む印刷", CELL_COUNT,
		&f->p.numbers);
	figure(r, REPORT_EXCEPTIONS, false, "known_jobs", "Jobs with known documents", "登録文書を含む印刷", CELL_COUNT,
		&f->known_jobs);
	figure(r, REPORT_EXCEPTIONS, false, "known_files", "Files with known documents on drives",
		"ドライブ上の登録文書を含むファイル", CELL_COUNT, &f->known_files);
	figure(r, D, true, "drives", "Drives seen", "検出されたドライブ", CELL_COUNT, &f->drives);
	figure(r, D, false, "drives_new", "Drives not seen before", "初めて接続されたドライブ", CELL_COUNT,
		&f->drives_new);
	if (r->figures_n && part_on(r, D))
		r->figures[r->figures_n - 1].compared = false;
	figure(r, D, false, "plugs", "Times plugged in", "ドライブの接続回数", CELL_COUNT, &f->plugs);
	figure(r, D, true, "bytes", "Written to drives", "ドライブへの書き込み量", CELL_BYTES, &f->bytes);
	figure(r, D, false, "files", "Files written to drives", "ドライブへ書き込んだファイル", CELL_COUNT, &f->files);
	figure(r, D, true, "writes_denied", "Writes denied", "書き込みの拒否", CELL_COUNT, &f->denied);
	figure(r, D, false, "writes_seen", "Writes to held drives seen", "保護媒体への書き込み検知", CELL_COUNT,
		&f->write_seen);
	figure(r, D, false, "codes", "Drives released by code", "コードによる一時解除", CELL_COUNT, &f->codes);
	figure(r, D, false, "codes_refused", "Release codes refused", "一時解除コードの拒否", CELL_COUNT,
		&f->codes_refused);
	figure(r, L, false, "policies_pushed", "Policies pushed", "ポリシーの配布", CELL_COUNT, &f->versions);
	figure(r, L, false, "policy_refused", "Policies refused by PCs", "PCが拒否したポリシー", CELL_COUNT,
		&f->policy_refused);
	figure(r, A, true, "searches", "Searches of the logs", "ログの検索", CELL_COUNT, &f->searches);
	figure(r, A, false, "views", "Views in the console", "コンソールの閲覧", CELL_COUNT, &f->views);
	figure(r, A, false, "exports", "Exports of logs", "ログの出力", CELL_COUNT, &f->exports);
	figure(r, A, false, "bundles", "Evidence bundles", "証拠バンドル", CELL_COUNT, &f->bundles);
	figure(r, A, false, "reports", "Reports made", "作成したレポート", CELL_COUNT, &f->reports);
	figure(r, A, false, "sign_ins_refused", "Sign-ins refused", "サインインの拒否", CELL_COUNT,
		&f->sign_in_refused);
	figure(r, F, false, "pcs", "PCs", "PC台数", CELL_COUNT, &f->pcs);
	figure(r, F, true, "silent", "Silent PCs", "応答のないPC", CELL_COUNT, &f->silent);
	figure(r, F, false, "weak", "PCs that cannot enforce", "強制できないPC", CELL_COUNT, &f->weak);
	figure(r, F, false, "gaps", "Gaps in the records", "記録列の欠落", CELL_COUNT, &f->gaps);
	figure(r, F, false, "missing", "Segments missing", "欠落セグメント", CELL_COUNT, &f->missing);
	figure(r, F, false, "forks", "Forked histories", "履歴の分岐", CELL_COUNT, &f->forks);
	figure(r, F, false, "lost", "Records lost", "記録の欠落件数", CELL_COUNT, &f->lost);
	figure(r, F, false, "alerts", "Alerts", "警告", CELL_COUNT, &f->alerts);
}

/* --- what wants attention --- */

static void remark(struct report *r, enum weight weight, const char *en, const char *ja, uint64_t n, uint64_t m)
{
	char a[64], b[64];
	struct remark *to;

	if (!n || r->remarks_n == REMARKS_MAX)
		return;
	to = &r->remarks[r->remarks_n++];
	to->weight = weight;
	shown_number(a, CELL_COUNT, (int64_t)n);
	shown_number(b, CELL_COUNT, (int64_t)m);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	/* Both languages' sentences stand below: one or two numbers each. */
	snprintf(to->text, sizeof(to->text), say(r, en, ja), a, b);
#pragma GCC diagnostic pop
}

/* "pc-1, pc-2 and others", behind what was said last. */
static void names(struct report *r, bool (*fits)(const struct gather *g, const struct pc *pc), uint64_t n)
{
	struct remark *to = n && r->remarks_n ? &r->remarks[r->remarks_n - 1] : NULL;
	unsigned i, shown = 0;
	size_t at;

	for (i = 0; to && i < r->now.pcs.n; i++) {
		const struct pc *pc = (struct pc *)r->now.pcs.v[i];

		if (!fits(&r->now, pc))
			continue;
		at = strlen(to->text);
		if (shown == 4 || at + 160 > sizeof(to->text)) {
			snprintf(to->text + at, sizeof(to->text) - at, "%s", say(r, ", ...", " ほか"));
			return;
		}
		snprintf(to->text + at, sizeof(to->text) - at, "%s%s", shown++ ? say(r, ", ", "、") : " - ", pc->name);
	}
}

static bool is_weak(const struct gather *g, const struct pc *pc)
{
	(void)g;
	return pc->known && pc->state == HOST_ACTIVE && pc->weak;
}

static void printed_most(struct report *r)
{
	const struct person *most = NULL;
	char pages[64], name[96];
	unsigned i;

	for (i = 0; i < r->now.persons.n; i++) {
		const struct person *p = (struct person *)r->now.persons.v[i];

		if (!most || p->p.pages > most->p.pages)
			most = p;
	}
	if (!most || most->p.pages < 1000 || most->p.pages * 5 < r->now.f.p.pages || r->remarks_n == REMARKS_MAX)
		return;
	keep_text(name, sizeof(name), SPAN(most->named.name, most->named.n));
	shown_number(pages, CELL_COUNT, (int64_t)most->p.pages);
	r->remarks[r->remarks_n].weight = WEIGHT_NOTE;
	snprintf(r->remarks[r->remarks_n++].text, sizeof(r->remarks[0].text),
		say(r, "One person printed a fifth of all pages or more: %s, %s pages",
			"全ページの2割以上を1人が印刷: %s、%s ページ"),
		name, pages);
}

static void remarks(struct report *r)
{
	const struct figures *f = &r->now.f, *b = &r->before.f;
	bool P = part_on(r, REPORT_PRINTS), D = part_on(r, REPORT_DRIVES), F = part_on(r, REPORT_FLEET);
	bool L = part_on(r, REPORT_POLICY), A = part_on(r, REPORT_ACCESS);
	uint64_t behind = r->leaves > r->indexed ? r->leaves - r->indexed : 0;

	remark(r, WEIGHT_ALARM, "Writes that reached a drive that was held: %s",
		"保護中のドライブへの書き込みを %s 件検知", D * f->write_seen, 0);
	remark(r, WEIGHT_ALARM, "The log did not extend what a PC had seen before: %s",
		"ログがPCの確認済み内容の続きになっていません: %s 件", F * f->witness, 0);
	remark(r, WEIGHT_ALARM, "Two histories of one PC (a cloned or restored disk): %s",
		"履歴が分岐した記録列が %s 件(ディスクの複製・復元)", F * f->forks, 0);
	remark(r, WEIGHT_ALARM, "Gaps in the PCs' records: %s (segments missing: %s)",
		"記録列に欠落があります: %s か所、%s セグメント", F * f->gaps, f->missing);
	remark(r, WEIGHT_WARNING, "Segments not indexed yet, so not in this report: %s",
		"%s セグメントが未索引のため、本レポートに含まれていません", behind, 0);
	remark(r, WEIGHT_WARNING, "Active PCs without a record in the period's last seven days: %s",
		"期間の最後の7日間に記録のないPCが %s 台", F * f->silent, 0);
	names(r, pc_is_silent, F * f->silent);
	remark(r, WEIGHT_WARNING, "PCs that cannot enforce the policy in the kernel: %s",
		"カーネルで強制できないPCが %s 台", F * f->weak, 0);
	names(r, is_weak, F * f->weak);
	remark(r, WEIGHT_WARNING, "Records lost, as the PCs say themselves: %s", "PCの申告による記録の欠落が %s 件",
		F * f->lost, 0);
	remark(r, WEIGHT_WARNING, "Losses of a number that is not known: %s", "欠落件数が不明な事象が %s 件",
		F * f->lost_unknown, 0);
	remark(r, WEIGHT_WARNING, "Segments refused by the collector: %s", "コレクターが拒否したセグメントが %s 件",
		F * f->refused, 0);
	remark(r, WEIGHT_WARNING, "Jobs printed without being judged: %s", "判定を経ない印刷が %s 件", P * f->p.missed,
		0);
	remark(r, WEIGHT_WARNING, "Release codes refused: %s", "一時解除コードの拒否が %s 件", D * f->codes_refused, 0);
	remark(r, WEIGHT_WARNING, "Policies refused by PCs: %s", "PCがポリシーを拒否: %s 件", L * f->policy_refused, 0);
	remark(r, WEIGHT_WARNING, "Sign-ins to the console refused: %s", "コンソールへのサインイン拒否が %s 件",
		A * f->sign_in_refused, 0);
	remark(r, WEIGHT_NOTE, "Writes to drives denied: %s (period before: %s)",
		"ドライブへの書き込み拒否 %s 件(前期間 %s 件)", D * f->denied, b->denied);
	remark(r, WEIGHT_NOTE, "Print jobs denied: %s (period before: %s)", "印刷の禁止 %s 件(前期間 %s 件)",
		P * f->p.denied, b->p.denied);
	remark(r, WEIGHT_NOTE, "Drives not seen before: %s", "初めて接続されたドライブが %s 台", D * f->drives_new, 0);
	remark(r, WEIGHT_NOTE, "Jobs with personal numbers (My Number), printed or tried: %s",
		"個人番号(マイナンバー)を含む印刷が %s 件", P * f->p.numbers, 0);
	remark(r, WEIGHT_NOTE, "Jobs in which known documents were found, printed or tried: %s",
		"登録文書を含む印刷が %s 件", f->known_jobs, 0);
	remark(r, WEIGHT_NOTE, "Files written to drives in which known documents were found: %s",
		"ドライブに書き込まれた、登録文書を含むファイルが %s 件", f->known_files, 0);
	if (P && part_on(r, REPORT_PERSONS))
		printed_most(r);
}

int summary_make(struct report *r)
{
	figures(r);
	remarks(r);
	return 0;
}

/*
 * `policy check` and `policy explain`: a policy before it is signed. The same code decides here as on every PC.
 */
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/ctl/policy_files.h"
#include "policy/rule/drives.h"
#include "policy/rule/protected.h"
#include <errno.h>
#include <jansson.h>

/* --- check --- */

struct finding {
	struct ctl *c;
	json_t *list;
};

static void on_finding(void *ctx, const struct policy_finding *found)
{
	struct finding *f = ctx;
	char text[SHOWN_MAX], where[64];

	shown(text, f->c->lang == LANG_JA ? found->ja : found->en);
	if (found->line)
		snprintf(where, sizeof(where), "%s:%u", found->file, found->line);
	else
		snprintf(where, sizeof(where), "%s", found->file);
	if (!option_on(f->c, OPT_JSON))
		fprintf(stderr, "%s: %s%s\n", where, found->fatal ? "" : SAY(f->c, "note: ", "注意: "), text);
	json_array_append_new(
		f->list, json_pack("{s:b, s:s, s:s, s:i, s:s}", "fatal", found->fatal, "code", found->code, "file",
				 found->file, "line", (int)found->line, "text", text));
}

int policy_files_check(struct ctl *c, const struct policy_files *files, json_t **out)
{
	struct finding f = {.c = c, .list = json_array()};
	int r = policy_check(files->policy, clock_wall_us(), on_finding, &f);

	*out = json_pack("{s:b, s:I, s:i, s:i, s:o}", "good", r == 0, "version",
		(json_int_t)policy_version(files->policy), "rules", (int)policy_rules_n(files->policy), "devices",
		(int)policy_rows_n(files->policy), "findings", f.list);
	r = r || *out ? r : -ENOMEM;
	return r < 0 ? complain_of(c, "check", r, NULL) : r ? EXIT_PROBLEM : EXIT_GOOD;
}

int command_policy_check(struct ctl *c)
{
	_cleanup_json_ json_t *found = NULL;
	struct policy_files f;
	int r = policy_files_read(c, c->operands[0], &f);

	if (!r)
		r = policy_files_check(c, &f, &found);
	if (found && option_on(c, OPT_JSON))
		r = say_json(found) ? EXIT_MACHINE : r;
	else if (!r)
		printf(SAY(c, "good: version %llu, %u rules, %u devices\n",
			       "問題ありません: 版 %llu、規則 %u 件、機器 %u 台\n"),
			(unsigned long long)policy_version(f.policy), policy_rules_n(f.policy),
			policy_rows_n(f.policy));
	policy_files_deinit(&f);
	return r;
}

/* --- explain --- */

/* "0951:1666:SERIAL" */
static int parse_device(struct ctl *c, struct device *d)
{
	const char *s = option_value(c, OPT_USB);
	unsigned vendor, product;
	int end = 0;

	*d = (struct device){.usb = true};
	if (!s || sscanf(s, "%4x:%4x%n", &vendor, &product, &end) != 2 || (s[end] && s[end] != ':'))
		return complain(EXIT_USAGE, SAY(c, "--usb: VENDOR:PRODUCT[:SERIAL] belongs there",
						    "--usb: ベンダー:製品[:シリアル] を指定してください"));
	d->vendor = (uint16_t)vendor;
	d->product = (uint16_t)product;
	if (s[end])
		device_serial(d->serial, s + end + 1);
	return EXIT_GOOD;
}

static int parse_kind(struct ctl *c, unsigned *out)
{
	const char *s = option_value(c, OPT_DEVICE_KIND);
	const struct enum_info *e = enum_by_name(F_DEVICE_KIND, s ? s : "storage");
	char text[SHOWN_MAX];

	if (!e)
		return complain(EXIT_USAGE,
			SAY(c, "--device-kind: \"%s\" is no kind of device",
				"--device-kind: 「%s」という種類はありません"),
			shown(text, s));
	*out = (unsigned)e->value;
	return EXIT_GOOD;
}

static int print_decision(struct ctl *c, const struct decision *d)
{
	const struct enum_info *access = enum_by_value(F_ACCESS, d->access);
	char t[TEXT_TIME_SIZE], a[SHOWN_MAX], b[SHOWN_MAX], reason[POLICY_REASON_SIZE];

	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *o = json_pack("{s:s, s:b, s:s, s:s, s:i}", "access", access->name, "note",
			d->note, "rule", d->rule, "reason", shown(a, d->reason), "row", (int)d->row);

		if (d->until_us != INT64_MAX)
			json_object_set_new(o, "until", json_string(text_time_utc(t, d->until_us)));
		return say_json(o);
	}
	policy_reason(d, c->lang, reason);
	printf("%s%s\n", c->lang == LANG_JA ? access->ja : access->name,
		d->note ? SAY(c, " (noted only)", "(記録のみ)") : "");
	printf(SAY(c, "  by %s: %s\n", "  根拠 %s: %s\n"), shown(a, d->rule), shown(b, reason));
	if (d->until_us != INT64_MAX)
		printf(SAY(c, "  may be another decision from %s on\n", "  %s 以降は変わる可能性があります\n"),
			text_time_local(t, d->until_us));
	return EXIT_GOOD;
}

/* --- of documents: print jobs, files on drives --- */

static int print_document_decision(struct ctl *c, const struct document_decision *d)
{
	const struct enum_info *action = enum_by_value(F_ACTION, d->action);
	char a[SHOWN_MAX], b[SHOWN_MAX];

	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *o = json_pack("{s:s, s:b, s:b, s:b, s:b, s:s, s:s, s:s}", "action", action->name,
			"note", d->note, "copy", d->copy, "stamp", d->stamp, "ask_reason", d->ask_reason, "rule",
			d->rule, "reason", shown(a, d->reason), "message",
			shown(b, c->lang == LANG_JA ? d->message_ja : d->message));

		return say_json(o);
	}
	printf("%s%s%s%s%s\n", c->lang == LANG_JA ? action->ja : action->name,
		d->note ? SAY(c, " (noted only)", "(記録のみ)") : "",
		d->stamp && !d->note ? SAY(c, ", stamped", "、印字あり") : "",
		d->copy ? SAY(c, ", a copy for the auditor", "、監査者用の控えあり") : "",
		d->ask_reason && !d->note ? SAY(c, ", asked why", "、理由の入力あり") : "");
	printf(SAY(c, "  by %s: %s\n", "  根拠 %s: %s\n"), shown(a, d->rule),
		shown(b, c->lang == LANG_JA ? d->reason_ja : d->reason));
	return EXIT_GOOD;
}

/* A job of which nothing is known but what is told here: a document without personal numbers, that could be read. */
static int explain_print(struct ctl *c, const struct policy *p, const struct device_user *who)
{
	static const char *const nobody[] = {NULL};
	const char *pages = option_value(c, OPT_PAGES), *title = option_value(c, OPT_TITLE);
	const char *printer = option_value(c, OPT_PRINTER);
	struct print_facts f = {.who = *who,
		.printer = printer ? printer : "",
		.printer_class = "",
		.uri = "",
		.location = "",
		.title = title ? title : "",
		.title_raw = title ? title : "",
		.format = "application/pdf",
		.copies = 1,
		.readable = true};
	struct document_decision d;
	char *end = NULL, a[SHOWN_MAX];
	const char *path = option_value(c, OPT_PROTECTED);
	int area = policy_area_of(p, SPAN_STR(path ? path : ""), option_value(c, OPT_SHARE));

	if (area >= 0)
		f.area = policy_area_name(p, (unsigned)area);
	if (pages) {
		f.has_pages = true;
		f.pages = strtoul(pages, &end, 10);
		if (!*pages || *end || f.pages > INT32_MAX)
			return complain(EXIT_USAGE,
				SAY(c, "--pages: \"%s\" is no number of pages",
					"--pages: 「%s」はページ数ではありません"),
				shown(a, pages));
	}
	if (!f.who.groups)
		f.who.groups = nobody;
	policy_print(p, &f, &d);
	return print_document_decision(c, &d);
}

/* "document:price list=45": so many percent of it. False where the policy knows none of that name. */
static bool take_document(const struct policy *p, struct span name, const char *percent, struct drive_facts *f)
{
	unsigned i, n = policy_known_n(p);
	char *end = NULL;
	unsigned long share = strtoul(percent, &end, 10);

	for (i = 0; i < n && !span_eq(SPAN_STR(policy_known(p, i)->name), name); i++)
		;
	if (i == n || !*percent || *end || share > 100)
		return false;
	f->known[i] = (uint8_t)share;
	return true;
}

/* "my_numbers=30" */
static int take_found(struct ctl *c, const struct policy *p, const char *s, struct drive_facts *f)
{
	static const char document[] = "document:";
	const char *is = strchr(s, '=');
	char *end = NULL, a[SHOWN_MAX];
	unsigned i;

	if (is && !strncmp(s, document, sizeof(document) - 1)) {
		s += sizeof(document) - 1;
		return take_document(p, SPAN(s, is - s), is + 1, f)
			       ? EXIT_GOOD
			       : complain(EXIT_USAGE,
					 SAY(c, "--found: \"%s\" is no document of the policy with how many percent",
						 "--found: 「%s」はポリシーにある文書名=割合(%%)ではありません"),
					 shown(a, s));
	}
	for (i = 0; is && i < NUMBERS; i++) {
		const char *word = print_number_word((enum print_number)i);

		if (strlen(word) != (size_t)(is - s) || strncmp(word, s, strlen(word)) != 0)
			continue;
		f->numbers[i] = strtoul(is + 1, &end, 10);
		if (is[1] && !*end && f->numbers[i] <= INT32_MAX)
			return EXIT_GOOD;
	}
	return complain(EXIT_USAGE,
		SAY(c, "--found: \"%s\" is no kind of number with how many: my_numbers=30",
			"--found: 「%s」は種類=件数ではありません(例: my_numbers=30)"),
		shown(a, s));
}

/* A file of which nothing is known but what is told here. */
static int explain_drive(struct ctl *c, const struct policy *p, const struct device_user *who)
{
	static const char *const nobody[] = {NULL};
	const char *mib = option_value(c, OPT_MIB), *format = option_value(c, OPT_FORMAT);
	struct drive_facts f = {.who = *who,
		.path = option_value(c, OPT_PATH),
		.format = format ? format : "",
		.readable = !option_on(c, OPT_UNREADABLE)};
	struct document_decision d;
	char *end = NULL, a[SHOWN_MAX];
	unsigned i;
	int r = EXIT_GOOD;

	if (mib) {
		f.size = strtoul(mib, &end, 10);
		if (!*mib || *end || f.size > INT32_MAX)
			return complain(EXIT_USAGE,
				SAY(c, "--mib: \"%s\" is no size", "--mib: 「%s」はサイズではありません"),
				shown(a, mib));
		f.size <<= 20;
	}
	for (i = 0; i < c->given_n && !r; i++)
		if (c->given[i].id == OPT_FOUND)
			r = take_found(c, p, c->given[i].value, &f);
	if (r)
		return r;
	if (!f.who.groups)
		f.who.groups = nobody;
	if (!policy_drives(p) && !option_on(c, OPT_JSON))
		puts(SAY(c, "the policy has no section drives: nothing is looked into",
			"ポリシーに drives がないため、ファイルは検査されません"));
	policy_drive(p, &f, &d);
	return print_document_decision(c, &d);
}

/* --- of protected files --- */

static int print_area_decision(struct ctl *c, const struct area_decision *d)
{
	const struct enum_info *action = enum_by_value(F_ACTION, d->action);
	char a[SHOWN_MAX], b[SHOWN_MAX];

	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *o = json_pack("{s:s?, s:s, s:b, s:s, s:s}", "area", d->area, "action",
			action->name, "note", d->note, "rule", d->rule, "reason", shown(a, d->reason));

		return say_json(o);
	}
	if (!d->area) {
		puts(SAY(c, "in no area: nothing but the recording filter holds",
			"どの区域にも含まれません(記録フィルターのみが適用されます)"));
		return EXIT_GOOD;
	}
	printf("%s%s\n", c->lang == LANG_JA ? action->ja : action->name,
		d->note ? SAY(c, " (noted only)", "(記録のみ)") : "");
	printf(SAY(c, "  area %s: every use of it is recorded\n", "  区域 %s: すべての操作が記録されます\n"),
		shown(a, d->area));
	if (d->action == ACTION_DENY && !d->note)
		puts(SAY(c, "  the kernel refuses to open it (\"Operation not permitted\")",
			"  カーネルがファイルを開く操作を拒否します(「許可されていない操作です」)"));
	if (d->reason[0])
		printf(SAY(c, "  by %s: %s\n", "  根拠 %s: %s\n"), shown(a, d->rule),
			shown(b, c->lang == LANG_JA ? d->reason_ja : d->reason));
	return EXIT_GOOD;
}

static int explain_protected(struct ctl *c, const struct policy *p, const struct device_user *who)
{
	static const char *const nobody[] = {NULL};
	const char *path = option_value(c, OPT_PROTECTED), *program = option_value(c, OPT_PROGRAM);
	struct area_facts f = {.who = *who, .program = program ? program : ""};
	struct area_decision d = {.action = ACTION_ALLOW};
	int area = policy_area_of(p, SPAN_STR(path ? path : ""), option_value(c, OPT_SHARE));

	if (!f.who.groups)
		f.who.groups = nobody;
	if (area >= 0)
		policy_area(p, (unsigned)area, &f, &d);
	return print_area_decision(c, &d);
}

int command_policy_explain(struct ctl *c)
{
	const char *groups[POLICY_GROUPS_MAX + 1] = {NULL}, *at = option_value(c, OPT_AT);
	struct device_user who = {.user = option_value(c, OPT_USER),
		.groups = groups,
		.host = option_value(c, OPT_HOST),
		.wall_us = clock_wall_us()};
	struct policy_files f;
	bool print = option_value(c, OPT_PRINTER) || option_value(c, OPT_TITLE) || option_value(c, OPT_PAGES);
	bool drive = option_value(c, OPT_PATH);
	bool file = option_value(c, OPT_PROTECTED) || option_value(c, OPT_SHARE);
	struct decision d;
	struct device device = {.kinds = 0};
	unsigned kind = 0;
	int r = print || drive || file ? EXIT_GOOD : parse_device(c, &device);

	if (print && drive)
		return complain(EXIT_USAGE, SAY(c, "--path is of a file on a drive, not of a print job",
						    "--path は印刷ではなくドライブ上のファイルの指定です"));
	r = r || print || drive || file ? r : parse_kind(c, &kind);
	if (r)
		return r;
	policy_groups(c, groups, POLICY_GROUPS_MAX);
	if (at && text_time_parse(at, clock_wall_us(), &who.wall_us))
		return complain(EXIT_USAGE, SAY(c, "--at: no time", "--at: 日時ではありません"));
	device.kinds = 1ull << kind;
	r = policy_files_read(c, c->operands[0], &f);
	if (!r && print) {
		r = explain_print(c, f.policy, &who);
	} else if (!r && drive) {
		r = explain_drive(c, f.policy, &who);
	} else if (!r && file) {
		r = explain_protected(c, f.policy, &who);
	} else if (!r) {
		policy_decide(f.policy, &device, kind, &who, &d);
		r = print_decision(c, &d);
	}
	policy_files_deinit(&f);
	return r;
}

/*
 * `policy replay`: a policy tried against what happened: which devices, print jobs, files on drives and protected files
 * of the log it would have judged otherwise. What is alike is one line (policy/rule/trial.h), with how often, where and
 * who.
 */
#include "collector/store/store.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/ctl/log_filter.h"
#include "policy/ctl/policy_files.h"
#include "policy/rule/protected.h"
#include "policy/rule/trial.h"
#include <errno.h>
#include <inttypes.h>

#define NAMES_MAX 12u /* PCs and people that are named in a case */
#define LAST_WEEK_US (7ll * 86400 * 1000000)

static int on_row(void *ctx, const struct store_row *row)
{
	return trial_add(ctx, &row->record, row->host_name, row->row);
}

/* --- telling --- */

static const struct enum_info *word_of(const struct trial_case *k, unsigned value)
{
	return enum_by_value(k->decided.of_device ? F_ACCESS : F_ACTION, value);
}

static json_t *names_json(const struct distinct *d)
{
	json_t *list = json_array();
	char text[SHOWN_MAX];
	unsigned i;

	for (i = 0; i < d->n && i < NAMES_MAX; i++)
		json_array_append_new(list, json_string(text_escape_to(text, sizeof(text), d->v[i])));
	return list;
}

/* What cases of all kinds have, into the object. */
static json_t *case_json(json_t *o, const struct trial_case *k)
{
	const struct replay *p = &k->decided;
	char time[TEXT_TIME_SIZE];

	if (json_object_update_new(
		    o, json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:I, s:o, s:I, s:s}", "was", word_of(k, p->was)->name,
			       "now", word_of(k, p->now)->name, "rule", p->rule, "reason", p->reason, "times",
			       (json_int_t)k->times, "hosts", names_json(&k->hosts), "hosts_count",
			       (json_int_t)k->hosts.n, "users", names_json(&k->users), "users_count",
			       (json_int_t)k->users.n, "last", text_time_utc(time, k->last_us)))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *device_json(const struct trial_case *k)
{
	char serial[SHOWN_MAX], product[SHOWN_MAX], id[SHOWN_MAX];

	return case_json(
		json_pack("{s:s, s:s, s:s, s:s}", "device", shown(id, k->usb_id), "serial", shown(serial, k->serial),
			"product", shown(product, k->product), "kind", enum_by_value(F_DEVICE_KIND, k->kind)->name),
		k);
}

static json_t *print_json(const struct trial_case *k)
{
	char printer[SHOWN_MAX], title[SHOWN_MAX];

	return case_json(json_pack("{s:s, s:I, s:s}", "printer", shown(printer, k->printer), "pages",
				 (json_int_t)k->pages, "title", shown(title, k->title)),
		k);
}

static json_t *file_json(const struct trial_case *k)
{
	char serial[SHOWN_MAX], product[SHOWN_MAX], id[SHOWN_MAX], path[SHOWN_MAX];

	return case_json(
		json_pack("{s:s, s:s, s:s, s:s}", "device", shown(id, k->usb_id), "serial", shown(serial, k->serial),
			"product", shown(product, k->product), "path", shown(path, k->title)),
		k);
}

static json_t *protected_json(const struct trial_case *k)
{
	char program[SHOWN_MAX], path[SHOWN_MAX];

	return case_json(
		json_pack("{s:s, s:s}", "program", shown(program, k->program), "path", shown(path, k->title)), k);
}

static void say_names(const struct distinct *d)
{
	char text[SHOWN_MAX];
	unsigned i;

	for (i = 0; i < d->n && i < NAMES_MAX; i++)
		printf(" %s", text_escape_to(text, sizeof(text), d->v[i]));
	if (d->n > NAMES_MAX || d->more)
		printf(" ...");
}

/* What the lines of all kinds end with. */
static void say_rest(const struct ctl *c, const struct trial_case *k)
{
	char time[TEXT_TIME_SIZE], rule[SHOWN_MAX], reason[SHOWN_MAX];

	printf("\n    %s: %s\n    ", shown(rule, k->decided.rule),
		shown(reason, c->lang == LANG_JA ? k->decided.reason_ja : k->decided.reason));
	printf(SAY(c, "%" PRIu64 " times, last %s;", "%" PRIu64 " 回、最後は %s、"), k->times,
		text_time_utc(time, k->last_us));
	printf(SAY(c, " %u%s PCs:", " PC %u%s 台:"), k->hosts.n, k->hosts.more ? "+" : "");
	say_names(&k->hosts);
	printf(SAY(c, "; %u%s people:", "、利用者 %u%s 人:"), k->users.n, k->users.more ? "+" : "");
	say_names(&k->users);
	putchar('\n');
}

static void say_case(const struct ctl *c, const struct trial_case *k)
{
	const struct enum_info *was = word_of(k, k->decided.was), *now = word_of(k, k->decided.now),
			       *kind = enum_by_value(F_DEVICE_KIND, k->kind);
	bool ja = c->lang == LANG_JA;
	char id[SHOWN_MAX], serial[SHOWN_MAX], name[SHOWN_MAX], path[SHOWN_MAX];

	printf("%s → %s  ", ja ? was->ja : was->name, ja ? now->ja : now->name);
	if (k->decided.of_device)
		printf("%s %s  %s (%s)", shown(id, k->usb_id), shown(serial, k->serial), shown(name, k->product),
			ja ? kind->ja : kind->name);
	else if (k->decided.of_drive)
		printf(SAY(c, "files on %s %s  %s: last \"%s\"", "%s %s  %s 上のファイル: 最後は「%s」"),
			shown(id, k->usb_id), shown(serial, k->serial), shown(name, k->product), shown(path, k->title));
	else if (k->decided.of_file)
		printf(SAY(c, "protected files opened with %s: last \"%s\"",
			       "%s による保護ファイルの利用: 最後は「%s」"),
			k->program[0] ? shown(name, k->program) : "?", shown(path, k->title));
	else
		printf(SAY(c, "print on %s: %" PRIu64 " pages, last \"%s\"",
			       "印刷 %s: %" PRIu64 " ページ、最後は「%s」"),
			shown(id, k->printer), k->pages, shown(name, k->title));
	say_rest(c, k);
}

static void say_counts(const struct ctl *c, const struct trial_counts *n)
{
	printf(SAY(c, "%" PRIu64 " decisions, %" PRIu64 " of them would be others\n",
		       "判定 %" PRIu64 " 件のうち %" PRIu64 " 件が変わります\n"),
		n->looked, n->stricter + n->looser);
	if (n->stricter + n->looser)
		printf(SAY(c, "%" PRIu64 " would be stricter, %" PRIu64 " looser\n",
			       "%" PRIu64 " 件は厳しく、%" PRIu64 " 件は緩くなります\n"),
			n->stricter, n->looser);
	if (n->not_compared)
		printf(SAY(c, "%" PRIu64 " were not a policy's (codes, released jobs, faults), and are not compared\n",
			       "%" PRIu64 " 件はポリシーによる判定ではないため(解除コードなど)比較していません\n"),
			n->not_compared);
	if (n->left_out)
		printf(SAY(c, "%" PRIu64 " more are not shown: there are too many kinds of them\n",
			       "ほか %" PRIu64 " 件は種類が多いため表示していません\n"),
			n->left_out);
}

static int say_trial(struct ctl *c, const struct policy *policy, struct trial *t)
{
	const struct trial_counts *n = trial_counts(t);
	const uint64_t otherwise = n->stricter + n->looser;
	const struct trial_case *const *cases;
	_cleanup_json_ json_t *o = NULL;
	json_t *devices, *prints, *files, *protected;
	size_t i, cases_n;

	cases = trial_cases(t, &cases_n);
	if (!option_on(c, OPT_JSON)) {
		for (i = 0; i < cases_n && cases[i]->effect != TRIAL_SAME; i++)
			say_case(c, cases[i]);
		say_counts(c, n);
		return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
	}
	devices = json_array();
	prints = json_array();
	files = json_array();
	protected = json_array();
	for (i = 0; i < cases_n && cases[i]->effect != TRIAL_SAME; i++)
		if (cases[i]->decided.of_device)
			json_array_append_new(devices, device_json(cases[i]));
		else if (cases[i]->decided.of_drive)
			json_array_append_new(files, file_json(cases[i]));
		else if (cases[i]->decided.of_file)
			json_array_append_new(protected, protected_json(cases[i]));
		else
			json_array_append_new(prints, print_json(cases[i]));
	o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "version",
		(json_int_t)policy_version(policy), "decisions", (json_int_t)n->looked, "otherwise",
		(json_int_t)otherwise, "stricter", (json_int_t)n->stricter, "looser", (json_int_t)n->looser, "same",
		(json_int_t)n->same, "not_compared", (json_int_t)n->not_compared, "left_out", (json_int_t)n->left_out,
		"devices", devices, "prints", prints, "files", files, "protected", protected);
	return say_json(o);
}

static int replay(struct ctl *c, const struct policy *policy, const char *const *groups, struct store_filter *f)
{
	_cleanup_(store_closep) struct store *s = NULL;
	_cleanup_(trial_freep) struct trial *t = NULL;
	struct why why = {""};
	int r = store_to_search(c, &s);

	if (r)
		return r;
	f->kinds[0] = KIND_DECISION;
	f->kinds[1] = KIND_PRINT;
	f->kinds[2] = KIND_DRIVE_FILE;
	f->kinds[3] = KIND_FILE_REFUSED;
	/* Of which there are many: only where there is something to look for. */
	f->kinds[4] = KIND_FILE;
	f->kinds_n = policy_areas_n(policy) ? 5 : 4;
	r = trial_new(policy, groups, &t);
	r = r ? r : store_query(s, f, on_row, t, &why);
	return r ? complain_of(c, "policy replay", r, &why) : say_trial(c, policy, t);
}

int command_policy_replay(struct ctl *c)
{
	const char *groups[POLICY_GROUPS_MAX + 1];
	struct policy_files files = {.policy = NULL};
	struct store_filter f;
	int r = log_filter(c, clock_wall_us(), &f);

	if (!r && !option_value(c, OPT_SINCE))
		f.from_us = clock_wall_us() - LAST_WEEK_US;
	policy_groups(c, groups, POLICY_GROUPS_MAX);
	r = r ? r : policy_files_open(c, c->operands[0], &files);
	r = r ? r : replay(c, files.policy, groups, &f);
	policy_files_deinit(&files);
	return r;
}

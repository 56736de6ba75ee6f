/*
 * The judgement of one job: its facts from the wrapper, from CUPS and from its documents, the policy's word, the
 * record, and the answer; in that order, so that no job prints before it is written down. Called by jobs.c.
 */
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"

#define UNDECIDED "print-unavailable"
#define UNRECORDED "print-unrecorded"
#define UNSTAMPED "print-unstamped"

static const char *either(const char *a, const char *b)
{
	return a[0] ? a : b;
}

static unsigned colour_asked(const struct job *j)
{
	const char *mode = either(job_text(j->ipp, "print-color-mode"), job_text(j->queue, "print-color-mode-default"));

	return !strcmp(mode, "monochrome") || !strcmp(mode, "bi-level") ? COLOUR_MONO : 0;
}

static void fill(struct gate *g, struct job *j, const struct document_facts *d, const char *groups[GROUPS_MAX + 1],
	struct print_facts *f)
{
	const json_t *one;
	size_t at, n = 0;

	json_array_foreach(j->groups, at, one) if (n < GROUPS_MAX) groups[n++] = json_string_value(one);
	groups[n] = NULL;
	*f = (struct print_facts){
		.who = {.user = job_user(j), .groups = groups, .host = g->host, .wall_us = clock_wall_us()},
		.printer = j->request.printer,
		.printer_class = j->request.printer_class,
		.uri = j->request.uri,
		.location = either(j->request.location, job_text(j->queue, "printer-location")),
		.title = j->request.title,
		.title_raw = either(job_text(j->ipp, "job-name"), j->request.title),
		.format = j->request.type,
		.area = origin_area(g, j),
		.has_pages = d->has_pages,
		.pages = d->pages,
		.copies = (unsigned)j->request.copies_n,
		.colour = colour_asked(j) ? colour_asked(j) : d->colour,
		.readable = d->readable};
	memcpy(f->numbers, d->numbers, sizeof(f->numbers));
	memcpy(f->matches, d->matches, sizeof(f->matches));
	memcpy(f->known, d->known, sizeof(f->known));
	if (!f->who.user[0])
		f->who.user = NULL;
}

/* Documents that no rule asks about leave nothing undecided. */
static bool is_undecided(const struct gate *g, const struct job *j, const struct document_facts *d)
{
	return j->facts_wait || (!d->complete && policy_print_documents(g->orders.policy));
}

/* What is not known in time must not become an "allow" where rules ask for it. */
static void mind_the_gap(struct gate *g, struct job *j, const struct document_facts *d)
{
	unsigned instead = policy_print_unavailable(g->orders.policy);

	if (!is_undecided(g, j, d))
		return;
	if (!policy_print_rules_n(g->orders.policy) || instead != ACTION_HOLD || j->decided.action == ACTION_DENY ||
		j->decided.action == ACTION_HOLD)
		return;
	j->decided.action = instead;
	snprintf(j->decided.rule, sizeof(j->decided.rule), UNDECIDED);
	snprintf(j->decided.reason, sizeof(j->decided.reason), "what the rules ask for was not known in time");
}

/* By an administrator for all that may hold it, by its owner for a rule that asks him why. */
static bool is_released(const struct job *j)
{
	return j->released_by[0] && !strcmp(j->released_printer, j->request.printer) &&
	       (!j->released_own || j->decided.ask_reason);
}

/* Held for another cause than a rule: `rule` says which. */
static void hold_for(struct job *j, const char *rule, const char *reason)
{
	snprintf(j->decided.rule, sizeof(j->decided.rule), "%s", rule);
	snprintf(j->decided.reason, sizeof(j->decided.reason), "%s", reason);
	j->decided.message[0] = j->decided.message_ja[0] = 0;
	j->decided.ask_reason = false;
}

static void decide(struct gate *g, struct job *j, const struct document_facts *d)
{
	const char *groups[GROUPS_MAX + 1];
	struct print_facts f;

	/* who came to CUPS by now: from which file it is */
	kernel_hear(g);
	job_settle_person(j);
	fill(g, j, d, groups, &f);
	policy_print(g->orders.policy, &f, &j->decided);
	mind_the_gap(g, j, d);
	if (is_released(j) && j->decided.action == ACTION_HOLD) {
		j->decided.action = ACTION_ALLOW;
		snprintf(j->decided.rule, sizeof(j->decided.rule), "release:%.60s", j->released_by);
		snprintf(j->decided.reason, sizeof(j->decided.reason), "released");
	}
	j->action = j->decided.action;
	if (j->decided.note && (j->action == ACTION_HOLD || j->action == ACTION_DENY))
		j->action = ACTION_NOTE;
}

/* Without a record there may be no paper, where the policy says so. */
static void record(struct gate *g, struct job *j, const struct document_facts *d)
{
	if (!tell_print(g, j, d) || !action_prints(j->action) ||
		policy_print_unrecorded(g->orders.policy) != ACTION_HOLD)
		return;
	j->action = ACTION_HOLD;
	hold_for(j, UNRECORDED, "it could not be recorded");
}

/* For the job's line in print dialogues: why, and what the administrator has to say. */
static void text_for_person(const struct job *j, char out[REQUEST_TEXT_MAX + 1])
{
	bool ja = !strncmp(j->request.lang, "ja", 2), held = j->action == ACTION_HOLD;
	const char *say = ja ? j->decided.message_ja : j->decided.message;
	bool ask = held && j->decided.ask_reason;
	const char *head = ja     ? ask       ? "理由の入力待ち (sekishoctl reason)"
				       : held ? "保留されました"
					      : "印刷できません"
			   : ask  ? "Waits for your reason (sekishoctl reason)"
			   : held ? "Held"
				  : "Not printed";

	snprintf(out, REQUEST_TEXT_MAX + 1, "[Sekisho] %s: %s%s(%s)", head, say, say[0] ? " " : "", j->decided.rule);
}

static void tell_desktop(struct gate *g, const struct job *j)
{
	notify_show(&g->notices, j->action, j->request.title, &j->decided, job_owner(j));
}

/* What was to be stamped and is not: where the policy says so it waits, until somebody releases it as it is. */
static void mind_the_stamp(struct gate *g, struct job *j)
{
	if (j->stamp != STAMP_NONE || policy_print_unstamped(g->orders.policy) != ACTION_HOLD ||
		(is_released(j) && !j->released_own))
		return;
	j->action = j->decided.action = ACTION_HOLD;
	hold_for(j, UNSTAMPED, "its pages cannot be stamped");
}

void judge_job(struct gate *g, struct job *j)
{
	char text[REQUEST_TEXT_MAX + 1] = "";
	struct document_facts d;
	bool stop;

	documents_facts(g, j, &d);
	decide(g, j, &d);
	if (!stamping_settled(g, j))
		return;
	g->undecided += is_undecided(g, j, &d);
	mind_the_stamp(g, j);
	record(g, j, &d);
	stop = !action_prints(j->action);
	j->state = JOB_JUDGED;
	j->stop_was_ours = stop;
	j->inspected_told = d.complete;
	g->judged++;
	g->stopped += stop;
	keep_soon(g);
	if (stop)
		text_for_person(j, text);
	visit_answer(j->visit, j->action == ACTION_HOLD ? ANSWER_HOLD : stop ? ANSWER_CANCEL : ANSWER_PASS, text);
	/* Behind the answer: nobody waits for the disk, the desktop, or CUPS. */
	j->visit = NULL;
	stamping_over(g, j);
	copies_begin(g, j);
	if (stop || (j->action == ACTION_ALERT && !j->decided.note))
		tell_desktop(g, j);
	follow_look_soon(g);
}

/*
 * Jobs of CUPS and their attempts to print: what a wrapper asks, what the follower tells, and which of both means that
 * an attempt began, was judged, or ended. Called by the loop's parts.
 *
 * A job is never lost here: what has no room is counted, what was not judged is told when CUPS says that it printed.
 */
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <cups/ipp.h>
#include <errno.h>

const char *job_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

int64_t job_number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

/* --- the table --- */

struct job *job_find(struct gate *g, unsigned id)
{
	struct job *j;

	for (j = g->jobs; j && j->id != id; j = j->next)
		;
	return j;
}

static void forget_facts(struct job *j)
{
	json_decref(STEAL(j->ipp));
	json_decref(STEAL(j->queue));
	json_decref(STEAL(j->groups));
	j->uid = UINT32_MAX;
}

/* Whose login sent it, as the kernel has it now, or had it once; UINT32_MAX. */
static uint32_t whose(const struct gate *g, const struct job *j)
{
	uint32_t uid = origin_person(g, j);

	return uid == UINT32_MAX && j->person[0] ? j->person_uid : uid;
}

/* Asks what CUPS knows of the job, and who asked_uid is. Told with that, or not at all. */
static void ask_facts(struct gate *g, const struct job *j)
{
	json_t *ask = json_pack("{s:s, s:i}", "ask", "job", "id", (int)j->id);

	if (ask && j->asked_uid != UINT32_MAX)
		json_object_set_new(ask, "uid", json_integer(j->asked_uid));
	follow_ask(g, ask);
}

static void drop(struct gate *g, struct job *j)
{
	struct job **at;

	for (at = &g->jobs; *at; at = &(*at)->next)
		if (*at == j) {
			*at = j->next;
			g->jobs_n--;
			break;
		}
	if (j->visit)
		j->visit->job = NULL;
	documents_end(j);
	copies_drop(j);
	forget_facts(j);
	buf_deinit(&j->question);
	free(j);
}

/* The one that is over and was there longest makes room. */
static void make_room(struct gate *g)
{
	struct job *j, *oldest = NULL;

	for (j = g->jobs; j; j = j->next)
		if (j->state == JOB_OVER)
			oldest = j;
	if (g->jobs_n >= JOBS_MAX && oldest)
		drop(g, oldest);
}

struct job *job_get(struct gate *g, unsigned id)
{
	struct job *j = job_find(g, id);

	if (j)
		return j;
	make_room(g);
	if (g->jobs_n < JOBS_MAX)
		j = calloc(1, sizeof(*j));
	if (!j) {
		sealer_lost(g->sealer, CAUSE_JOBS_FULL, 1);
		return NULL;
	}
	*j = (struct job){.id = id,
		.question = BUF_INIT(REQUEST_MAX),
		.uid = UINT32_MAX,
		.person_uid = UINT32_MAX,
		.asked_uid = UINT32_MAX,
		.next = g->jobs};
	g->jobs = j;
	g->jobs_n++;
	return j;
}

void jobs_free(struct gate *g)
{
	while (g->jobs)
		drop(g, g->jobs);
}

/* --- a wrapper asks --- */

/* The next document of a job that was let through: queues with filters run their backend once for each. */
static bool goes_on(const struct job *j)
{
	return j->state == JOB_JUDGED && action_prints(j->action) && j->runs < j->request.documents_n;
}

static void close_all(const int *fds, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

static void begin_attempt(struct gate *g, struct job *j, struct buf *question)
{
	int64_t now = clock_awake_us();

	if (j->late)
		tell_result(g, j, j->late);
	j->late = 0;
	documents_end(j);
	buf_deinit(&j->question);
	j->question = *question;
	*question = BUF_INIT(REQUEST_MAX);
	request_parse(buf_span(&j->question), &j->request, NULL);
	j->state = JOB_ASKED;
	j->attempt++;
	j->runs = 1;
	j->inspected_told = j->never_looked = j->stop_was_ours = j->restarting = j->stamp_begun = false;
	j->stamp = j->killed_by = 0;
	j->deadline_awake_us = now + JUDGE_US;
	/* The decision is the same without them: the job does not wait, only its record would be fuller. */
	j->grace_awake_us = now + (policy_print_documents(g->orders.policy) ? JUDGE_US : GRACE_US);
	j->facts_wait = g->cups_up;
	/* Its documents came before its backend: who sent them has been told by now. */
	kernel_hear(g);
	j->asked_uid = whose(g, j);
	if (j->facts_wait)
		ask_facts(g, j);
}

void job_visit(struct gate *g, struct visit *v, struct buf *question, const int *fds, unsigned fds_n)
{
	struct request q;
	struct job *j;

	request_parse(buf_span(question), &q, NULL);
	j = job_get(g, (unsigned)q.job_id);
	if (!j) {
		close_all(fds, fds_n);
		visit_answer(
			v, policy_print_unavailable(g->orders.policy) == ACTION_HOLD ? ANSWER_HOLD : ANSWER_PASS, "");
		return;
	}
	if (goes_on(j)) {
		close_all(fds, fds_n);
		j->runs++;
		kernel_watch(g, j, v->pid);
		visit_answer(v, ANSWER_PASS, "");
		return;
	}
	if (j->visit)
		visit_answer(j->visit, ANSWER_HOLD, ""); /* cupsd runs one backend of a job at a time */
	begin_attempt(g, j, question);
	j->visit = v;
	v->job = j;
	kernel_watch(g, j, v->pid);
	documents_begin(g, j, fds, fds_n);
	copies_keep(g, j, fds, fds_n);
	close_all(fds, fds_n);
	jobs_step(g);
}

/* Cancelled, or the daemon was too slow: it is judged and told all the same. */
void job_abandoned(struct job *j)
{
	j->visit = NULL;
}

/* --- the follower tells --- */

/*
 * The numbers begin anew where somebody cleared CUPS's folder: a lower one that came into being later. Otherwise what
 * was seen moves on only with a look at all jobs behind it (jobs_looked): one that asks is not the only one.
 */
static void note_created(struct gate *g, unsigned id, int64_t created_s)
{
	if (id < g->last_id && created_s > g->last_created_s)
		g->last_id = id - 1;
	if (created_s > g->newest_created_s)
		g->newest_created_s = created_s;
}

static unsigned outcome_of(int64_t state)
{
	switch (state) {
	case IPP_JSTATE_COMPLETED:
		return OUTCOME_COMPLETED;
	case IPP_JSTATE_CANCELED:
		return OUTCOME_CANCELLED;
	case IPP_JSTATE_ABORTED:
		return OUTCOME_ABORTED;
	case IPP_JSTATE_HELD:
		return OUTCOME_HELD;
	default:
		return 0;
	}
}

/* One that a look has not come to yet is remembered: it would be taken for one that nobody judged. */
static void drop_done(struct gate *g, struct job *j)
{
	unsigned outcome = outcome_of(job_number(j->ipp, "job-state"));

	if (j->state == JOB_OVER && outcome && outcome != OUTCOME_HELD && !j->restarting && j->id <= g->last_id &&
		documents_done(j))
		drop(g, j);
}

static void end_attempt(struct gate *g, struct job *j, unsigned outcome)
{
	/* CUPS takes a backend that a signal ended for one that worked. */
	kernel_hear(g);
	if (outcome == OUTCOME_COMPLETED && j->killed_by)
		outcome = OUTCOME_ABORTED;
	/* Nobody waited for what is in them: now it is waited for, since nothing else will tell it. */
	j->late = j->inspected_told || documents_done(j) ? 0 : outcome;
	if (j->late)
		return;
	tell_result(g, j, outcome);
	j->state = JOB_OVER;
	keep_soon(g);
	/* What we held and CUPS ended (it does so with jobs of several documents) waits as it should. */
	if (outcome == OUTCOME_ABORTED && j->action == ACTION_HOLD && j->stop_was_ours && !j->restarting) {
		j->restarting = true;
		follow_ask(g, json_pack("{s:s, s:i}", "ask", "again", "id", (int)j->id));
	}
}

/* It printed, and no wrapper was answered: the gate did not run, or the queue is not behind it. */
static void end_unseen(struct gate *g, struct job *j, unsigned outcome)
{
	bool printed = kernel_printed(g, j);

	job_settle_person(j);
	if (outcome == OUTCOME_COMPLETED && j->killed_by)
		outcome = OUTCOME_ABORTED;
	if (printed && job_number(j->ipp, "time-at-processing") > 0 && outcome != OUTCOME_HELD)
		tell_missed(g, j, outcome);
	else if (outcome == OUTCOME_CANCELLED || outcome == OUTCOME_ABORTED)
		tell_result(g, j, outcome);
	if (outcome != OUTCOME_HELD)
		j->state = JOB_OVER;
	keep_soon(g);
}

/* Who the job says it is, where nobody knows better; with `person`: who it is. */
static void take_person(struct gate *g, struct job *j, const json_t *o, const char *person)
{
	json_t *groups = json_object_get(o, "groups");

	if (!groups || (j->person[0] && !person))
		return;
	json_decref(j->groups);
	j->groups = json_incref(groups);
	j->uid = json_object_get(o, "uid") ? (uint32_t)job_number(o, "uid") : UINT32_MAX;
	if (person) {
		snprintf(j->person, sizeof(j->person), "%s", person);
		j->person_uid = j->uid;
		g->keep_wanted = true;
	}
}

/* Whether all that was asked for is there now. */
static bool take_facts(struct gate *g, struct job *j, json_t *o)
{
	json_t *job = json_object_get(o, "job"), *queue = json_object_get(o, "printer");
	const char *person = json_string_value(json_object_get(o, "person"));

	json_decref(j->ipp);
	j->ipp = json_incref(job);
	if (queue) {
		json_decref(j->queue);
		j->queue = json_incref(queue);
	}
	if (j->asked_uid == UINT32_MAX) {
		take_person(g, j, o, NULL);
		return true;
	}
	if (!person)
		return false;
	j->asked_uid = whose(g, j);
	if (j->asked_uid == (uint32_t)job_number(o, "uid")) {
		take_person(g, j, o, person);
		return true;
	}
	/* Another job's of this number, before: that shows when it is known since when there is this one. */
	ask_facts(g, j);
	return false;
}

/* One for which no backend has asked yet: his name is asked for while it is known who it was. */
static bool wants_person(struct gate *g, struct job *j)
{
	uint32_t sent;

	kernel_hear(g);
	sent = whose(g, j);
	if (sent == UINT32_MAX || sent == j->asked_uid || sent == j->person_uid)
		return false;
	j->asked_uid = sent;
	ask_facts(g, j);
	return true;
}

/* Held because the gate did not run: it is back. */
static void let_go(struct gate *g, struct job *j)
{
	if (!strncmp(job_text(j->ipp, "job-printer-state-message"), "[Sekisho]", 9))
		follow_ask(g, json_pack("{s:s, s:i}", "ask", "release", "id", (int)j->id));
}

void job_facts(struct gate *g, unsigned id, json_t *o)
{
	int64_t created = job_number(json_object_get(o, "job"), "time-at-creation");
	struct job *j = job_find(g, id);
	unsigned outcome;

	note_created(g, id, created);

	if (j && j->created_s && created && j->created_s != created) {
		drop(g, j); /* another job with the number of one that is no more */
		j = NULL;
	}
	if (!j && !(id > g->last_id && (j = job_get(g, id))))
		return;
	j->created_s = created;
	if (take_facts(g, j, o))
		j->facts_wait = false;
	outcome = outcome_of(job_number(j->ipp, "job-state"));
	if (j->state == JOB_JUDGED && outcome)
		end_attempt(g, j, outcome);
	else if (j->state == JOB_SEEN && !wants_person(g, j) && outcome)
		end_unseen(g, j, outcome);
	if (j->state == JOB_SEEN && outcome == OUTCOME_HELD)
		let_go(g, j);
	drop_done(g, j);
}

void jobs_looked(struct gate *g, unsigned last)
{
	struct job *j, *next;

	if (last > g->last_id) {
		g->last_id = last;
		g->last_created_s = g->newest_created_s;
		g->keep_wanted = true;
	}
	for (j = g->jobs; j; j = next) {
		next = j->next;
		drop_done(g, j);
	}
}

/* CUPS has forgotten it (cancel -x, or a bounded history). */
void job_gone(struct gate *g, unsigned id)
{
	struct job *j = job_find(g, id);
	unsigned outcome;

	if (!j)
		return;
	outcome = outcome_of(job_number(j->ipp, "job-state"));
	if (j->state == JOB_ASKED) {
		j->facts_wait = false;
		return;
	}
	if (j->state == JOB_JUDGED)
		tell_result(g, j, j->late ? j->late : OUTCOME_PURGED);
	else if (j->state == JOB_SEEN && outcome)
		end_unseen(g, j, outcome); /* while its person was asked for */
	drop(g, j);
	g->keep_wanted = true;
}

/* --- judging --- */

static int on_judge(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	jobs_step(ctx);
	return 0;
}

static void arm(struct gate *g, int64_t at)
{
	int r;

	if (!g->judge) {
		r = sd_event_add_time(g->event, &g->judge, CLOCK_MONOTONIC, (uint64_t)at, 1, on_judge, g);
	} else {
		r = sd_event_source_set_time(g->judge, (uint64_t)at);
		if (r >= 0)
			r = sd_event_source_set_enabled(g->judge, SD_EVENT_ONESHOT);
	}
	if (r < 0)
		gate_fail(g, r, "timer");
}

/* Is all there that the judgement waits for? *next: when it is to be looked at again. */
static bool is_ready(struct job *j, int64_t now, int64_t *next)
{
	bool documents = documents_done(j) || now >= j->grace_awake_us;
	int64_t at = !documents ? j->grace_awake_us : j->deadline_awake_us;

	if (at < *next)
		*next = at;
	return now >= j->deadline_awake_us || (!j->facts_wait && documents);
}

void jobs_step(struct gate *g)
{
	int64_t now = clock_awake_us(), next = INT64_MAX;
	struct job *j;

	for (j = g->jobs; j; j = j->next) {
		int64_t at = INT64_MAX;

		if (j->state == JOB_JUDGED && j->late)
			end_attempt(g, j, j->late);
		if (j->state != JOB_ASKED)
			continue;
		if (is_ready(j, now, &at))
			judge_job(g, j);
		/* Not ready, or its pages are being stamped, which has a time of its own. */
		if (j->state == JOB_ASKED) {
			at = at > now ? at : j->deadline_awake_us;
			next = at < next ? at : next;
		}
	}
	if (next != INT64_MAX)
		arm(g, next);
}

static void release(struct gate *g, struct job *j, const char *by, const char *reason)
{
	/* For this job at this printer: one that is moved elsewhere is judged anew. */
	snprintf(j->released_by, sizeof(j->released_by), "%s", by);
	snprintf(j->released_printer, sizeof(j->released_printer), "%s", j->request.printer);
	j->released_own = reason != NULL;
	tell_release(g, j, by, reason);
	g->keep_wanted = true;
	follow_ask(g, json_pack("{s:s, s:i}", "ask", "release", "id", (int)j->id));
}

int job_release(struct gate *g, unsigned id, const char *by)
{
	struct job *j = job_find(g, id);

	if (!j)
		return V_NOT_FOUND;
	if (j->action != ACTION_HOLD || j->state == JOB_ASKED)
		return V_BAD;
	release(g, j, by, NULL);
	return 0;
}

const char *job_said(const struct job *j)
{
	const char *said = job_text(j->ipp, "job-originating-user-name");

	return said[0] || !j->request.user ? said : j->request.user;
}

const char *job_user(const struct job *j)
{
	return j->person[0] ? j->person : job_said(j);
}

void job_settle_person(struct job *j)
{
	if (j->person[0] || j->asked_uid == UINT32_MAX)
		return;
	snprintf(j->person, sizeof(j->person), "uid %u", j->asked_uid);
	j->person_uid = j->asked_uid;
}

uint32_t job_owner(const struct job *j)
{
	if (j->person[0])
		return j->person_uid;
	return j->request.authenticated ? (uint32_t)j->request.uid : j->uid;
}

bool job_waits_for(const struct job *j, uint32_t uid)
{
	return j->action == ACTION_HOLD && j->decided.ask_reason && uid == job_owner(j) &&
	       (j->state == JOB_JUDGED || j->state == JOB_OVER);
}

int job_give_reason(struct gate *g, unsigned id, uint32_t uid, const char *by, const char *reason)
{
	struct job *j = job_find(g, id);

	if (!j || !job_waits_for(j, uid))
		return V_NOT_FOUND;
	release(g, j, by, reason);
	return 0;
}

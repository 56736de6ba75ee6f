/*
 * Jobs whose pages are to be stamped with user and time: the daemon's side of stamp.c. A filter of the job (or its
 * backend, on a queue without filters) asks, is answered with the text, and says how it went; until then the job is not
 * judged. Called by visits.c and judge.c.
 *
 * What must never happen here: a job said to be stamped that nobody stamped.
 */
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

#define LINE_SIZE 160

/* Behind the decision: prints it, and does the policy want a stamp on it? */
static bool is_wanted(const struct job *j)
{
	return j->decided.stamp && !j->decided.note && action_prints(j->action);
}

/* "taro  2026-11-26 12:34:56  pc-17  #123", in ASCII: what else a name has is shown as its bytes. */
static void write_text(const struct gate *g, const struct job *j, char out[LINE_SIZE])
{
	char user[64], host[64], at[TEXT_TIME_SIZE];

	text_escape_to(user, sizeof(user), SPAN_STR(job_user(j)));
	text_escape_to(host, sizeof(host), SPAN_STR(g->host));
	text_time_local(at, clock_wall_us());
	snprintf(out, LINE_SIZE, "%s  %.10s %.8s  %s  #%u", user, at, at + 11, host, j->id);
}

static struct visit *stamper_of(struct gate *g, const struct job *j)
{
	struct visit *v;

	for (v = g->visits; v && v->stamps_job != j->id; v = v->next)
		;
	return v;
}

static void begin(struct gate *g, struct job *j, struct visit *v)
{
	char text[LINE_SIZE];

	write_text(g, j, text);
	visit_tell(v, ANSWER_STAMP, text);
	v->stamping = true;
	v->stamps_job = j->id;
	j->stamp_begun = true;
	j->deadline_awake_us = clock_awake_us() + REQUEST_STAMP_MS * 1000ll;
	if (j->visit && j->visit != v)
		visit_tell(j->visit, ANSWER_WAIT, "");
}

bool stamping_settled(struct gate *g, struct job *j)
{
	struct visit *v;

	if (!is_wanted(j) || j->stamp)
		return true;
	if (clock_awake_us() >= j->deadline_awake_us) {
		j->stamp = STAMP_NONE;
		return true;
	}
	if (j->stamp_begun)
		return false;
	/* On a queue without filters the backend has the files. */
	v = j->request.files_n ? j->visit : stamper_of(g, j);
	if (v)
		begin(g, j, v);
	else if (j->request.files_n)
		j->stamp = STAMP_NONE; /* its backend has gone on */
	return j->stamp != 0;
}

void stamping_asked(struct gate *g, struct visit *v, unsigned id)
{
	struct job *j = job_find(g, id);

	if (!policy_print_stamps(g->orders.policy) || (j && j->state == JOB_JUDGED && !is_wanted(j))) {
		visit_answer(v, ANSWER_PASS, "");
		return;
	}
	v->stamps_job = id;
	/* The next document of a job that was let through: its backend will not ask for a judgement any more. */
	if (j && j->state == JOB_JUDGED && j->runs < j->request.documents_n)
		begin(g, j, v);
	else if (j && j->state == JOB_ASKED)
		jobs_step(g);
}

void stamping_heard(struct gate *g, struct visit *v, const struct request *q)
{
	struct job *j = job_find(g, v->stamps_job);
	bool stamped = q && !strcmp(q->result, "ok");
	bool refuse =
		!stamped && j && j->state == JOB_JUDGED && policy_print_unstamped(g->orders.policy) == ACTION_HOLD;

	v->stamping = false;
	v->stamps_job = 0;
	/* One page without it is enough to say that it is not stamped. */
	if (j && j->stamp != STAMP_NONE)
		j->stamp = stamped ? STAMP_PAGES : STAMP_NONE;
	if (!j || j->visit != v)
		visit_answer(v, refuse ? ANSWER_HOLD : ANSWER_PASS, "");
	jobs_step(g);
}

void stamping_over(struct gate *g, const struct job *j)
{
	struct visit *v;

	while ((v = stamper_of(g, j)) && !v->stamping)
		visit_answer(v, ANSWER_PASS, "");
}

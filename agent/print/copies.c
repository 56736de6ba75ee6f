/*
 * Copies of documents for the auditor, where the policy asks for them: from the descriptors that the wrapper handed
 * over, behind the answer, part by part while nothing else is to do (agent/evidence). Called by jobs.c, judge.c and
 * orders.c.
 *
 * A copy never holds a job up. One that could not be made, or not to its end, is a record like one that was.
 */
#include "agent/evidence/evidence.h"
#include "agent/print/print.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#define WAITING_MAX 512u /* documents; descriptors are held for them */

/* One document that is to be copied. */
struct copying {
	struct copying *next;
	struct copy_told told;
	int fd;
	struct evidence_copy *copy; /* NULL: not begun yet */
};

struct copies {
	struct evidence *folder; /* NULL: no policy has asked for any yet */
	struct copying *first, **last;
	unsigned waiting;
	sd_event_source *idle;
};

/* --- what is to be copied --- */

void copies_keep(struct gate *g, struct job *j, const int *fds, unsigned n)
{
	struct print_copies c;
	unsigned i;

	copies_drop(j);
	if (!policy_print_copies(g->orders.policy, &c))
		return;
	for (i = 0; i < n; i++)
		j->kept[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
	j->kept_n = n;
}

void copies_drop(struct job *j)
{
	unsigned i;

	for (i = 0; i < j->kept_n; i++)
		closep(&j->kept[i]);
	j->kept_n = 0;
}

/* Sorts by time; the same for a further attempt, which needs no second copy. */
static void name_it(const struct job *j, unsigned document, char out[COPY_NAME_SIZE])
{
	time_t at = (time_t)(j->created_s ? j->created_s : clock_wall_us() / 1000000);
	struct tm tm;
	char text[32];

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(out, COPY_NAME_SIZE, "%s-job%u-%u", text, j->id, document + 1);
}

static void fill_told(const struct job *j, unsigned document, struct copy_told *t)
{
	*t = (struct copy_told){.job = j->id, .attempt = j->attempt};
	name_it(j, document, t->name);
	snprintf(t->user, sizeof(t->user), "%s", job_user(j));
	snprintf(t->said, sizeof(t->said), "%s", job_said(j));
	snprintf(t->title, sizeof(t->title), "%s",
		job_text(j->ipp, "job-name")[0] ? job_text(j->ipp, "job-name") : j->request.title);
	snprintf(t->printer, sizeof(t->printer), "%s", j->request.printer);
	snprintf(t->rule, sizeof(t->rule), "%s", j->decided.rule);
}

static int on_idle(sd_event_source *source, void *ctx);

static void arm(struct gate *g)
{
	int r = service_idle(g->event, &g->copies->idle, g->copies->first != NULL, on_idle, g);

	if (r)
		gate_fail(g, r, "copies");
}

static void add(struct gate *g, struct job *j, unsigned document)
{
	struct copies *c = g->copies;
	struct copying *k = c->waiting < WAITING_MAX ? calloc(1, sizeof(*k)) : NULL;
	struct copy_told told;

	fill_told(j, document, &told);
	if (!k || j->kept[document] < 0) {
		free(k);
		tell_copy(g, &told, CAUSE_COPIES_FULL, "too many documents wait for their copy");
		return;
	}
	*k = (struct copying){.told = told, .fd = steal_fd(&j->kept[document])};
	*c->last = k;
	c->last = &k->next;
	c->waiting++;
}

void copies_begin(struct gate *g, struct job *j)
{
	struct copy_told told;
	unsigned i;

	if (j->decided.copy && (!g->copies || !g->copies->folder)) {
		fill_told(j, 0, &told);
		tell_copy(g, &told, CAUSE_COPY_FAILED, "there is no folder for copies");
	} else if (j->decided.copy) {
		for (i = 0; i < j->kept_n; i++)
			add(g, j, i);
		if (j->kept_n < j->request.documents_n) {
			fill_told(j, j->kept_n, &told);
			tell_copy(g, &told, CAUSE_COPY_FAILED, "a document was not handed over");
		}
		/* Known again where this process ends before they are made. */
		keep_soon(g);
		arm(g);
	}
	copies_drop(j);
}

/* --- copying --- */

static void done(struct gate *g)
{
	struct copies *c = g->copies;
	struct copying *k = c->first;

	c->first = k->next;
	if (!c->first)
		c->last = &c->first;
	c->waiting--;
	evidence_copy_free(k->copy);
	closep(&k->fd);
	free(k);
	g->keep_wanted = true;
	arm(g);
}

static void end(struct gate *g, struct copying *k, int r, const struct why *why)
{
	const char *text = why->text[0] ? why->text : r < 0 ? strerror(-r) : "it could not be made";

	if (!r) {
		evidence_made(k->copy, &k->told.hash, &k->told.bytes);
		k->told.has_hash = true;
		tell_copy(g, &k->told, 0, NULL);
	} else if (r != V_EXISTS) {
		/* That an earlier attempt of the job has its copy is no news. */
		tell_copy(g, &k->told, r == V_FULL ? CAUSE_COPIES_FULL : CAUSE_COPY_FAILED, text);
		log_warning("a copy for the auditor was not made: %s", text);
	}
	done(g);
}

static int on_idle(sd_event_source *source, void *ctx)
{
	struct gate *g = ctx;
	struct copying *k = g->copies->first;
	struct why why = {""};
	int r;

	(void)source;
	if (!k) {
		arm(g);
		return 0;
	}
	r = evidence_go_on(g->copies->folder, k->told.name, k->fd, &k->copy, &why);
	if (r != V_AGAIN)
		end(g, k, r, &why);
	return 0;
}

/* --- the policy, and what is kept of it --- */

static int make(struct gate *g)
{
	if (g->copies)
		return 0;
	g->copies = calloc(1, sizeof(*g->copies));
	if (!g->copies)
		return -ENOMEM;
	g->copies->last = &g->copies->first;
	return 0;
}

void copies_order(struct gate *g)
{
	struct print_copies c;
	struct evidence_orders o;
	struct why why = {""};
	int r;

	if (!policy_print_copies(g->orders.policy, &c))
		return;
	o = (struct evidence_orders){
		.certificates = c.auditors, .second = c.second, .max_bytes = c.max_bytes, .oldest_goes = c.oldest_goes};
	r = make(g);
	if (!r && !g->copies->folder)
		r = evidence_open(g->evidence, &g->copies->folder, &why);
	r = r ? r : evidence_order(g->copies->folder, &o, &why);
	if (r)
		log_error("copies for the auditor cannot be made: %s",
			why.text[0] ? why.text : strerror(r < 0 ? -r : EINVAL));
}

json_t *copies_json(const struct gate *g)
{
	struct evidence_state s = {.files = 0};

	if (g->copies && g->copies->folder)
		evidence_state(g->copies->folder, &s);
	return json_pack("{s:I, s:I, s:I, s:i}", "files", (json_int_t)s.files, "bytes", (json_int_t)s.bytes, "dropped",
		(json_int_t)s.dropped, "waiting", g->copies ? (int)g->copies->waiting : 0);
}

json_t *copies_waiting(const struct gate *g)
{
	json_t *list = json_array();
	const struct copying *k;

	for (k = g->copies ? g->copies->first : NULL; k; k = k->next)
		json_array_append_new(list, json_pack("{s:i, s:i, s:s}", "job", (int)k->told.job, "attempt",
						    (int)k->told.attempt, "name", k->told.name));
	return list;
}

void copies_lost(struct gate *g, const json_t *list)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		struct copy_told t = {
			.job = (unsigned)job_number(o, "job"), .attempt = (unsigned)job_number(o, "attempt")};

		snprintf(t.name, sizeof(t.name), "%s", job_text(o, "name"));
		tell_copy(g, &t, CAUSE_CRASH, "the print gate ended before the copy was made");
	}
}

void copies_free(struct gate *g)
{
	struct copies *c = g->copies;

	if (!c)
		return;
	while (c->first) {
		struct copying *k = c->first;

		c->first = k->next;
		evidence_copy_free(k->copy);
		closep(&k->fd);
		free(k);
	}
	sd_event_source_disable_unref(c->idle);
	evidence_close(c->folder);
	free(STEAL(g->copies));
}

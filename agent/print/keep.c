/*
 * What the daemon must know again after it was not there: the last job that it saw, and the jobs whose end it has not
 * told yet, with what was decided of them. One JSON file in the daemon's folder; a damaged one is put aside, and the
 * daemon begins with what CUPS tells. Called by the loop.
 */
#include "agent/print/print.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>

#define KEEP_MAX (8u << 20)

static void path_of(const struct gate *g, char out[PATH_MAX + 16])
{
	snprintf(out, PATH_MAX + 16, "%s/jobs.json", g->state);
}

static json_t *job_json(const struct job *j)
{
	return json_pack("{s:i, s:i, s:i, s:I, s:i, s:s, s:b, s:b, s:b, s:b, s:s, s:s, s:s, s:i, s:i, s:s, s:I}", "id",
		(int)j->id, "attempt", (int)j->attempt, "state", (int)j->state, "created", (json_int_t)j->created_s,
		"action", (int)j->action, "rule", j->decided.rule, "ours", j->stop_was_ours, "looked",
		j->inspected_told, "ask_reason", j->decided.ask_reason, "released_own", j->released_own, "released_by",
		j->released_by, "released_printer", j->released_printer, "printer",
		j->request.printer ? j->request.printer : "", "backend", (int)j->backend, "killed_by",
		(int)j->killed_by, "person", j->person, "person_uid", (json_int_t)j->person_uid);
}

int keep_save(struct gate *g)
{
	json_t *list = json_array(), *o;
	char path[PATH_MAX + 16], *text;
	const struct job *j;
	int r;

	for (j = g->jobs; j; j = j->next)
		json_array_append_new(list, job_json(j));
	o = json_pack("{s:i, s:I, s:o, s:o}", "last", (int)g->last_id, "last_created", (json_int_t)g->last_created_s,
		"jobs", list, "copies", copies_waiting(g));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	path_of(g, path);
	r = text ? file_replace_volatile(path, SPAN_STR(text), 0600) : -ENOMEM;
	free(text);
	json_decref(o);
	return r;
}

void keep_soon(struct gate *g)
{
	static struct log_limit limit = LOG_LIMIT(1);
	int r = keep_save(g);

	if (r && log_allowed(&limit))
		log_warning("what is known of jobs cannot be kept: %s", strerror(-r));
	g->keep_wanted = false;
	g->report_wanted = true;
}

static void load_job(struct gate *g, const json_t *o)
{
	struct job *j = job_get(g, (unsigned)job_number(o, "id"));

	if (!j)
		return;
	j->attempt = (unsigned)job_number(o, "attempt");
	j->state = (enum job_state)job_number(o, "state");
	j->created_s = job_number(o, "created");
	j->action = j->decided.action = (unsigned)job_number(o, "action");
	j->stop_was_ours = json_is_true(json_object_get(o, "ours"));
	j->decided.ask_reason = json_is_true(json_object_get(o, "ask_reason"));
	j->released_own = json_is_true(json_object_get(o, "released_own"));
	snprintf(j->decided.rule, sizeof(j->decided.rule), "%s", job_text(o, "rule"));
	snprintf(j->released_by, sizeof(j->released_by), "%s", job_text(o, "released_by"));
	snprintf(j->released_printer, sizeof(j->released_printer), "%s", job_text(o, "released_printer"));
	j->killed_by = (unsigned)job_number(o, "killed_by");
	snprintf(j->person, sizeof(j->person), "%s", job_text(o, "person"));
	if (j->person[0])
		j->person_uid = (uint32_t)job_number(o, "person_uid");
	/* Goes on being watched by the kernel, which tells of its end now where it came meanwhile. */
	j->backend = (pid_t)job_number(o, "backend");
	/* Its wrapper has gone on without an answer: it is as good as unseen. */
	if (j->state == JOB_ASKED || j->state > JOB_OVER) {
		j->state = JOB_SEEN;
		j->attempt -= j->attempt > 0; /* the one that comes is this one */
	}
	/* Its documents were still being looked into, and are not at hand any more. */
	j->never_looked = j->state == JOB_JUDGED && !json_is_true(json_object_get(o, "looked"));
	j->inspected_told = true;
}

int keep_load(struct gate *g)
{
	_cleanup_buf_ struct buf text = BUF_INIT(KEEP_MAX);
	_cleanup_(json_decrefp) json_t *o = NULL;
	const json_t *one;
	char path[PATH_MAX + 16], aside[PATH_MAX + 32];
	size_t at;
	int r;

	path_of(g, path);
	r = file_read(path, &text);
	if (r == V_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	o = r ? NULL : json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o)) {
		snprintf(aside, sizeof(aside), "%s.damaged", path);
		log_error("%s cannot be read, and is put aside", path);
		return rename(path, aside) ? -errno : 0;
	}
	g->last_id = (unsigned)job_number(o, "last");
	g->last_created_s = job_number(o, "last_created");
	json_array_foreach(json_object_get(o, "jobs"), at, one)
	{
		load_job(g, one);
	}
	copies_lost(g, json_object_get(o, "copies"));
	return 0;
}

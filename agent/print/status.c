/*
 * How the print gate is, as JSON: the status file that `sekishoctl status` and `print queues` read, and the held jobs
 * that administrators ask for at the desk. The file is for everybody: no title and no person is in it.
 */
#include "agent/print/print.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"

#define HELD_MAX 200 /* told at once */

static const char *name_of(unsigned field, uint64_t value)
{
	const struct enum_info *e = enum_by_value(field, value);

	return e ? e->name : "unknown";
}

static bool is_held(const struct job *j)
{
	return j->action == ACTION_HOLD && (j->state == JOB_JUDGED || j->state == JOB_OVER);
}

static json_t *of_job(const struct job *j)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:I}", "id", (int)j->id, "user", job_user(j), "title",
		job_text(j->ipp, "job-name"), "printer",
		job_text(j->queue, "printer-name")[0] ? job_text(j->queue, "printer-name")
		: j->request.printer                  ? j->request.printer
						      : "",
		"rule", j->decided.rule, "ask_reason", j->decided.ask_reason, "created_us",
		(json_int_t)j->created_s * 1000000);
}

json_t *status_held(struct gate *g)
{
	json_t *list = json_array();
	const struct job *j;

	for (j = g->jobs; j && json_array_size(list) < HELD_MAX; j = j->next)
		if (is_held(j))
			json_array_insert_new(list, 0, of_job(j));
	return json_pack("{s:o}", "jobs", list);
}

json_t *status_asked(struct gate *g, uint32_t uid)
{
	json_t *list = json_array(), *o;
	const struct job *j;
	char item[32];

	for (j = g->jobs; j && json_array_size(list) < HELD_MAX; j = j->next)
		if (job_waits_for(j, uid)) {
			o = of_job(j);
			snprintf(item, sizeof(item), "print:%u", j->id);
			json_object_set_new(o, "item", json_string(item));
			json_array_insert_new(list, 0, o);
		}
	return json_pack("{s:o}", "items", list);
}

static json_t *status(struct gate *g)
{
	unsigned i, inside = 0, held = 0;
	const struct job *job;
	json_t *j;

	for (i = 0; i < g->queues_n; i++)
		inside += g->queues[i].inside;
	for (job = g->jobs; job; job = job->next)
		held += is_held(job);
	j = json_pack("{s:s, s:s, s:i, s:b, s:I, s:I, s:b, s:b, s:s, s:o, s:i, s:i, s:i}", "program", "sekisho-print",
		"version", SEKISHO_VERSION, "pid", (int)getpid(), "running", !g->stopping, "since_us",
		(json_int_t)g->since_wall_us, "written_us", (json_int_t)clock_wall_us(), "cups", g->cups_up, "pushed",
		g->cups_pushes, "outside", g->outside.text, "queues", queues_json(g), "inside", (int)inside, "jobs",
		(int)g->jobs_n, "held", (int)held);
	json_object_set_new(j, "copies", copies_json(g));
	json_object_set_new(j, "inspector", json_boolean(g->inspect != NULL));
	json_object_set_new(j, "stamps", json_boolean(policy_print_stamps(g->orders.policy)));
	json_object_set_new(j, "policy",
		json_pack("{s:I, s:i, s:b, s:b, s:s}", "version", (json_int_t)g->orders.version, "rules",
			(int)policy_print_rules_n(g->orders.policy), "note", policy_notes_only(g->orders.policy),
			"expired", g->orders.expired, "unavailable",
			name_of(F_ACTION, policy_print_unavailable(g->orders.policy))));
	json_object_set_new(j, "judged", json_integer((json_int_t)g->judged));
	json_object_set_new(j, "stopped", json_integer((json_int_t)g->stopped));
	json_object_set_new(j, "missed", json_integer((json_int_t)g->missed));
	json_object_set_new(j, "undecided", json_integer((json_int_t)g->undecided));
	json_object_set_new(j, "refused_peers", json_integer((json_int_t)g->refused_peers));
	service_put_chain(j, g->sealer);
	return j;
}

void status_write(struct gate *g)
{
	g->status_boot_us = clock_boot_us();
	service_write_status(g->status_path, status(g));
}

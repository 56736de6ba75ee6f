/*
 * Which queues are behind the gate, and why not. A queue is inside where the cupsd that runs was started with the
 * gate's ServerBin, and the backend of the queue's URI there is our wrapper. Called with the follower's words; asked by
 * the desk. What changes is a record.
 */
#include "agent/print/print.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>

#define CLASS_BITS 0x1 /* CUPS_PRINTER_CLASS */
#define ARGS_MAX 65536u

/* --- is it our ServerBin that cupsd runs with? --- */

/* Root's: anybody can give a process that name, and one whose arguments never come would be waited for. */
static bool is_cupsd(pid_t pid)
{
	_cleanup_buf_ struct buf status = BUF_INIT(8192);
	unsigned real, effective;
	const char *at;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (pid <= 1 || file_read(path, &status) || !buf_str(&status) ||
		strncmp((const char *)status.p, "Name:\tcupsd\n", 12) != 0)
		return false;
	at = strstr((const char *)status.p, "\nUid:");
	return at && sscanf(at, "\nUid: %u %u", &real, &effective) == 2 && !real && !effective;
}

/* The cupsd of this machine, where nothing else tells which one it is. */
static pid_t find_cupsd(void)
{
	_cleanup_closedir_ DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_cupsd((pid_t)strtol(e->d_name, NULL, 10)))
			return (pid_t)strtol(e->d_name, NULL, 10);
	return 0;
}

/* The file of its option -s. */
static void conf_of(pid_t pid, char out[PATH_MAX])
{
	_cleanup_buf_ struct buf args = BUF_INIT(ARGS_MAX);
	char path[64];
	size_t at;

	snprintf(out, PATH_MAX, "%s", TREE_CONF_STOCK);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if (file_read(path, &args) || !buf_str(&args))
		return;
	for (at = 0; at < args.n; at += strlen((char *)args.p + at) + 1) {
		const char *arg = (char *)args.p + at, *next = arg + strlen(arg) + 1;

		if (!strcmp(arg, "-s") && (size_t)(next - (char *)args.p) < args.n)
			snprintf(out, PATH_MAX, "%s", next);
		else if (!strncmp(arg, "-s/", 3))
			snprintf(out, PATH_MAX, "%s", arg + 2);
	}
}

static void look_at_cupsd(struct gate *g, pid_t told)
{
	pid_t pid = is_cupsd(told) ? told : is_cupsd(g->cupsd) ? g->cupsd : find_cupsd();
	char conf[PATH_MAX], bin[PATH_MAX] = "";

	g->outside.text[0] = 0;
	if (!pid) {
		WHY_BOTH(&g->outside, 0, "no cupsd runs", "cupsd が動作していません");
		return;
	}
	conf_of(pid, conf);
	if (tree_server_bin(conf, bin) || strcmp(bin, g->tree.dir) != 0)
		WHY_BOTH(&g->outside, 0,
			"cupsd runs with %.60s, not with the gate's ServerBin: restart CUPS, or see sekisho-print(8)",
			"cupsd は %.60s で動作しており、ゲートを通りません。CUPS を再起動するか、sekisho-print(8) "
			"を参照してください",
			conf);
}

/* --- queues --- */

static void scheme_of(const char *uri, char out[64])
{
	size_t n = strcspn(uri, ":");

	snprintf(out, 64, "%.*s", n < 63 ? (int)n : 63, uri);
}

static void judge_queue(struct gate *g, struct queue *q)
{
	char scheme[64];

	q->inside = false;
	scheme_of(q->uri, scheme);
	if (g->outside.text[0])
		q->reason = g->outside;
	else if (!strcmp(scheme, "file"))
		WHY_BOTH(&q->reason, 0, "CUPS writes to files and devices itself, without a backend",
			"CUPS がバックエンドを使わずにファイルやデバイスへ直接書き込みます");
	else
		q->inside = tree_covers(&g->tree, scheme, &q->reason);
	if (q->inside)
		q->reason = (struct why){""};
}

/* A class is inside where all of its members are. */
static void judge_class(struct queue *list, unsigned n, struct queue *q)
{
	char names[sizeof(q->members)], *name, *save = NULL;
	unsigned i;

	snprintf(names, sizeof(names), "%s", q->members);
	q->inside = true;
	q->reason = (struct why){""};
	for (name = strtok_r(names, ",", &save); name; name = strtok_r(NULL, ",", &save))
		for (i = 0; i < n; i++)
			if (!list[i].is_class && !strcmp(list[i].name, name) && !list[i].inside) {
				q->inside = false;
				WHY_BOTH(&q->reason, 0, "its member %.60s is not", "メンバーの %.60s がゲート外です",
					name);
			}
}

void queues_take(struct gate *g, const json_t *o)
{
	struct queue *q;

	if (!g->queues_next)
		g->queues_next = calloc(QUEUES_MAX, sizeof(*g->queues_next));
	if (!g->queues_next || g->queues_next_n == QUEUES_MAX)
		return;
	q = &g->queues_next[g->queues_next_n++];
	memset(q, 0, sizeof(*q));
	snprintf(q->name, sizeof(q->name), "%s", job_text(o, "printer-name"));
	snprintf(q->uri, sizeof(q->uri), "%s", job_text(o, "device-uri"));
	snprintf(q->info, sizeof(q->info), "%s", job_text(o, "printer-info"));
	snprintf(q->location, sizeof(q->location), "%s", job_text(o, "printer-location"));
	snprintf(q->members, sizeof(q->members), "%s", job_text(o, "member-names"));
	q->is_class = job_number(o, "printer-type") & CLASS_BITS;
	q->temporary = json_is_true(json_object_get(o, "printer-is-temporary"));
}

static const struct queue *find(const struct queue *list, unsigned n, const char *name)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

/* New, gone inside or outside, or sent elsewhere: a record. */
static void tell_changes(struct gate *g)
{
	unsigned i;

	for (i = 0; i < g->queues_n; i++) {
		const struct queue *now = &g->queues[i], *before = find(g->queues_next, g->queues_next_n, now->name);

		if (!before || before->inside != now->inside || strcmp(before->uri, now->uri) != 0)
			tell_queue(g, now);
	}
}

void queues_end(struct gate *g, pid_t cupsd)
{
	struct queue *before = g->queues;
	unsigned before_n = g->queues_n, i;

	loop_watch_backends(g);
	look_at_cupsd(g, cupsd);
	for (i = 0; i < g->queues_next_n; i++)
		judge_queue(g, &g->queues_next[i]);
	for (i = 0; i < g->queues_next_n; i++)
		if (g->queues_next[i].is_class)
			judge_class(g->queues_next, g->queues_next_n, &g->queues_next[i]);
	g->queues = g->queues_next;
	g->queues_n = g->queues_next_n;
	g->queues_next = before;
	g->queues_next_n = before_n;
	tell_changes(g);
	g->queues_next_n = 0;
	status_write(g);
}

json_t *queues_json(const struct gate *g)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < g->queues_n; i++) {
		const struct queue *q = &g->queues[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:s, s:s}", "name", q->name,
						    "uri", q->uri, "info", q->info, "location", q->location, "class",
						    q->is_class, "temporary", q->temporary, "inside", q->inside,
						    "reason", q->reason.text, "reason_ja", why_ja(&q->reason)));
	}
	return list;
}

/*
 * What the kernel tells of jobs (agent/probe/paper.h), where it does: who connects to CUPS, and sent what document
 * (origin.c), who asked the gate while nobody answered, and by what a backend was ended. CUPS takes one that SIGKILL,
 * SIGTERM or SIGPIPE ended for one that worked, so a job whose backend was killed is "completed" there; its record says
 * what is so. Called by the loop, visits.c and jobs.c.
 */
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#define ASKED_MAX 256u

/* A wrapper of a backend that asked, as the kernel saw it. */
struct asked {
	uint32_t pid;
	unsigned job;
	int64_t boot_us;
	uint64_t exec_id;
	bool ended, became; /* ... the real backend, before it ended */
	unsigned signal;    /* that ended it; 0: none */
};

struct askers {
	struct asked list[ASKED_MAX];
	unsigned next;
};

static void on_end(struct gate *g, const struct paper_event *e)
{
	unsigned signal = WIFSIGNALED((int)e->status) ? (unsigned)WTERMSIG((int)e->status) : 0, i;
	struct asked *a;
	struct job *j;

	for (i = 0; g->askers && i < ASKED_MAX; i++) {
		a = &g->askers->list[i];
		if (a->pid != e->pid || a->ended)
			continue;
		a->ended = true;
		a->became = a->exec_id != e->exec_id;
		a->signal = signal;
	}
	for (j = g->jobs; j && j->backend != (pid_t)e->pid; j = j->next)
		;
	if (!j)
		return;
	j->backend = 0;
	if (signal)
		j->killed_by = signal;
}

/* The job's number, as cupsd gave it to its backend: the argument behind the URI. 0: there is none. */
static unsigned job_of(const struct paper_event *e)
{
	const char *uri_end = memchr(e->args, 0, e->args_n), *at, *end = e->args + e->args_n;
	unsigned long job = 0;

	for (at = uri_end ? uri_end + 1 : end; at < end && isdigit((unsigned char)*at) && job < INT32_MAX; at++)
		job = job * 10 + (unsigned)(*at - '0');
	return at < end && !*at && job <= INT32_MAX ? (unsigned)job : 0;
}

static void on_asked(struct gate *g, const struct paper_event *e)
{
	unsigned job = job_of(e);

	/* Wrappers stand in for filters as well, and for a notifier; the end of those is CUPS's to tell. */
	if (!job || !tree_has_backend(&g->tree, e->exe_inode))
		return;
	if (!g->askers)
		g->askers = calloc(1, sizeof(*g->askers));
	if (!g->askers)
		return;
	g->askers->list[g->askers->next++ % ASKED_MAX] = (struct asked){
		.pid = e->pid, .job = job, .boot_us = (int64_t)(e->boot_ns / 1000), .exec_id = e->exec_id};
}

static void on_event(void *ctx, const struct paper_event *e)
{
	struct gate *g = ctx;

	if (e->what == PAPER_ENDED)
		on_end(g, e);
	else if (e->what == PAPER_CAME)
		origins_take(g, e);
	else if (e->what == PAPER_SENT)
		origins_sent(g, e);
	else if (e->what == PAPER_ASKED)
		on_asked(g, e);
}

bool kernel_printed(struct gate *g, struct job *j)
{
	int64_t begun = job_number(j->ipp, "time-at-processing") * 1000000 - (clock_wall_us() - clock_boot_us());
	unsigned i, known = 0, became = 0;

	kernel_hear(g);
	for (i = 0; g->askers && i < ASKED_MAX; i++) {
		const struct asked *a = &g->askers->list[(g->askers->next + i) % ASKED_MAX];

		/* Not of an earlier attempt; CUPS has the moment in whole seconds. */
		if (a->job != j->id || a->boot_us < begun - 1000000)
			continue;
		known++;
		became += !a->ended || a->became;
		if (a->signal)
			j->killed_by = a->signal;
	}
	return !known || became;
}

void kernel_open(struct gate *g)
{
	struct why why = {""};
	int r = paper_open(&g->paper, on_event, g, &why);

	if (r)
		log_notice("the kernel tells nothing of print jobs: %s", r == V_NOT_FOUND
										 ? "sekisho-load has not been run"
									 : why.text[0] ? why.text
										       : strerror(-r));
}

void kernel_hear(struct gate *g)
{
	static struct log_limit limit = LOG_LIMIT(1);
	uint64_t lost = 0;
	int r = g->paper ? paper_hear(g->paper, &lost) : 0;

	if ((r || lost) && log_allowed(&limit))
		log_warning("of print jobs, the kernel told more than could be heard: %llu", (unsigned long long)lost);
}

static int on_ring(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	kernel_hear(ctx);
	return 0;
}

int kernel_start(struct gate *g)
{
	int r = g->paper ? sd_event_add_io(g->event, NULL, paper_fd(g->paper), EPOLLIN, on_ring, g) : 0;

	return r < 0 ? r : 0;
}

void kernel_watch(struct gate *g, struct job *j, pid_t backend)
{
	j->backend = backend;
	if (!g->paper)
		return;
	paper_watch(g->paper, backend);
	/* It may have gone before it was watched: what ended it is not known then. */
	if (kill(backend, 0) && errno == ESRCH)
		paper_forget(g->paper, backend);
}

void kernel_close(struct gate *g)
{
	origins_free(g);
	free(STEAL(g->askers));
	paper_close(STEAL(g->paper));
}

/*
 * What the kernel tells of jobs (agent/probe/paper.h), where it does: who connects to CUPS (origin.c), and by what a
 * backend was ended. CUPS takes one that SIGKILL, SIGTERM or SIGPIPE ended for one that worked, so a job whose backend
 * was killed is "completed" there; its record says what is so. Called by the loop, visits.c and jobs.c.
 */
#include "agent/print/print.h"
#include "policy/base/log.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

static void on_end(struct gate *g, const struct paper_event *e)
{
	struct job *j;

	for (j = g->jobs; j && j->backend != (pid_t)e->pid; j = j->next)
		;
	if (!j)
		return;
	j->backend = 0;
	if (WIFSIGNALED((int)e->status))
		j->killed_by = (unsigned)WTERMSIG((int)e->status);
}

static void on_event(void *ctx, const struct paper_event *e)
{
	struct gate *g = ctx;

	if (e->what == PAPER_ENDED)
		on_end(g, e);
	else if (e->what == PAPER_CAME)
		origins_take(g, e);
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
	paper_close(STEAL(g->paper));
}

/*
 * The table of processes. See processes.h. Called for every event; allocates nothing after processes_new(). Entries
 * are linked by age in two rows: running ones, and ended ones.
 */
#include "agent/recorder/processes.h"
#include <errno.h>
#include <stdlib.h>

#define BUCKETS 16384u

struct row {
	uint32_t oldest, newest; /* 0: empty */
	unsigned n;
};

struct processes {
	struct names *names;
	uint32_t free; /* given back, by hash_next */
	uint32_t used; /* entries up to this one were used; memory behind it was never touched, and costs nothing */
	uint64_t evicted;
	struct row running, ended;
	uint32_t bucket[BUCKETS];
	struct process entry[PROCESSES_MAX + 1]; /* from 1 */
};

int processes_new(struct names *names, struct processes **out)
{
	struct processes *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->names = names;
	*out = t;
	return 0;
}

void processes_free(struct processes *t)
{
	free(t);
}

static uint32_t *bucket_of(struct processes *t, uint32_t pid, uint64_t start_ns)
{
	uint64_t h = (start_ns ^ ((uint64_t)pid << 32)) * 0x9e3779b97f4a7c15ull;

	return &t->bucket[h >> 50];
}

static uint32_t index_of(const struct processes *t, const struct process *p)
{
	return (uint32_t)(p - t->entry);
}

static void row_leave(struct processes *t, struct row *row, struct process *p)
{
	*(p->older ? &t->entry[p->older].newer : &row->oldest) = p->newer;
	*(p->newer ? &t->entry[p->newer].older : &row->newest) = p->older;
	row->n--;
}

static void row_join(struct processes *t, struct row *row, struct process *p)
{
	p->older = row->newest;
	p->newer = 0;
	*(p->older ? &t->entry[p->older].newer : &row->oldest) = index_of(t, p);
	row->newest = index_of(t, p);
	row->n++;
}

static struct row *row_of(struct processes *t, const struct process *p)
{
	return p->ended ? &t->ended : &t->running;
}

static struct process *find(struct processes *t, uint32_t pid, uint64_t start_ns)
{
	uint32_t i;

	for (i = *bucket_of(t, pid, start_ns); i; i = t->entry[i].hash_next)
		if (t->entry[i].pid == pid && t->entry[i].start_ns == start_ns)
			return &t->entry[i];
	return NULL;
}

struct process *processes_find(struct processes *t, uint32_t pid, uint64_t start_ns)
{
	struct process *p = find(t, pid, start_ns);

	if (p && !p->ended) {
		row_leave(t, &t->running, p);
		row_join(t, &t->running, p);
	}
	return p;
}

bool processes_runs(const struct processes *t, uint32_t pid)
{
	uint32_t i;

	for (i = t->running.newest; i; i = t->entry[i].older)
		if (t->entry[i].pid == pid)
			return true;
	return false;
}

static void forget(struct processes *t, struct process *p)
{
	uint32_t *link, i = index_of(t, p);
	unsigned k;

	for (link = bucket_of(t, p->pid, p->start_ns); *link != i; link = &t->entry[*link].hash_next)
		;
	*link = p->hash_next;
	row_leave(t, row_of(t, p), p);
	names_unref(t->names, p->program);
	names_unref(t->names, p->container);
	for (k = 0; k < PROCESS_PARENTS; k++)
		names_unref(t->names, p->parent[k]);
	*p = (struct process){.hash_next = t->free};
	t->free = i;
}

/* What a child has of its parent: it runs the same program, below it and its ancestors. */
static void inherit(struct processes *t, struct process *p, const struct process *parent)
{
	unsigned k;

	p->program = names_ref(t->names, parent->program);
	p->container = names_ref(t->names, parent->container);
	p->parent[0] = names_ref(t->names, parent->program);
	for (k = 1; k < PROCESS_PARENTS; k++)
		p->parent[k] = names_ref(t->names, parent->parent[k - 1]);
}

/* An entry that nobody has: others make room where there is none. */
static struct process *take_entry(struct processes *t)
{
	struct process *p;

	if (!t->free && t->used < PROCESSES_MAX)
		return &t->entry[++t->used];
	if (!t->free) {
		if (t->ended.n) {
			forget(t, &t->entry[t->ended.oldest]);
		} else {
			t->evicted++;
			forget(t, &t->entry[t->running.oldest]);
		}
	}
	p = &t->entry[t->free];
	t->free = p->hash_next;
	return p;
}

struct process *processes_add(struct processes *t, uint32_t pid, uint64_t start_ns, uint32_t ppid, uint64_t pstart_ns)
{
	struct process *p = processes_find(t, pid, start_ns), *parent;
	uint32_t *bucket;

	if (p)
		return p;
	p = take_entry(t);
	bucket = bucket_of(t, pid, start_ns);
	*p = (struct process){.pid = pid,
		.start_ns = start_ns,
		.ppid = ppid,
		.uid = UINT32_MAX,
		.login_uid = UINT32_MAX,
		.hash_next = *bucket};
	*bucket = index_of(t, p);
	row_join(t, &t->running, p);
	parent = find(t, ppid, pstart_ns);
	if (parent && parent != p) {
		inherit(t, p, parent);
		p->uid = parent->uid;
		p->login_uid = parent->login_uid;
	}
	return p;
}

void processes_set_program(struct processes *t, struct process *p, struct span program)
{
	uint32_t id;

	if (!program.n)
		return;
	id = names_put(t->names, program);
	names_unref(t->names, p->program);
	p->program = id;
}

void processes_set_container(struct processes *t, struct process *p, struct span container)
{
	uint32_t id;

	if (!container.n)
		return;
	id = names_put(t->names, container);
	names_unref(t->names, p->container);
	p->container = id;
}

void processes_end(struct processes *t, struct process *p)
{
	if (p->ended)
		return;
	row_leave(t, &t->running, p);
	p->ended = true;
	row_join(t, &t->ended, p);
	while (t->ended.n > PROCESSES_ENDED_MAX)
		forget(t, &t->entry[t->ended.oldest]);
}

unsigned processes_kept(const struct processes *t)
{
	return t->running.n + t->ended.n;
}

uint64_t processes_evicted(const struct processes *t)
{
	return t->evicted;
}

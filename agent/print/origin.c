/*
 * Which program sent a job, and whose it is. CUPS does not keep who connects to it, by its socket or by TCP from this
 * machine; the kernel tells (agent/probe/paper.h), and the last that came are remembered here, with program, arguments
 * and folder, which are read at once: lp(1) has ended by the time that a backend runs. It also tells by which
 * connection a document came, so that is no question where it does; else which of them it was is found by time, user
 * and what its arguments name. How sure that is, is told with it. Called by kernel.c, jobs.c and tell.c.
 *
 * CUPS takes the user from the client, unless it is told to authenticate. Where the kernel saw the connection, whose
 * login it was counts; a service's word is believed, as it prints for others (Samba, cups-lpd, who is root).
 */
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/uid.h"
#include "policy/rule/protected.h"
#include <limits.h>
#include <mntent.h>
#include <sys/stat.h>

#define COMERS_MAX 64u
#define SENDERS_MAX 128u /* documents, the last that came */
#define PORTS_MAX 65536u
#define OWNERS_MAX 4096u /* jobs; each has its place by its number, so that many jobs later it is another one's */
/* A connection is kept by its program, and by CUPS (KeepAliveTimeout), for jobs that come later. */
#define BEFORE_US 30000000ll
#define BEHIND_US 1200000ll /* CUPS has the moment in whole seconds */

struct comer {
	int64_t boot_us, start_us;
	uint32_t pid, uid, loginuid, net, port; /* net: by TCP, and in which name space; 0: by the socket */
	char comm[16], program[512], cwd[512], args[PAPER_ARGS_MAX + 1];
	size_t args_n; /* 0: nobody */
};

/* Who sent a document of a job. */
struct sender {
	unsigned job; /* 0: none */
	int64_t boot_us;
	struct comer who;
};

/* Whose a job is; kept for longer. UINT32_MAX: from another machine, or a service's. */
struct owner {
	unsigned job;
	int64_t boot_us;
	uint32_t uid;
};

/* Who connected last from a port, in the name space of networks that CUPS is in. */
struct port {
	uint32_t net, pid, uid, loginuid; /* net 0: nobody */
};

struct origins {
	struct port ports[PORTS_MAX]; /* memory is taken by those that were used */
	struct comer list[COMERS_MAX];
	unsigned next;
	struct sender senders[SENDERS_MAX];
	unsigned senders_next;
	struct owner owners[OWNERS_MAX];
};

static void read_link(uint32_t pid, const char *what, char *out, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, what);
	n = readlink(path, out, size - 1);
	out[n > 0 ? n : 0] = 0;
}

/* Its arguments, each ended by a newline as in other records. */
static void take_args(struct comer *c, const struct paper_event *e)
{
	size_t i;

	memcpy(c->args, e->args, e->args_n);
	for (i = 0; i < e->args_n; i++)
		if (!c->args[i])
			c->args[i] = '\n';
	c->args_n = e->args_n;
	while (c->args_n && c->args[c->args_n - 1] == '\n')
		c->args_n--;
	c->args[c->args_n] = 0;
}

static bool has_room(struct gate *g)
{
	if (!g->origins)
		g->origins = calloc(1, sizeof(*g->origins));
	return g->origins;
}

/* The name space of networks in which that process is; 0: not known. */
static uint32_t net_of(pid_t pid)
{
	char path[64], text[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	n = pid > 0 ? readlink(path, text, sizeof(text) - 1) : 0;
	text[n > 0 ? n : 0] = 0;
	return n > 0 ? (uint32_t)strtoul(text + strcspn(text, "0123456789"), NULL, 10) : 0;
}

/* From a name space of his own anybody may come from any port. */
static void take_port(struct gate *g, const struct paper_event *e)
{
	if (e->net && e->port < PORTS_MAX && e->net == net_of(g->cupsd))
		g->origins->ports[e->port] =
			(struct port){.net = e->net, .pid = e->pid, .uid = e->uid, .loginuid = e->loginuid};
}

void origins_take(struct gate *g, const struct paper_event *e)
{
	struct comer *c;

	/* Ourselves: the follower asks CUPS as any program does. */
	if (e->pid == (uint32_t)g->follower_pid || e->pid == (uint32_t)getpid())
		return;
	if (!has_room(g))
		return;
	take_port(g, e);
	c = &g->origins->list[g->origins->next++ % COMERS_MAX];
	*c = (struct comer){.boot_us = (int64_t)(e->boot_ns / 1000),
		.start_us = (int64_t)(e->start_boot_ns / 1000),
		.pid = e->pid,
		.uid = e->uid,
		.loginuid = e->loginuid,
		.net = e->net,
		.port = e->port};
	memcpy(c->comm, e->comm, sizeof(c->comm));
	take_args(c, e);
	read_link(e->pid, "exe", c->program, sizeof(c->program));
	read_link(e->pid, "cwd", c->cwd, sizeof(c->cwd));
}

/* --- who sent a document --- */

static const struct comer *comer_of(const struct origins *o, const struct paper_event *e)
{
	unsigned i;

	for (i = 1; i <= COMERS_MAX; i++) {
		const struct comer *c = &o->list[(o->next - i) % COMERS_MAX];

		if (e->net ? c->net == e->net && c->port == e->port : !c->net && c->pid == e->pid && c->uid == e->uid)
			return c;
	}
	return NULL;
}

/* Whose login that process of this user is; UINT32_MAX, also where it has ended, and another one has its number. */
static uint32_t login_of(uint32_t pid, uint32_t uid)
{
	_cleanup_buf_ struct buf text = BUF_INIT(32);
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u", pid);
	if (stat(path, &st) || st.st_uid != uid)
		return UINT32_MAX;
	snprintf(path, sizeof(path), "/proc/%u/loginuid", pid);
	return file_read(path, &text) || !buf_str(&text) ? UINT32_MAX : (uint32_t)strtoul(buf_str(&text), NULL, 10);
}

/*
 * The user of a connection from that port to the same address, by a list as /proc/net/tcp is; UINT32_MAX. It is still
 * there: who sent a document waits for the answer.
 */
static uint32_t user_in(const char *path, uint32_t port)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	uint32_t found = UINT32_MAX;
	char line[512], own[33], other[33];

	while (f && found == UINT32_MAX && fgets(line, sizeof(line), f)) {
		unsigned from, state, uid;

		/* sl, local, remote, state (1: established), queues, timer, retransmits, uid */
		if (sscanf(line, " %*u: %32[0-9A-F]:%x %32[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %u", own, &from, other,
			    &state, &uid) == 5 &&
			from == port && state == 1 && !strcmp(own, other))
			found = uid;
	}
	return found;
}

static uint32_t user_at(const struct gate *g, uint32_t port)
{
	char path[64];
	uint32_t uid;

	snprintf(path, sizeof(path), "/proc/%d/net/tcp", (int)g->cupsd);
	uid = user_in(path, port);
	if (uid != UINT32_MAX)
		return uid;
	snprintf(path, sizeof(path), "/proc/%d/net/tcp6", (int)g->cupsd);
	return user_in(path, port);
}

/* By TCP: what was kept of who came from its port, else the user that the port has now. */
static void by_port(const struct gate *g, struct comer *c)
{
	const struct port *p = &g->origins->ports[c->port % PORTS_MAX];

	if (p->net != c->net) {
		c->uid = user_at(g, c->port);
		return;
	}
	c->pid = p->pid;
	c->uid = p->uid;
	c->loginuid = p->loginuid;
}

/* One that connected long ago, and others since: what is known of it is what it is now. */
static struct comer stranger(const struct gate *g, const struct paper_event *e)
{
	struct comer c = {.boot_us = (int64_t)(e->boot_ns / 1000),
		.pid = e->pid,
		.uid = e->uid,
		.loginuid = UINT32_MAX,
		.net = e->net,
		.port = e->port};

	if (e->net) {
		by_port(g, &c);
		return c;
	}
	c.loginuid = login_of(e->pid, e->uid);
	read_link(e->pid, "exe", c.program, sizeof(c.program));
	read_link(e->pid, "cwd", c.cwd, sizeof(c.cwd));
	return c;
}

/* By the name of the document's file; 0: it is none. */
static unsigned job_of(const char name[16])
{
	unsigned long job = name[0] == 'd' ? strtoul(name + 1, NULL, 10) : 0;

	return job <= INT32_MAX ? (unsigned)job : 0;
}

/* Whose login he is, or whose process; UINT32_MAX: a service, whose word of others is believed. */
static uint32_t person_of(const struct comer *c)
{
	if (c->loginuid != UINT32_MAX)
		return c->loginuid;
	return uid_is_person(c->uid) ? c->uid : UINT32_MAX;
}

/* A queue may lead to another one of this PC: what its backend sends is whose the job is that it prints. */
static uint32_t printed_for(const struct gate *g, const struct comer *c)
{
	const struct job *j;

	for (j = g->jobs; j; j = j->next)
		if (c->pid && j->backend == (pid_t)c->pid && j->person[0])
			return j->person_uid;
	return UINT32_MAX;
}

void origins_sent(struct gate *g, const struct paper_event *e)
{
	int64_t at = (int64_t)(e->boot_ns / 1000);
	unsigned job = job_of(e->comm);
	const struct comer *c;
	struct sender *s;
	struct owner *owner;

	if (!job || !has_room(g))
		return;
	owner = &g->origins->owners[job % OWNERS_MAX];
	*owner = (struct owner){.job = job, .boot_us = at, .uid = UINT32_MAX};
	s = &g->origins->senders[g->origins->senders_next++ % SENDERS_MAX];
	*s = (struct sender){.job = job, .boot_us = at};
	/* From another machine. */
	if (!e->pid && !e->port)
		return;
	c = comer_of(g->origins, e);
	s->who = c ? *c : stranger(g, e);
	owner->uid = person_of(&s->who);
	if (owner->uid == UINT32_MAX)
		owner->uid = printed_for(g, &s->who);
}

/* By the boot's clock; 0: not known yet. */
static int64_t created_of(const struct job *j)
{
	return j->created_s ? j->created_s * 1000000 - (clock_wall_us() - clock_boot_us()) : 0;
}

/* Was a document that came then this job's, and not of one that had its number before? CUPS has the moment in whole
 * seconds. */
static bool is_of(int64_t boot_us, int64_t created)
{
	return boot_us >= created - 1000000;
}

static const struct comer *sender_of(const struct gate *g, unsigned job, int64_t created)
{
	const struct origins *o = g->origins;
	unsigned i;

	for (i = 1; o && i <= SENDERS_MAX; i++) {
		const struct sender *s = &o->senders[(o->senders_next - i) % SENDERS_MAX];

		if (s->job == job)
			return is_of(s->boot_us, created) && s->who.pid ? &s->who : NULL;
	}
	return NULL;
}

uint32_t origin_person(const struct gate *g, const struct job *j)
{
	const struct owner *owner = g->origins ? &g->origins->owners[j->id % OWNERS_MAX] : NULL;

	return owner && owner->job == j->id && is_of(owner->boot_us, created_of(j)) ? owner->uid : UINT32_MAX;
}

/* --- which one was it? --- */

static const char *last_part(const char *path, size_t n)
{
	const char *slash = memrchr(path, '/', n);

	return slash ? slash + 1 : path;
}

bool origin_names(const char *args, const char *name, const char **at, size_t *n)
{
	const char *arg = args, *end;

	if (!name[0])
		return false;
	for (; *arg; arg = end + (*end == '\n')) {
		const char *part;

		end = strchrnul(arg, '\n');
		part = last_part(arg, (size_t)(end - arg));
		if (arg != args && (size_t)(end - part) == strlen(name) && !memcmp(part, name, strlen(name))) {
			*at = arg;
			*n = (size_t)(end - arg);
			return true;
		}
	}
	return false;
}

/* An argument as a path: a relative one is within the program's folder. */
static bool path_of(const struct comer *c, const char *at, size_t n, char out[ORIGIN_PATH_SIZE])
{
	bool relative = *at != '/';

	if (relative && !c->cwd[0])
		return false;
	return snprintf(out, ORIGIN_PATH_SIZE, "%s%s%.*s", relative ? c->cwd : "", relative && c->cwd[1] ? "/" : "",
		       (int)n, at) < ORIGIN_PATH_SIZE;
}

/*
 * The file of the job, where the program was started with it: by the name that lp(1) says, or by the title, which most
 * applications make of the file's name; a title may be an argument too, and is no file then.
 */
static bool file_of(const struct comer *c, const struct job *j, char out[ORIGIN_PATH_SIZE], bool *by_title)
{
	const char *at;
	struct stat st;
	size_t n;

	*by_title = false;
	if (origin_names(c->args, job_text(j->ipp, "document-name-supplied"), &at, &n))
		return path_of(c, at, n, out);
	*by_title = true;
	return origin_names(c->args, job_text(j->ipp, "job-name"), &at, &n) && path_of(c, at, n, out) &&
	       !stat(out, &st) && S_ISREG(st.st_mode);
}

static bool is_local(const struct job *j)
{
	const char *host = job_text(j->ipp, "job-originating-host-name");

	return !host[0] || !strcmp(host, "localhost") || !strcmp(host, "127.0.0.1") || !strcmp(host, "::1");
}

/* How well it fits; 0: it cannot be the one. `net`: the one that CUPS is in. */
static unsigned fits(const struct comer *c, const struct job *j, int64_t created, uint32_t net)
{
	uint32_t uid = j->request.authenticated ? (uint32_t)j->request.uid : j->uid;
	char path[ORIGIN_PATH_SIZE];
	bool by_title, his;

	if (!c->pid || c->boot_us < created - BEFORE_US || c->boot_us > created + BEHIND_US)
		return 0;
	/* Who CUPS knows by the socket is who connected to it. */
	if (j->request.authenticated && (c->uid != uid || c->net))
		return 0;
	/* In a container, 127.0.0.1 is another machine's. */
	if (c->net && net && c->net != net)
		return 0;
	/*
	 * Where CUPS goes by what the client says, that speaks for a program of somebody who signed in, and for no
	 * service of root's: root of a container says "root", too.
	 */
	his = c->uid == uid && (j->request.authenticated || c->loginuid != UINT32_MAX);
	return 1u + (his ? 1u : 0u) + (file_of(c, j, path, &by_title) ? 2u : 0u);
}

/* The best one, the last of those that are as good; *rivals: processes that could have been it. */
static const struct comer *choose(
	const struct gate *g, const struct job *j, int64_t created, unsigned *best, unsigned *rivals)
{
	const struct origins *o = g->origins;
	const struct comer *chosen = NULL;
	uint32_t net = net_of(g->cupsd);
	unsigned i;

	*best = *rivals = 0;
	for (i = 0; i < COMERS_MAX; i++) {
		const struct comer *c = &o->list[(o->next + i) % COMERS_MAX];
		unsigned fit = fits(c, j, created, net);

		if (!fit)
			continue;
		if (!chosen || chosen->pid != c->pid || chosen->start_us != c->start_us)
			++*rivals;
		if (fit >= *best) {
			*best = fit;
			chosen = c;
		}
	}
	return chosen;
}

static const struct comer *find(const struct gate *g, const struct job *j, unsigned *origin)
{
	int64_t created = created_of(j);
	const struct comer *c = sender_of(g, j->id, created);
	unsigned best, rivals;

	*origin = ORIGIN_SEEN;
	if (c || !g->origins || !created || !is_local(j))
		return c;
	c = choose(g, j, created, &best, &rivals);
	*origin = best > 2 ? ORIGIN_NAMED : rivals == 1 ? ORIGIN_ONLY : ORIGIN_NEAREST;
	return c;
}

/* --- the area of its file --- */

/* What is mounted where the path lies; "" where nobody knows. */
static void source_of(const char *path, char *out, size_t size)
{
	char room[2 * PATH_MAX];
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent e;
	size_t longest = 0;

	out[0] = 0;
	while (f && getmntent_r(f, &e, room, sizeof(room))) {
		size_t n = strcmp(e.mnt_dir, "/") ? strlen(e.mnt_dir) : 0;

		if (n >= longest && !strncmp(path, e.mnt_dir, n) && path[n] == '/') {
			longest = n;
			snprintf(out, size, "%s", e.mnt_fsname);
		}
	}
	if (f)
		endmntent(f);
}

/* Where the links lead, as far as we may look there; else as it was written. False: ".." in it leads nobody knows
 * where.
 */
static bool real(const char *path, char out[PATH_MAX])
{
	if (realpath(path, out))
		return true;
	return !strstr(path, "/../") && !strstr(path, "/./") && !strstr(path, "//") &&
	       snprintf(out, PATH_MAX, "%s", path) < PATH_MAX;
}

/* The name of the area that the file lies in; "". */
static const char *area_of(const struct gate *g, const char *path)
{
	const struct policy *p = g->orders.policy;
	char whole[PATH_MAX], source[256];
	int area;

	if (!policy_areas_n(p) || !real(path, whole))
		return "";
	source_of(whole, source, sizeof(source));
	area = policy_area_of(p, SPAN_STR(whole), source[0] ? source : NULL);
	return area < 0 ? "" : policy_area_name(p, (unsigned)area);
}

void origin_tell(struct gate *g, struct record *r, const struct job *j, struct origin_room *room)
{
	unsigned origin;
	const struct comer *c = find(g, j, &origin);
	const char *area;
	bool by_title;

	if (!c)
		return;
	record_set_uint(r, F_ORIGIN, origin);
	record_set_uint(r, F_PID, c->pid);
	if (c->start_us)
		record_set_int(r, F_START, c->start_us);
	record_set_span(r, F_COMM, SPAN(c->comm, strnlen(c->comm, sizeof(c->comm))));
	if (c->loginuid != UINT32_MAX)
		record_set_uint(r, F_LOGIN_UID, c->loginuid);
	record_set_text(r, F_PROGRAM, c->program);
	if (c->args_n)
		record_set_span(r, F_ARGS, SPAN(c->args, c->args_n));
	if (file_of(c, j, room->path, &by_title))
		record_set_str(r, F_PATH, room->path);
	else
		return;
	area = area_of(g, room->path);
	if (!area[0])
		return;
	record_set_str(r, F_AREA, area);
	record_set_uint(r, F_CERTAINTY, by_title ? CERTAINTY_LIKELY : CERTAINTY_STRONG);
}

const char *origin_area(const struct gate *g, const struct job *j)
{
	char path[ORIGIN_PATH_SIZE];
	const struct comer *c;
	unsigned origin;
	bool by_title;

	if (!policy_areas_n(g->orders.policy) || !(c = find(g, j, &origin)) || !file_of(c, j, path, &by_title))
		return "";
	return area_of(g, path);
}

void origins_free(struct gate *g)
{
	free(STEAL(g->origins));
}

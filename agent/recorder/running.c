/*
 * What /proc tells of processes that no kernel program told of. See running.h. Called once, when recording begins and
 * what the kernel programs showed is in the table.
 *
 * Without privilege /proc gives neither program nor folder of somebody else's process: name, arguments and users are
 * what there is. A process that ends meanwhile is none.
 */
#include "agent/recorder/running.h"
#include "policy/base/file.h"
#include "policy/wire/record.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PF_KTHREAD_BIT 0x200000u
#define TEXT_MAX 4096u
#define STAT_FIELDS 20 /* behind the name: state is the first, the start the last that we want */

struct made {
	struct event e;
	char args[EVENT_ARGS_MAX];
};

/* A number, and the blank behind it. */
static int number(const char **at, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(*at, &end, 10);
	if (end == *at || errno)
		return V_BAD;
	*at = end;
	return 0;
}

int running_stat(struct span text, uint64_t ticks, struct running_stat *out)
{
	struct running_stat s = {0};
	char line[TEXT_MAX], *open, *close;
	const char *at = line;
	uint64_t n;
	unsigned i;

	if (!text.n || text.n >= sizeof(line) || !ticks)
		return V_BAD;
	memcpy(line, text.p, text.n);
	line[text.n] = 0;
	/* A name may hold anything, brackets and blanks too: it ends at the last one. */
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close < open || number(&at, &n) || n > UINT32_MAX)
		return V_BAD;
	s.pid = (uint32_t)n;
	s.comm = SPAN(text.p + (open + 1 - line), (size_t)(close - open - 1));
	at = close + 1;
	at += strspn(at, " ");
	if (!*at)
		return V_BAD;
	at++;
	for (i = 1; i < STAT_FIELDS; i++) {
		if (number(&at, &n))
			return V_BAD;
		if (i == 1)
			s.ppid = (uint32_t)n;
		else if (i == 6)
			s.flags = (uint32_t)n;
	}
	if (__builtin_mul_overflow(n, 1000000000ull / ticks, &s.start_ns))
		return V_BAD;
	*out = s;
	return 0;
}

/* One small file below /proc/PID, NUL behind it. False where it cannot be read. */
static bool get(int proc, uint32_t pid, const char *name, struct buf *b)
{
	char path[64];

	buf_clear(b);
	snprintf(path, sizeof(path), "%u/%s", pid, name);
	return !file_read_at(proc, path, b) && buf_str(b);
}

static uint32_t id_in(int proc, uint32_t pid, const char *name, struct buf *b)
{
	const char *at;
	uint64_t n;

	if (!get(proc, pid, name, b))
		return UINT32_MAX;
	at = (const char *)b->p;
	return number(&at, &n) || n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* Real and effective user, of /proc/PID/status. */
static void users_of(int proc, uint32_t pid, struct buf *b, struct event *e)
{
	const char *at;
	uint64_t real, effective;

	e->uid = e->real_uid = UINT32_MAX;
	if (!get(proc, pid, "status", b) || !(at = strstr((const char *)b->p, "\nUid:")))
		return;
	at += strlen("\nUid:");
	if (number(&at, &real) || number(&at, &effective))
		return;
	e->real_uid = (uint32_t)real;
	e->uid = (uint32_t)effective;
}

static int tell(
	struct engine *engine, int proc, const struct running_stat *s, uint64_t now_ns, struct arguments *arguments)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64u << 10);
	struct made m = {.e = {.version = EVENT_VERSION,
				 .kind = KIND_RUNNING,
				 .boot_ns = now_ns,
				 .first_ns = s->start_ns,
				 .start_ns = s->start_ns,
				 .pid = s->pid,
				 .ppid = s->ppid,
				 .mnt_ns = engine->host_mnt_ns}};
	size_t n = s->comm.n < sizeof(m.e.comm) - 1 ? s->comm.n : sizeof(m.e.comm) - 1;

	memcpy(m.e.comm, s->comm.p, n);
	users_of(proc, s->pid, &b, &m.e);
	m.e.login_uid = id_in(proc, s->pid, "loginuid", &b);
	m.e.session = id_in(proc, s->pid, "sessionid", &b);
	n = 0;
	if (arguments_get(arguments, s->pid, &b)) {
		n = b.n < sizeof(m.args) ? b.n : sizeof(m.args);
		memcpy(m.args, b.p, n);
		if (n < b.n)
			m.e.flags |= RF_ARGS_CUT;
	} else {
		m.e.flags |= RF_ARGS_CUT;
	}
	m.e.len[EVENT_ARGS] = (uint16_t)n;
	m.e.size = (uint32_t)(offsetof(struct made, args) + n);
	return engine_event(engine, SPAN(&m, m.e.size));
}

int running_rest(struct engine *engine, uint64_t until_ns, struct arguments *arguments)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TEXT_MAX);
	_cleanup_closedir_ DIR *dir = NULL;
	long ticks = sysconf(_SC_CLK_TCK);
	struct running_stat s;
	struct dirent *d;
	int r = engine->proc ? dir_open_at(AT_FDCWD, engine->proc, &dir) : V_NOT_FOUND;

	if (r)
		return r > 0 ? 0 : r;
	while (!r && (d = readdir(dir))) {
		uint32_t pid = (uint32_t)strtoul(d->d_name, NULL, 10);

		if (!isdigit((unsigned char)d->d_name[0]) || processes_runs(engine->processes, pid) ||
			!get(dirfd(dir), pid, "stat", &b) || running_stat(SPAN(b.p, b.n), (uint64_t)ticks, &s) ||
			s.flags & PF_KTHREAD_BIT || s.start_ns >= until_ns)
			continue;
		r = tell(engine, dirfd(dir), &s, until_ns, arguments);
	}
	return r;
}

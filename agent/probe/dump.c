/*
 * sekisho-load --dump: events as lines of JSON. Called by main.c. Two readers of one ring buffer would each miss what
 * the other took: so this is for a PC whose recorder does not run.
 */
#include "agent/probe/dump.h"
#include "agent/probe/probe.h"
#include "policy/base/text.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#define NAP_MS 10
#define SWEEP_ROUNDS 100 /* naps between two sweeps */
#define TEXT_MAX (16u << 10)

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

/* JSON has text only: what is none is escaped. */
static void put_text(json_t *j, const char *name, struct span s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4 * TEXT_MAX);
	const char *text;

	if (!s.n)
		return;
	if (text_escape(&b, s) || !(text = buf_str(&b)))
		return;
	json_object_set_new(j, name, json_string(text));
}

static void put_number(json_t *j, const char *name, uint64_t n)
{
	json_object_set_new(j, name, json_integer((json_int_t)n));
}

static void put_flags(json_t *j, uint32_t flags)
{
	static const char *const names[] = {"created", "wrote", "read", "mmap-write", "io-uring", "splice", "clone",
		"guessed", "path-cut", "args-cut", "unlinked", "held-open", "not-last-close", "open-at-start",
		"tmpfile", "truncated", "memfd", "exchange", "direct-block"};
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (flags >> i & 1)
			json_array_append_new(list, json_string(names[i]));
	json_object_set_new(j, "flags", list);
}

static void put_numbers(json_t *j, const struct event *e)
{
	put_number(j, "pid", e->pid);
	put_number(j, "start", e->start_ns);
	put_number(j, "ppid", e->ppid);
	put_number(j, "uid", e->uid);
	if (e->login_uid != UINT32_MAX)
		put_number(j, "login_uid", e->login_uid);
	put_number(j, "mnt_ns", e->mnt_ns);
	if (e->has & EH_OBJECT) {
		put_number(j, "dev", e->dev);
		put_number(j, "inode", e->inode);
	}
	if (e->has & EH_SIZE)
		put_number(j, "size", e->file_size);
	if (e->has & EH_MODE)
		put_number(j, "mode", e->mode);
	if (e->has & EH_OWNER) {
		put_number(j, "new_uid", e->new_uid);
		put_number(j, "new_gid", e->new_gid);
	}
	if (e->kind == KIND_FILE) {
		put_number(j, "read", e->bytes_read);
		put_number(j, "written", e->bytes_written);
		put_number(j, "open_flags", e->open_flags);
	}
	if (e->how) {
		const struct enum_info *how = enum_by_value(F_REASON, e->how);

		json_object_set_new(j, "how", json_string(how ? how->name : "?"));
		put_number(j, "from_dev", e->from_dev);
		put_number(j, "from_inode", e->from_inode);
		put_number(j, "copied", e->copied);
	}
	if (e->kind == KIND_EXIT) {
		put_number(j, "exit_code", e->exit_code);
		put_number(j, "signal", e->signal);
	}
}

static int on_event(void *ctx, struct span bytes)
{
	static const char *const strings[] = {"path", "path2", "program", "args", "cwd", "fs"};
	const struct enum_info *kind;
	struct event e;
	size_t at = sizeof(e), i;
	json_t *j;
	int r;

	(void)ctx;
	if (bytes.n < sizeof(e))
		return 0;
	memcpy(&e, bytes.p, sizeof(e));
	kind = enum_by_value(F_KIND, e.kind);
	j = json_object();
	if (!j)
		return -ENOMEM;
	json_object_set_new(j, "kind", json_string(kind ? kind->name : "?"));
	put_flags(j, e.flags);
	put_numbers(j, &e);
	put_text(j, "comm", SPAN(e.comm, strnlen(e.comm, sizeof(e.comm))));
	for (i = 0; i < ARRAY_SIZE(strings) && at + e.len[i] <= bytes.n; i++) {
		put_text(j, strings[i], SPAN(bytes.p + at, e.len[i]));
		at += e.len[i];
	}
	json_object_set_new(j, "relative", json_boolean(e.has & EH_RELATIVE));
	r = json_dumpf(j, stdout, JSON_COMPACT);
	json_decref(j);
	return r || putchar('\n') == EOF ? -EIO : 0;
}

static void print_losses(struct probe *p)
{
	uint64_t lost[PROBE_CAUSES] = {0};
	json_t *j = json_object();
	unsigned i;

	probe_lost(p, lost);
	for (i = 0; i < PROBE_CAUSES; i++) {
		const struct enum_info *cause = lost[i] ? enum_by_value(F_CAUSE, i) : NULL;

		if (cause)
			put_number(j, cause->name, lost[i]);
	}
	printf("{\"lost\":");
	json_dumpf(j, stdout, JSON_COMPACT);
	printf("}\n");
	json_decref(j);
}

static int complain(const char *what, int r)
{
	fprintf(stderr, "sekisho-load: %s: %s\n", what, r < 0 ? strerror(-r) : "not possible");
	return 3;
}

int dump(const char *below)
{
	const struct probe_filter_prefix prefix[] = {{below, 2}};
	const uint32_t self = (uint32_t)getpid();
	const struct probe_filter all = {.kinds = UINT64_MAX,
		.level_all = 0,
		.prefixes = 1,
		.prefix = prefix,
		.skip_pids = 1,
		.skip_pid = &self,
		.hold_ns = UINT64_MAX};
	const struct sigaction action = {.sa_handler = on_signal};
	_cleanup_(probe_closep) struct probe *p = NULL;
	struct why why = {""};
	unsigned rounds = 0;
	struct pollfd fd;
	int r = probe_open(&p, &why);

	if (r)
		return why.text[0] ? complain(why.text, r) : complain("opening", r);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	r = probe_filter_set(p, &all);
	if (r)
		return complain("filter", r);
	r = probe_running(p);
	fd = (struct pollfd){.fd = probe_fd(p), .events = POLLIN};
	for (;;) {
		bool last = ended;

		if (r >= 0 && (last || ++rounds % SWEEP_ROUNDS == 0))
			r = probe_sweep(p);
		if (r >= 0)
			r = probe_consume(p, on_event, NULL, 0);
		if (r < 0)
			return complain("reading", r);
		fflush(stdout);
		if (last)
			break;
		if (r)
			poll(NULL, 0, NAP_MS);
		else if (!probe_sleep(p))
			poll(&fd, 1, NAP_MS * SWEEP_ROUNDS);
	}
	print_losses(p);
	return 0;
}

/*
 * `store stats` and `store rebuild`. Rebuilding takes the store for writing, so that no collector can run meanwhile.
 */
#include "collector/store/store.h"
#include "policy/base/clock.h"
#include "policy/ctl/ctl.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#define PROGRESS_AFTER_US 2000000
#define PROGRESS_EVERY_US 250000

int command_store_stats(struct ctl *c)
{
	_cleanup_(store_closep) struct store *s = NULL;
	struct store_options o = {.dir = NULL};
	struct store_stats n;
	struct why why = {""};
	char room[PATH_MAX];
	int r;

	o.dir = store_path(c, room, sizeof(room));
	r = store_open(&o, &s, &why);
	r = r ? r : store_stats(s, &n);
	if (r)
		return complain_of(c, o.dir, r, &why);
	if (option_on(c, OPT_JSON))
		printf("{\"leaves\":%" PRIu64 ",\"indexed\":%" PRIu64 ",\"records\":%" PRIu64 ",\"hosts\":%" PRIu64
		       ",\"header_bytes\":%" PRIu64 ",\"body_bytes\":%" PRIu64 ",\"index_bytes\":%" PRIu64 "}\n",
			n.leaves, n.indexed, n.records, n.hosts, n.header_bytes, n.body_bytes, n.index_bytes);
	else
		printf(SAY(c,
			       "segments  %" PRIu64 " (%" PRIu64 " indexed)\nrecords   %" PRIu64 "\nPCs       %" PRIu64
			       "\nheaders   %" PRIu64 " bytes\nbodies    %" PRIu64 " bytes\nindex     %" PRIu64
			       " bytes\n",
			       "セグメント  %" PRIu64 " 件(索引済み %" PRIu64 " 件)\n記録        %" PRIu64
			       " 件\nPC          %" PRIu64 " 台\nヘッダー    %" PRIu64 " バイト\n本文        %" PRIu64
			       " バイト\n索引        %" PRIu64 " バイト\n"),
			n.leaves, n.indexed, n.records, n.hosts, n.header_bytes, n.body_bytes, n.index_bytes);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

struct progress {
	const struct ctl *ctl;
	int64_t began_us, shown_us;
	bool shown;
};

static void on_progress(void *ctx, uint64_t done, uint64_t of)
{
	struct progress *p = ctx;
	int64_t now = clock_boot_us();

	if (now - p->began_us < PROGRESS_AFTER_US || now - p->shown_us < PROGRESS_EVERY_US)
		return;
	p->shown_us = now;
	p->shown = true;
	fprintf(stderr, SAY(p->ctl, "\r%" PRIu64 " of %" PRIu64 " segments", "\r%" PRIu64 " / %" PRIu64 " セグメント"),
		done, of);
}

int command_store_rebuild(struct ctl *c)
{
	_cleanup_(store_closep) struct store *s = NULL;
	struct progress p = {.ctl = c, .began_us = clock_boot_us()};
	bool show = !option_on(c, OPT_QUIET) && isatty(STDERR_FILENO);
	struct store_options o = {.dir = NULL};
	struct why why = {""};
	char room[PATH_MAX];
	int r;

	o.dir = store_path(c, room, sizeof(room));
	r = store_open(&o, &s, &why);
	r = r ? r : store_rebuild(s, show ? on_progress : NULL, &p, &why);
	if (p.shown)
		fputs("\r\033[K", stderr);
	if (r == V_EXISTS)
		return complain(EXIT_PROBLEM,
			SAY(c, "%s: a collector has it open: stop it first",
				"%s: コレクターが使用中です。先に停止してください"),
			o.dir);
	return r ? complain_of(c, o.dir, r, &why) : EXIT_GOOD;
}

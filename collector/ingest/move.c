/*
 * Moving the log into another store. See move.h; the work is collector/store/move.c's.
 */
#include "collector/ingest/move.h"
#include "collector/ingest/keys.h"
#include "collector/ingest/shelf.h"
#include "collector/store/move.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define USER "sekisho-collector"
#define TELL_EVERY_US 500000
#define LOOK_AGAIN_NS 50000000 /* is the collector still there? */

struct telling {
	pid_t parent;
	int64_t told_us;
	bool level;
};

/* Whoever started us is gone where this cannot be written: 0; -EPIPE. */
static int say(json_t *o)
{
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	bool good = text && puts(text) >= 0 && !fflush(stdout);

	json_decref(o);
	return good ? 0 : -EPIPE;
}

static void on_told(void *ctx, uint64_t done, uint64_t of)
{
	struct telling *t = ctx;
	int64_t now = clock_boot_us();

	if (now - t->told_us < TELL_EVERY_US)
		return;
	t->told_us = now;
	say(json_pack("{s:I, s:I}", "done", (json_int_t)done, "of", (json_int_t)of));
}

static int on_level(void *ctx, uint64_t leaves)
{
	static const struct timespec again = {.tv_nsec = LOOK_AGAIN_NS};
	struct telling *t = ctx;
	int r = t->level ? 0 : say(json_pack("{s:I}", "level", (json_int_t)leaves));

	t->level = true;
	nanosleep(&again, NULL);
	/* Nobody is there any more who would change the settings. */
	return r ? r : getppid() != t->parent ? -ECANCELED : 0;
}

static int say_moved(const struct moved *d)
{
	_cleanup_buf_ struct buf root = BUF_INIT(64);
	int r = base64_encode(&root, SPAN(d->root.b, DIGEST_SIZE));

	return r ? r
		 : say(json_pack("{s:I, s:I, s:s, s:I}", "moved", (json_int_t)d->leaves, "bodies",
			   (json_int_t)d->bodies, "root", buf_str(&root) ? (char *)root.p : "", "held_us",
			   (json_int_t)d->held_us));
}

/* A place of the command line, as the setting is read. */
static int place_of(const char *given, char out[CONFIG_PATH_MAX], struct why *why)
{
	if (store_is_database(given))
		return (size_t)snprintf(out, CONFIG_PATH_MAX, "%s", given) >= CONFIG_PATH_MAX ? -ENAMETOOLONG : 0;
	if (given[0] != '/')
		return WHY_BOTH(why, V_BAD, "%.120s: neither a folder's whole path nor postgresql://...",
			"%.120s: フォルダーの絶対パスまたは postgresql://... を指定してください", given);
	return program_path(out, CONFIG_PATH_MAX, given);
}

static int read_seen(const struct move_order *o, struct buf notes[MOVE_SEEN_MAX], struct span *seen, struct why *why)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < o->seen_n; i++) {
		notes[i] = BUF_INIT(NOTE_SIZE_MAX);
		r = file_read(o->seen[i], &notes[i]);
		if (r || !notes[i].n)
			return WHY_BOTH(why, r ? r : V_BAD, "%.150s: no checkpoint",
				"%.150s: チェックポイントを読み取れません", o->seen[i]);
		seen[i] = buf_span(&notes[i]);
	}
	return r;
}

/* Tokens and renewals that lie in the database with the log come back where a collector on files has them. */
static int give_back(const struct config *c, struct why *why)
{
	const struct shelf shelves[] = {
		{.dir = c->tokens, .kind = SHELF_TOKENS}, {.dir = c->renewals, .kind = SHELF_RENEWALS}};
	struct store_options o = {.dir = c->store};
	struct store *s = NULL;
	int r = store_open(&o, &s, why);
	size_t i;

	for (i = 0; !r && i < ARRAY_SIZE(shelves); i++)
		r = shelf_give_back(&shelves[i], s);
	store_close(s);
	return r;
}

static int move(const struct config *c, const struct move_order *o, struct why *why)
{
	_cleanup_(keys_deinit) struct keys keys = {.ca = NULL};
	char other[CONFIG_PATH_MAX], state[CONFIG_PATH_MAX + 32];
	struct telling t = {.parent = getppid()};
	struct buf notes[MOVE_SEEN_MAX] = {{.p = NULL}};
	struct span seen[MOVE_SEEN_MAX];
	struct moved done;
	struct move m = {.as = o->backup    ? MOVE_BACKUP
			       : o->restore ? MOVE_RESTORE
					    : MOVE_OVER,
		.from = o->restore ? other : c->store,
		.to = o->restore ? c->store : other,
		.told = on_told,
		.level = on_level,
		.ctx = &t,
		.seen = seen,
		.seen_n = o->seen_n};
	int r = place_of(o->backup ? o->backup : o->restore ? o->restore : o->to, other, why);
	unsigned i;

	/* Beside the copy, where that is a database: the collector's own is of what it signed. */
	snprintf(state, sizeof(state), o->backup ? "%s/state.backup" : "%s/state", c->dir);
	/* As root yet: where they were brought from PCs. */
	r = r ? r : read_seen(o, notes, seen, why);
	r = r ? r : program_give_up_power(USER, why);
	r = r ? r : keys_load(c, &keys, why);
	m.to_state = !r && store_is_database(m.to) ? state : NULL;
	m.log_key = keys.log;
	m.origin = keys.origin;
	r = r ? r : store_move(&m, &done, why);
	if (!r && m.as == MOVE_OVER && store_is_database(m.from) && !store_is_database(m.to))
		r = give_back(c, why);
	for (i = 0; i < o->seen_n; i++)
		buf_deinit(&notes[i]);
	return r ? r : say_moved(&done);
}

int move_main(const struct config *c, const struct move_order *o)
{
	struct why why = {""};
	int r;

	umask(027);
	r = move(c, o, &why);
	if (!r)
		return EXIT_SUCCESS;
	if (!why.text[0])
		why_set(&why, r, "%s", r < 0 ? strerror(-r) : "unusable");
	log_error("not moved: %s", why.text);
	say(json_pack("{s:s, s:s}", "failed", why.text, "ja", why_ja(&why)));
	return EXIT_FAILURE;
}

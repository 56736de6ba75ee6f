/*
 * Moving the log into another store. See move.h; the work is collector/store/move.c's.
 */
#include "collector/ingest/move.h"
#include "collector/ingest/keys.h"
#include "collector/store/move.h"
#include "policy/base/clock.h"
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

static int move(const struct config *c, const char *to, struct why *why)
{
	_cleanup_(keys_deinit) struct keys keys = {.ca = NULL};
	char place[CONFIG_PATH_MAX], state[CONFIG_PATH_MAX + 32];
	struct telling t = {.parent = getppid()};
	struct moved done;
	struct move m = {.from = c->store, .to = place, .told = on_told, .level = on_level, .ctx = &t};
	bool database = store_is_database(to);
	int r = database ? (size_t)snprintf(place, sizeof(place), "%s", to) >= sizeof(place) ? -ENAMETOOLONG : 0
			 : program_path(place, sizeof(place), to);

	if (!r && !database && to[0] != '/')
		return WHY_BOTH(why, V_BAD, "%.120s: neither a folder's whole path nor postgresql://...",
			"%.120s: フォルダーの絶対パスまたは postgresql://... を指定してください", to);
	snprintf(state, sizeof(state), "%s/state", c->dir);
	r = r ? r : program_give_up_power(USER, why);
	r = r ? r : keys_load(c, &keys, why);
	m.to_state = database ? state : NULL;
	m.log_key = keys.log;
	m.origin = keys.origin;
	r = r ? r : store_move(&m, &done, why);
	return r ? r : say_moved(&done);
}

int move_main(const struct config *c, const char *to)
{
	struct why why = {""};
	int r;

	umask(027);
	r = move(c, to, &why);
	if (!r)
		return EXIT_SUCCESS;
	if (!why.text[0])
		why_set(&why, r, "%s", r < 0 ? strerror(-r) : "unusable");
	log_error("not moved: %s", why.text);
	say(json_pack("{s:s, s:s}", "failed", why.text, "ja", why_ja(&why)));
	return EXIT_FAILURE;
}

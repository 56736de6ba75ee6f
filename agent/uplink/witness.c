/*
 * The last checkpoint, its successor, and the alarm. See witness.h. Called for every answer that carries a checkpoint;
 * must never let a segment be given up for a log that does not extend what was seen.
 */
#include "agent/uplink/witness.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <fcntl.h>

#define VKEY_MAX 1024

static int at(const struct witness *w, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", w->dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int read_text(const char *path, char *out, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(size - 1);
	int r = file_read(path, &b);

	if (r)
		return r;
	if (b.n)
		memcpy(out, b.p, b.n);
	out[b.n] = 0;
	return 0;
}

static int load_last(struct witness *w)
{
	char path[PATH_MAX], aside[PATH_MAX], text[256];
	struct why why = {""};
	int r = at(w, "checkpoint", path);

	if (r)
		return r;
	r = read_text(path, w->note, sizeof(w->note));
	if (r < 0)
		return r;
	if (r == V_NOT_FOUND) {
		w->note[0] = 0;
		return 0;
	}
	if (!r)
		r = checkpoint_verify(SPAN_STR(w->note), &w->log, &w->last, &why);
	if (!r || r < 0)
		return r;
	snprintf(text, sizeof(text), "the checkpoint kept on this PC cannot be read: %.180s", why.text);
	r = witness_alarm(w, text, w->note);
	memset(&w->last, 0, sizeof(w->last));
	w->note[0] = 0;
	if (!r)
		r = at(w, "checkpoint.damaged", aside);
	if (!r && rename(path, aside))
		r = -errno;
	return r;
}

int witness_open(struct witness *w, const char *vkey_path, const char *inbox, struct why *why)
{
	char vkey[VKEY_MAX], path[PATH_MAX];
	int r;

	memset(w, 0, sizeof(*w));
	if ((size_t)snprintf(w->dir, sizeof(w->dir), "%s", inbox) >= sizeof(w->dir))
		return -ENAMETOOLONG;
	r = read_text(vkey_path, vkey, sizeof(vkey));
	if (r == V_NOT_FOUND)
		return why_set(why, r, "%s: no such file", vkey_path);
	if (r == V_FULL)
		return why_set(why, V_BAD, "%s: larger than %u bytes", vkey_path, VKEY_MAX);
	if (r)
		return r;
	r = verifier_decode(SPAN_STR(vkey), &w->log, why);
	if (r)
		return r;
	r = at(w, "evidence", path);
	if (!r)
		r = dir_make(path, 0755);
	if (!r)
		r = load_last(w);
	if (!r && !w->alarm[0] && !at(w, "alarm", path)) {
		/* An alarm of before the restart goes on until the log shows itself again. */
		char text[NOTE_SIZE_MAX * 2], *end;

		if (!read_text(path, text, sizeof(text))) {
			end = strchr(text, '\n');
			if (end)
				*end = 0;
			text_escape_to(w->alarm, sizeof(w->alarm), SPAN_STR(text));
			w->alarm_since_us = clock_wall_us();
		}
	}
	if (r)
		witness_close(w);
	return r;
}

void witness_close(struct witness *w)
{
	verifier_deinit(&w->log);
	memset(&w->log, 0, sizeof(w->log));
}

int witness_judge(const struct witness *w, const struct log_state *s, struct checkpoint *out, struct why *why)
{
	struct checkpoint c;
	struct why sub = {""};
	int r;

	if (!s->checkpoint[0]) {
		if (w->last.size)
			return why_set(why, V_DENIED, "the collector's log is empty, %llu entries were seen",
				(unsigned long long)w->last.size);
		memset(out, 0, sizeof(*out));
		return 0;
	}
	r = checkpoint_verify(SPAN_STR(s->checkpoint), &w->log, &c, &sub);
	if (r < 0)
		return r;
	if (r)
		return why_set(why, V_DENIED, "checkpoint not of the log that this PC enrolled with: %.150s", sub.text);
	if (c.size < w->last.size)
		return why_set(why, V_DENIED, "the collector's log went back: %llu entries, %llu were seen",
			(unsigned long long)c.size, (unsigned long long)w->last.size);
	if (c.size == w->last.size && c.size) {
		if (!digest_eq(&c.root, &w->last.root))
			return why_set(why, V_DENIED, "the collector's log has another root at size %llu than was seen",
				(unsigned long long)c.size);
	} else if (merkle_verify_consistency(w->last.size, &w->last.root, c.size, &c.root, &s->consistency)) {
		return why_set(why, V_DENIED,
			"the collector's log of size %llu is not proven to extend the one of size %llu",
			(unsigned long long)c.size, (unsigned long long)w->last.size);
	}
	*out = c;
	return 0;
}

int witness_keep(struct witness *w, const struct log_state *s, const struct checkpoint *c)
{
	char path[PATH_MAX];
	int r;

	if (c->size > w->last.size) {
		r = at(w, "checkpoint", path);
		if (!r)
			r = file_replace(path, SPAN_STR(s->checkpoint), 0644);
		if (r)
			return r;
		w->last = *c;
		memcpy(w->note, s->checkpoint, strlen(s->checkpoint) + 1);
	}
	return witness_calm(w);
}

static bool evidence_full(const struct witness *w)
{
	_cleanup_closedir_ DIR *d = NULL;
	char path[PATH_MAX];
	unsigned n = 0;

	if (at(w, "evidence", path))
		return true;
	d = opendir(path);
	if (!d)
		return true;
	while (readdir(d))
		n++;
	return n >= WITNESS_EVIDENCE_MAX + 2; /* "." and ".." */
}

int witness_alarm(struct witness *w, const char *reason, const char *offered)
{
	_cleanup_buf_ struct buf b = BUF_INIT(NOTE_SIZE_MAX * 3);
	char path[PATH_MAX], name[64], when[TEXT_TIME_SIZE];
	bool fresh = strcmp(w->alarm, reason) != 0;
	int r;

	if (!fresh)
		return 0;
	/* The kept checkpoint's own file is not touched: it is the evidence against the offered one. */
	if (!w->alarm[0])
		w->alarm_since_us = clock_wall_us();
	snprintf(w->alarm, sizeof(w->alarm), "%s", reason);
	w->alarms++;
	log_error("ALARM: %s; nothing is taken as acknowledged, segments stay here", reason);
	r = buf_putf(&b, "%s\n\nraised: %s\n\n== kept ==\n%s\n== offered ==\n%s", reason,
		text_time_utc(when, w->alarm_since_us), w->note, offered);
	if (!r)
		r = at(w, "alarm", path);
	if (!r)
		r = file_replace(path, buf_span(&b), 0644);
	if (r)
		return r > 0 ? -ENOBUFS : r;
	if (evidence_full(w))
		return 0;
	snprintf(name, sizeof(name), "evidence/%lld", (long long)clock_wall_us());
	r = at(w, name, path);
	return r ? r : file_replace(path, buf_span(&b), 0644);
}

int witness_calm(struct witness *w)
{
	char path[PATH_MAX];
	int r;

	if (!w->alarm[0])
		return 0;
	r = at(w, "alarm", path);
	if (r)
		return r;
	if (unlink(path) && errno != ENOENT)
		return -errno;
	log_notice("alarm over: the collector's log extends what was seen (it was: %s)", w->alarm);
	w->alarm[0] = 0;
	return 0;
}

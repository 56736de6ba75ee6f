/*
 * /run/sekisho/uplink.json, for `sekishoctl status`: how the link is, what waits, what was acknowledged, what is wrong.
 * Times are microseconds since 1970. Must never hold a path or name of a person's.
 */
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <jansson.h>

#define STATUS_EVERY_US 1000000

static json_t *time_or_null(int64_t us)
{
	return us ? json_integer(us) : json_null();
}

static json_t *one_queue(struct uplink *u, const struct queue *q)
{
	uint64_t n = 0, bytes = 0;

	(void)spool_depth(u->spool, q->producer, &n, &bytes);
	return json_pack("{s:I, s:I, s:o, s:o, s:I, s:I, s:I, s:I}", "waiting", (json_int_t)n, "waiting_bytes",
		(json_int_t)bytes, "acked_seq", q->has_acked ? json_integer((json_int_t)q->acked_seq) : json_null(),
		"acked_at", time_or_null(q->acked_wall_us), "stored", (json_int_t)q->stored, "known",
		(json_int_t)q->known, "refused", (json_int_t)q->refused, "gaps", (json_int_t)q->gaps);
}

static json_t *checkpoint(const struct uplink *u)
{
	const struct checkpoint *c = &u->witness.last;
	char root[2 * DIGEST_SIZE + 1];

	if (!c->size)
		return json_null();
	return json_pack("{s:s, s:I, s:s}", "origin", c->origin, "size", (json_int_t)c->size, "root",
		hex_encode(root, c->root.b, DIGEST_SIZE));
}

static const char *state_name(const struct uplink *u)
{
	static const char *const names[] = {
		[LINK_DOWN] = "down",
		[LINK_PROBING] = "connecting",
		[LINK_SPREAD] = "spreading",
		[LINK_UP] = "up",
		[LINK_PACED] = "paced",
	};

	return names[u->sender.state];
}

static json_t *whole(struct uplink *u)
{
	const struct sender *s = &u->sender;
	bool connected = s->state != LINK_DOWN && s->state != LINK_PROBING && !u->failed;
	int64_t now = clock_wall_us(), until = s->retry_boot_us - clock_boot_us() + now;
	bool waits = s->state == LINK_DOWN || s->state == LINK_SPREAD || s->state == LINK_PACED;
	json_auto_t *queues = json_object();
	uint64_t refused = 0;
	unsigned i;

	for (i = 0; i < PRODUCERS_MAX; i++) {
		if (!s->queues[i].producer)
			continue;
		refused += s->queues[i].refused;
		json_object_set_new(queues, producer_name(i), one_queue(u, &s->queues[i]));
	}
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:s, s:s, s:b, s:s, s:O, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, "
			 "s:o, s:I, s:I, "
			 "s:I, s:I, s:I, s:o}",
		"program", "sekisho-uplink", "tls_key",
		key_place_name(u->id.held ? key_place(u->id.held) : KEY_IN_FILE), "version", SEKISHO_VERSION, "pid",
		(int)getpid(), "at", (json_int_t)now, "collector", u->url, "host", u->id.info.cn, "connected",
		connected, "state", state_name(u), "producers", queues, "checkpoint", checkpoint(u), "alarm",
		u->witness.alarm[0] ? json_string(u->witness.alarm) : json_null(), "alarm_since",
		u->witness.alarm[0] ? time_or_null(u->witness.alarm_since_us) : json_null(), "backoff_until",
		waits ? json_integer(until) : json_null(), "last_error",
		s->last_error[0] ? json_string(s->last_error) : json_null(), "refused", (json_int_t)refused, "requests",
		(json_int_t)s->requests, "failures", (json_int_t)s->failures, "last_contact",
		time_or_null(s->last_good_wall_us), "follow_until_boot", (json_int_t)u->wait.follow_until_us, "policy",
		(json_int_t)u->wait.policy, "certificate_until", (json_int_t)u->id.info.not_after_us, "network_hints",
		(json_int_t)u->network.hints, "cosigned", (json_int_t)u->cosign.size, "clock_ahead_s",
		s->has_ahead ? json_integer(s->ahead_us / 1000000) : json_null());
}

void status_write(struct uplink *u)
{
	static struct log_limit limit = LOG_LIMIT(1);
	json_auto_t *o = whole(u);
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	int r = -1;

	u->status_boot_us = clock_boot_us();
	if (text)
		r = file_replace_volatile(u->status_path, SPAN_STR(text), 0644);
	if (r && log_allowed(&limit))
		log_warning("%s cannot be written", u->status_path);
}

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	(void)src;
	(void)usec;
	status_write(userdata);
	return 0;
}

void status_changed(struct uplink *u)
{
	int64_t next = u->status_boot_us + STATUS_EVERY_US - clock_boot_us();
	int on = 0;

	if (next <= 0) {
		status_write(u);
		return;
	}
	if (u->status_timer && sd_event_source_get_enabled(u->status_timer, &on) > 0)
		return;
	(void)uplink_arm(u, &u->status_timer, (uint64_t)next, on_timer);
}

void status_stop(struct uplink *u)
{
	sd_event_source_disable_unref(u->status_timer);
	u->sender.state = LINK_DOWN;
	u->sender.retry_boot_us = clock_boot_us();
	status_write(u);
}

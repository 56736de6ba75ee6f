/*
 * What every producer tells of its own process and PC, whatever it is there for: that the wall clock was set, and that
 * a system call of its own was refused, which none of our programs makes. Called by the sealer alone, before whatever
 * it puts and seals.
 *
 * The wall clock and the boot clock run at one pace, so what is between them changes where somebody sets one of them,
 * and where a PC wakes up, by less than two seconds. It is kept in <producer>.own/clock, so that a clock that is set
 * while the producer does not run is told at its start.
 */
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include "policy/wire/sealer_parts.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define CLOCK_FILE_MAX 256
#define CLOCK_SLACK_US 2000000ll
#define REFUSALS_EVERY_US 10000000ll /* the same process can make as many as it likes */

static int64_t clock_now(void)
{
	return clock_wall_us() - clock_boot_us();
}

/* A disk that is full has what it had: the clock is then compared with that, at the next start. */
static void clock_keep(const struct sealer *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CLOCK_FILE_MAX);
	char boot[2 * sizeof(s->boot) + 1];

	if (buf_putf(&b, "sekisho-clock 1\nboot %s\nwall-less-boot %" PRId64 "\n",
		    hex_encode(boot, s->boot, sizeof(s->boot)), s->clock_us))
		return;
	(void)file_replace_at(s->ownfd, "clock", buf_span(&b), 0640);
}

/* What was kept in this boot. False where nothing was. */
static bool clock_kept(const struct sealer *s, int64_t *out)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CLOCK_FILE_MAX);
	char boot[2 * sizeof(s->boot) + 1], was[2 * sizeof(s->boot) + 2];
	int64_t at;
	int end = 0;

	if (file_read_at(s->ownfd, "clock", &b) || !buf_str(&b) ||
		sscanf((char *)b.p, "sekisho-clock 1\nboot %33[0-9a-f]\nwall-less-boot %" SCNd64 "\n%n", was, &at,
			&end) != 2 ||
		(size_t)end != b.n || strcmp(was, hex_encode(boot, s->boot, sizeof(s->boot))) != 0)
		return false;
	*out = at;
	return true;
}

void self_begin(struct sealer *s)
{
	if (clock_kept(s, &s->clock_us))
		return;
	s->clock_us = clock_now();
	clock_keep(s);
}

static int clock_look(struct sealer *s, int (*put)(struct sealer *s, const struct record *r), bool *told)
{
	const int64_t is = clock_now(), by = is - s->clock_us;
	int64_t boot;
	struct record r;
	char text[96];
	int x;

	if (by > -CLOCK_SLACK_US && by < CLOCK_SLACK_US)
		return 0;
	boot = clock_boot_us();
	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_CLOCK_SET);
	record_set_int(&r, F_TIME, is + boot);
	record_set_int(&r, F_BOOT_TIME, boot);
	record_set_int(&r, F_TIME_BEFORE, s->clock_us + boot);
	record_set_int(&r, F_DURATION, by < 0 ? -by : by);
	snprintf(text, sizeof(text), "set %s by %" PRId64 " s", by < 0 ? "back" : "forward",
		(by < 0 ? -by : by) / 1000000);
	record_set_str(&r, F_TEXT, text);
	s->clock_us = is;
	clock_keep(s);
	*told = true;
	x = put(s, &r);
	return x > 0 ? 0 : x;
}

static int refusals_look(struct sealer *s, int (*put)(struct sealer *s, const struct record *r), bool *told)
{
	int64_t now;
	struct confine_refusal c;
	struct record r;
	int x = 0;

	if (!confine_refused())
		return 0;
	now = clock_boot_us();
	if (now < s->refusals_us)
		return 0;
	s->refusals_us = now + REFUSALS_EVERY_US;
	while (x >= 0 && !confine_refusal_take(&c)) {
		record_reset(&r);
		record_set_uint(&r, F_KIND, KIND_CALL_REFUSED);
		record_set_int(&r, F_TIME, clock_wall_us());
		record_set_int(&r, F_BOOT_TIME, now);
		record_set_uint(&r, F_PID, (uint64_t)getpid());
		record_set_str(&r, F_PROGRAM, log_name());
		record_set_str(&r, F_OPERATION, c.name);
		record_set_uint(&r, F_COUNT, c.count);
		*told = true;
		x = put(s, &r);
	}
	return x < 0 ? x : 0;
}

int self_look(struct sealer *s, int (*put)(struct sealer *s, const struct record *r), bool *told)
{
	int x = clock_look(s, put, told);

	return x ? x : refusals_look(s, put, told);
}

int64_t self_due(const struct sealer *s)
{
	return confine_refused() ? s->refusals_us : INT64_MAX;
}

/*
 * What the daemon's parts share: timers, randomness, and ending when our own machine fails.
 */
#include "agent/uplink/uplink.h"
#include "policy/base/log.h"
#include <errno.h>

#define TIMER_ACCURACY_US 20000

void uplink_fail(struct uplink *u, int r, const char *what)
{
	if (r >= 0)
		r = -EIO;
	log_error("%s: %s", what, strerror(-r));
	if (!u->failed)
		u->failed = r;
	sd_event_exit(u->event, r);
}

uint64_t uplink_random(void)
{
	uint64_t v = 0;

	(void)random_bytes(&v, sizeof(v)); /* a delay of 0 where there is none: late is better than never */
	return v;
}

int uplink_arm(struct uplink *u, sd_event_source **timer, uint64_t delay_us, sd_event_time_handler_t fn)
{
	int r;

	if (!*timer) {
		r = sd_event_add_time_relative(u->event, timer, CLOCK_BOOTTIME, delay_us, TIMER_ACCURACY_US, fn, u);
		return r < 0 ? r : 0;
	}
	r = sd_event_source_set_time_relative(*timer, delay_us);
	if (r >= 0)
		r = sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
	return r < 0 ? r : 0;
}

void uplink_disarm(sd_event_source *timer)
{
	if (timer)
		(void)sd_event_source_set_enabled(timer, SD_EVENT_OFF);
}

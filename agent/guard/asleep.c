/*
 * A PC that is put to sleep says so, and says that it woke: two records, asked for at the desk by
 * sekisho-sleep.service, so that a closed lid is told from a cut network (herald.yaml(5), `unannounced`). How long it
 * really slept is what the kernel's clocks say: one counts suspend, the other does not. Who only says that the PC
 * sleeps is told too, by the guard itself, as soon as the PC has been awake for longer than going to sleep and waking
 * take.
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include <systemd/sd-event.h>

/* Programs that are asked before, an image that is written, a battery that is looked at between two ways of sleeping.
 */
#define AWAKE_MAX_US (5ll * 60 * 1000000)

static void woke(struct guard *g)
{
	struct asleep *s = &g->asleep;
	int64_t lay = clock_boot_us() - s->boot_us, awake = clock_awake_us() - s->awake_us;

	sd_event_source_disable_unref(STEAL(s->over));
	/* Two clocks that are read one after the other. */
	tell_wake(g, lay > awake ? lay - awake : 0, awake, awake >= AWAKE_MAX_US);
	*s = (struct asleep){.said = false};
}

static int on_over(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	woke(ctx);
	return 0;
}

/* Asked again, it was said: who brings the network down before a sleep may ask before systemd does. */
bool asleep_begin(struct guard *g)
{
	struct asleep *s = &g->asleep;
	bool sealed;

	if (s->said)
		return true;
	sealed = tell_sleep(g);
	*s = (struct asleep){.said = true, .boot_us = clock_boot_us(), .awake_us = clock_awake_us()};
	/* Without memory for a timer it is said when it wakes, as ever. */
	(void)sd_event_add_time_relative(g->event, &s->over, CLOCK_MONOTONIC, AWAKE_MAX_US, 1000000, on_over, g);
	return sealed;
}

void asleep_end(struct guard *g)
{
	if (g->asleep.said)
		woke(g);
	else
		tell_wake(g, -1, 0, false);
}

void asleep_close(struct guard *g)
{
	sd_event_source_disable_unref(STEAL(g->asleep.over));
}

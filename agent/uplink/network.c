/*
 * Hints from the PC's surroundings. See network.h. Called by the loop alone.
 *
 * A hint never costs more than one attempt in NETWORK_GAP_US, and none where the collector itself asked for a pause.
 * Where the link is up it is left alone, unless its own address is gone or the PC has slept: only then is a connection
 * known to be worth nothing before the kernel finds out.
 */
#include "agent/uplink/network.h"
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define GROUPS (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)
#define NAMES_WATCHED (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR)
#define FAR_AWAY_S (100ll * 365 * 86400)

static int64_t asleep_us(void)
{
	return clock_boot_us() - clock_awake_us();
}

static int on_settled(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct uplink *u = userdata;
	struct network *n = &u->network;
	int64_t now = clock_boot_us();
	bool slept = n->slept;

	(void)src;
	(void)usec;
	n->slept = false;
	if (slept || !http_address_is_ours(u->http, HTTP_WAIT)) {
		n->tried_us = now;
		sender_again(u, slept ? "this PC slept" : "this PC has another address");
	} else if (u->sender.state == LINK_DOWN || u->sender.state == LINK_PROBING) {
		n->tried_us = now;
		sender_again(u, NULL);
	}
	return 0;
}

static void hint(struct uplink *u)
{
	struct network *n = &u->network;
	int64_t now = clock_boot_us(),
		wait = (int64_t)(NETWORK_SETTLE_US + backoff_jitter(NETWORK_SPREAD_US, uplink_random()));
	int on = 0, r;

	n->hints++;
	/* One is on its way already: it will see this too. */
	if (n->timer && sd_event_source_get_enabled(n->timer, &on) > 0)
		return;
	if (n->tried_us && n->tried_us + NETWORK_GAP_US - now > wait)
		wait = n->tried_us + NETWORK_GAP_US - now;
	r = uplink_arm(u, &n->timer, (uint64_t)wait, on_settled);
	if (r < 0)
		uplink_fail(u, r, "timer");
}

/* --- addresses, routes, carriers --- */

/* What changed is not looked at: whether it matters, an attempt tells. Also where some of it was lost (ENOBUFS). */
static int on_change(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	char rest[8192];

	(void)src;
	(void)revents;
	while (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0 || errno == EINTR || errno == ENOBUFS)
		errno = 0;
	hint(userdata);
	return 0;
}

static int watch_changes(struct uplink *u)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = GROUPS};
	struct network *n = &u->network;

	n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (n->fd < 0 || bind(n->fd, (struct sockaddr *)&local, sizeof(local)))
		return -errno;
	return sd_event_add_io(u->event, &n->changes, n->fd, EPOLLIN, on_change, u);
}

/* --- name servers --- */

static int on_names(sd_event_source *src, const struct inotify_event *e, void *userdata)
{
	const char *name = NULL;

	if (sd_event_source_get_description(src, &name) >= 0 && e->len && !strcmp(e->name, name))
		hint(userdata);
	return 0;
}

static int watch_file(struct uplink *u, const char *path, sd_event_source **out)
{
	char dir[PATH_MAX];
	char *slash;
	int r;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	*slash = 0;
	r = sd_event_add_inotify(u->event, out, dir[0] ? dir : "/", NAMES_WATCHED, on_names, u);
	return r < 0 ? r : sd_event_source_set_description(*out, slash + 1);
}

/* The file, and where it is a link, what it leads to. */
static int watch_names(struct uplink *u)
{
	char real[PATH_MAX];
	int r = watch_file(u, RESOLV_CONF, &u->network.names);

	if (r >= 0 && realpath(RESOLV_CONF, real) && strcmp(real, RESOLV_CONF))
		r = watch_file(u, real, &u->network.names_real);
	return r;
}

/* --- waking up --- */

static int arm_clock(struct network *n)
{
	struct itimerspec never = {.it_value.tv_sec = (time_t)(clock_wall_us() / 1000000 + FAR_AWAY_S)};

	return timerfd_settime(n->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) ? -errno : 0;
}

/* The wall clock was set, by somebody or by waking up: the timer was cancelled. A certificate may be valid now. */
static int on_clock_set(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct uplink *u = userdata;
	struct network *n = &u->network;
	int64_t asleep = asleep_us();
	uint64_t rest;

	(void)src;
	(void)revents;
	if (read(fd, &rest, sizeof(rest)) < 0 && errno != ECANCELED && errno != EAGAIN)
		return -errno;
	n->slept |= asleep - n->asleep_us > NETWORK_ASLEEP_US;
	n->asleep_us = asleep;
	hint(u);
	return arm_clock(n);
}

static int watch_clock(struct uplink *u)
{
	struct network *n = &u->network;
	int r;

	n->asleep_us = asleep_us();
	n->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (n->clock_fd < 0)
		return -errno;
	r = arm_clock(n);
	return r ? r : sd_event_add_io(u->event, &n->clock_set, n->clock_fd, EPOLLIN, on_clock_set, u);
}

int network_start(struct uplink *u)
{
	static const struct {
		int (*start)(struct uplink *u);
		const char *what;
	} watches[] = {{watch_changes, "addresses and routes"}, {watch_names, RESOLV_CONF}, {watch_clock, "the clock"}};
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		r = watches[i].start(u);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			log_warning("%s cannot be watched: %s; the collector is found again by the usual pauses",
				watches[i].what, strerror(-r));
	}
	return 0;
}

void network_stop(struct uplink *u)
{
	struct network *n = &u->network;

	sd_event_source_disable_unref(n->changes);
	sd_event_source_disable_unref(n->names);
	sd_event_source_disable_unref(n->names_real);
	sd_event_source_disable_unref(n->clock_set);
	sd_event_source_disable_unref(n->timer);
	closep(&n->fd);
	closep(&n->clock_fd);
}

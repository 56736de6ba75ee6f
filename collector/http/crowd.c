/*
 * Room for those who are known. Anybody may connect, and nothing obliges them to say anything: whoever opens as many
 * connections as there may be, and leaves them idle, would keep everybody out. So strangers have a share of the
 * connections only. Beyond it, and where all are taken, one of theirs is ended for each that comes: of the network that
 * has the most of them, the one that has done nothing for the longest time.
 *
 * There is no fixed number for an address: an office behind one has a thousand PCs, which are strangers until their
 * handshake is done.
 */
#include "collector/http/conn.h"
#include "policy/base/clock.h"
#include <netinet/in.h>

#define SHARE(n) ((n) - (n) / 4) /* of the connections */
#define SLOW_WRITE_US 10000000   /* an answer that is not taken within this, while others wait */
#define NETWORKS 1024u           /* counters; two networks in one count as one */

/* What one network user has: an IPv4 address, the first 64 bits of an IPv6 one. */
static uint64_t network_of(struct conn *c)
{
	struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&sa;
	socklen_t len = sizeof(sa);
	evutil_socket_t fd = bufferevent_getfd(c->bev);
	uint64_t v = 0;

	if (c->network || fd < 0 || getpeername(fd, (struct sockaddr *)&sa, &len))
		return c->network;
	if (sa.ss_family == AF_INET)
		v = ((const struct sockaddr_in *)&sa)->sin_addr.s_addr;
	else if (sa.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		memcpy(&v, six->sin6_addr.s6_addr + 12, 4);
	else if (sa.ss_family == AF_INET6)
		memcpy(&v, six->sin6_addr.s6_addr, 8);
	c->network = v ? v : 1;
	return c->network;
}

static unsigned counter_of(struct conn *c)
{
	return (unsigned)((network_of(c) * 0x9e3779b97f4a7c15ull) >> 54);
}

/* May it be ended? A handshake has half of its time, an answer is given some. */
static bool is_idle(const struct conn *c, int64_t now)
{
	int64_t age = now - c->since_us;

	switch (c->phase) {
	case PHASE_IDLE:
		return true;
	case PHASE_READING:
		return age > (int64_t)c->server->o.head_us / 2;
	case PHASE_WRITING:
		return age > SLOW_WRITE_US;
	case PHASE_HANDLING:
		break;
	}
	return false;
}

void crowd_thin(struct server *s)
{
	unsigned n[NETWORKS] = {0}, ending = 0;
	int64_t now = clock_boot_us();
	struct conn *c, *first = NULL;

	if (s->stopping || (s->conns_n < s->o.connections && s->strangers_n <= SHARE(s->o.connections)))
		return;
	TAILQ_FOREACH(c, &s->conns, link)
	{
		ending += c->ended;
		if (!c->known && !c->ended)
			n[counter_of(c)]++;
	}
	/* Room is being made already. */
	if (ending && s->conns_n - ending < s->o.connections && s->strangers_n - ending <= SHARE(s->o.connections))
		return;
	TAILQ_FOREACH(c, &s->conns, link)
	{
		if (c->known || c->ended || !is_idle(c, now))
			continue;
		if (!first || n[counter_of(c)] > n[counter_of(first)] ||
			(n[counter_of(c)] == n[counter_of(first)] && c->since_us < first->since_us))
			first = c;
	}
	if (!first)
		return;
	s->count.killed_crowd++;
	conn_end(first);
}

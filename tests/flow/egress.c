/*
 * The way to printers from the command line, for flows: what the print daemon does with it, by the same calls
 * (agent/probe/egress.h). Not shipped.
 */
#include "agent/probe/egress.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: egress load | unload | off | note | refuse | events SECONDS | port N | local N | unit NAME\n";

static int said(int r, const struct why *why)
{
	if (r)
		fprintf(stderr, "egress: %d %s %s\n", r, r < 0 ? strerror(-r) : "", why->text);
	return r < 0 ? 100 : r;
}

static int print_event(void *ctx, const struct egress_event *e)
{
	char address[INET6_ADDRSTRLEN];

	(void)ctx;
	inet_ntop(e->family, e->address, address, sizeof(address));
	printf("%s pid=%u uid=%u comm=%s %s %u\n", e->refused ? "refused" : "noted", e->pid, e->uid, e->comm, address,
		e->port);
	return 0;
}

/* Until nothing more comes within the time. */
static int events(struct egress *e, int seconds)
{
	struct pollfd p = {.fd = egress_fd(e), .events = POLLIN};
	uint64_t lost = 0;
	int r = egress_hear(e, print_event, NULL, &lost);

	while (!r && poll(&p, 1, seconds * 1000) > 0)
		r = egress_hear(e, print_event, NULL, &lost);
	if (lost)
		printf("lost %" PRIu64 "\n", lost);
	return r;
}

static int set(struct egress *e, const char *what, const char *value)
{
	struct egress_control c;
	int r = egress_get(e, &c);

	if (r)
		return r;
	if (strcmp(what, "off") == 0)
		c.mode = EGRESS_OFF;
	else if (strcmp(what, "note") == 0)
		c.mode = EGRESS_NOTE;
	else if (strcmp(what, "refuse") == 0)
		c.mode = EGRESS_REFUSE;
	else if (value && strcmp(what, "unit") == 0)
		r = egress_add_unit(&c, value);
	else if (value && (strcmp(what, "port") == 0 || strcmp(what, "local") == 0))
		r = egress_add_range(
			&c, (unsigned)strtoul(value, NULL, 10), (unsigned)strtoul(value, NULL, 10), what[0] == 'l');
	else
		return V_BAD;
	return r ? r : egress_set(e, &c);
}

int main(int argc, char **argv)
{
	_cleanup_(egress_closep) struct egress *e = NULL;
	struct why why = {""};
	int r;

	if (argc < 2) {
		fputs(usage, stderr);
		return 100;
	}
	if (strcmp(argv[1], "load") == 0)
		return said(egress_load(&why), &why);
	if (strcmp(argv[1], "unload") == 0)
		return said(egress_unload(), &why);
	r = egress_open(&e, &why);
	if (r)
		return said(r, &why);
	if (argc == 3 && strcmp(argv[1], "events") == 0)
		return said(events(e, (int)strtol(argv[2], NULL, 10)), &why);
	return said(set(e, argv[1], argc > 2 ? argv[2] : NULL), &why);
}

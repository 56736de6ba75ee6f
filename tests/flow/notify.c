/*
 * Shows what the guard shows to a person: each of its notices for one device, twice (the second time nothing may come).
 *
 *   notify UID          as root: the children become UID and speak on <SEKISHO_ROOT>/run/user/UID/bus
 *   notify UID later    one of a file in a cloud folder, for each line of standard input; answers each with one
 *
 * The device's name is hostile: markup, control characters, bytes that are not UTF-8.
 */
#include "agent/guard/notify.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static const struct {
	const char *name;
	enum notice what;
	enum policy_because because;
} notices[] = {
	{"rule:a", NOTICE_READ_ONLY, BECAUSE_DEFAULT},
	{"rule:b", NOTICE_DENIED, BECAUSE_RULE},
	{"rule:c", NOTICE_WITHDRAWN, BECAUSE_RULE},
	{"ledger:2", NOTICE_APPROVED, BECAUSE_ROW},
	{"", NOTICE_TWIN, BECAUSE_TWIN},
	{"release:01", NOTICE_RELEASED, BECAUSE_RELEASE},
	{"release:01", NOTICE_RELEASE_END, BECAUSE_DEFAULT},
};

/* Until no child is left, without taking their answers away. */
static void said(struct notify *n)
{
	siginfo_t one;

	while (waitid(P_ALL, 0, &one, WEXITED | WNOWAIT) == 0)
		notify_reap(n);
}

static int later(struct notify *n, uint32_t uid)
{
	const struct document_decision written = {.rule = "numbers"};
	char line[16];

	while (fgets(line, sizeof(line), stdin)) {
		notify_cloud(n, "/home/taro/Cloud/list.csv", &written, uid);
		said(n);
		puts("done");
		fflush(stdout);
	}
	notify_free(n);
	return 0;
}

int main(int argc, char **argv)
{
	struct device d = {.usb = true, .vendor = 0x0951, .product = 0x1666, .serial = "S&1", .port = "1-1"};
	struct notify *n = NULL;
	unsigned i, again;
	sigset_t all;

	if (argc < 2 || argc > 3 || notify_new(&n))
		return 2;
	/* As in the guard, whose loop takes them as events. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (argc == 3)
		return later(n, (uint32_t)strtoul(argv[1], NULL, 10));
	snprintf(d.product_name, sizeof(d.product_name), "%s", "<b>Bold</b>\033[2J\xff");
	for (i = 0; i < sizeof(notices) / sizeof(notices[0]); i++) {
		struct decision why = {.because = notices[i].because, .until_us = 1795428000000000};

		snprintf(why.rule, sizeof(why.rule), "%s", notices[i].name);
		for (again = 0; again < 2; again++)
			notify_show(n, notices[i].what, &d, &why, (uint32_t)strtoul(argv[1], NULL, 10));
		said(n);
	}
	notify_free(n);
	return 0;
}

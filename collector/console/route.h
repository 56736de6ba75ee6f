/*
 * The table of operations, for route.c and the tests that hold it against openapi.yaml.
 */
#ifndef SEKISHO_CONSOLE_ROUTE_H
#define SEKISHO_CONSOLE_ROUTE_H

#include "collector/console/console.h"

enum {
	ROUTE_OPEN = 1 << 0,  /* without a session */
	ROUTE_EARLY = 1 << 1, /* also before password and second factor are set */
};

struct route {
	enum ask_method method;
	const char *path; /* {} stands for one part */
	unsigned roles;   /* ROLE_*: any of them */
	unsigned flags;
	void (*fn)(struct call *x);
};

/* Ends with a NULL path. */
extern const struct route routes[];

/*
 * May the account read records, by the table? For answers that say more to those who may than to others; which PCs, its
 * scope says.
 */
bool route_reads(const struct account *a);

/* Is it this path? What stands for {} goes to `id`. */
bool route_matches(const char *pattern, const char *path, char *id, size_t size);

#endif

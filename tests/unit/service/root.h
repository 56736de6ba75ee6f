/* A root of the tests' own (SEKISHO_ROOT) with a /run/sekisho, for tests of what is said by sockets there: setup and
 * teardown of a group. */
#ifndef SEKISHO_TEST_SERVICE_ROOT_H
#define SEKISHO_TEST_SERVICE_ROOT_H

#include "policy/base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char place[] = "/tmp/sekisho-service-XXXXXX";

static int setup(void **state)
{
	char run[64];

	(void)state;
	if (!mkdtemp(place) || setenv("SEKISHO_ROOT", place, 1))
		return -1;
	snprintf(run, sizeof(run), "%s/run/sekisho", place);
	return dir_make(run, 0755);
}

static int teardown(void **state)
{
	char run[64];

	(void)state;
	snprintf(run, sizeof(run), "%s/run/sekisho", place);
	rmdir(run);
	snprintf(run, sizeof(run), "%s/run", place);
	rmdir(run);
	return rmdir(place);
}

#endif

/*
 * Files in a folder of the test's own, and commands of others (openssl, data/oracle) run on them. Each test program
 * includes it once; outside_end removes the folder.
 */
#ifndef SEKISHO_TESTS_TRUST_OUTSIDE_H
#define SEKISHO_TESTS_TRUST_OUTSIDE_H

#include "policy/base/file.h"
#include "tests/unit/cm.h"

#define ORACLE TEST_DATA "/oracle"

static char outside_dir[] = "/tmp/sekisho-trust-XXXXXX";

static inline void outside_begin(void)
{
	assert_non_null(mkdtemp(outside_dir));
}

/* A name in the folder; good until the eighth call after it. */
static inline const char *outside(const char *name)
{
	static char path[8][128];
	static unsigned i;

	i = (i + 1) % ARRAY_SIZE(path);
	snprintf(path[i], sizeof(path[i]), "%s/%s", outside_dir, name);
	return path[i];
}

static inline void outside_put(const char *name, struct span s)
{
	assert_int_equal(file_replace_volatile(outside(name), s, 0600), 0);
}

static inline void outside_get(const char *name, struct buf *out)
{
	buf_clear(out);
	assert_int_equal(file_read(outside(name), out), 0);
}

/* Runs a command line in the folder. Its exit status; -1 where it did not end by itself. */
static inline int outside_run(const char *command)
{
	char line[1024];
	int status;

	assert_true((size_t)snprintf(line, sizeof(line), "cd '%s' && { %s; } >out 2>err", outside_dir, command) <
		    sizeof(line));
	status = system(line);
	return status >= 0 && (status & 0x7f) == 0 ? status >> 8 : -1;
}

static inline void outside_end(void)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -rf '%s'", outside_dir);
	assert_int_equal(system(line), 0);
}

#endif

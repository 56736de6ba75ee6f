/*
 * Configuration files of our daemons: lines of `key = value`, `#` comments, no sections. Unknown keys, doubled keys and
 * bad values are refused with the file, the line and the column. A table names what there is: it is also the manual's
 * source.
 */
#ifndef SEKISHO_BASE_CONF_H
#define SEKISHO_BASE_CONF_H

#include "policy/base/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_STR,  /* char[]: `size` is its room; longer values are refused */
	CONF_UINT, /* uint64_t, decimal, within min..max */
	CONF_SIZE, /* uint64_t bytes: 512K, 64M, 2G, or plain bytes, within min..max */
	CONF_TIME, /* uint64_t microseconds: 500ms, 15s, 20m, 24h, 90d, within min..max (microseconds) */
	CONF_BOOL, /* bool: yes or no */
	/* uint64_t months: "36 months", "7y", "7 years", within min..max; or "forever", which is CONF_FOREVER */
	CONF_MONTHS,
};

#define CONF_FOREVER UINT64_MAX

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset; /* within the structure that is filled */
	size_t size;   /* CONF_STR only */
	uint64_t min, max;
	const char *help; /* one line */
};

/* A row: the key that fills `field` of the structure `of`. */
#define CONF_KEY(of, name, type, field, size, min, max, help)         \
	{                                                             \
		name, type, offsetof(of, field), size, min, max, help \
	}

/*
 * Fills `into` from `path`; keys that are not in the file keep what `into` had (so put the defaults there first). The
 * table ends with a NULL name. 0; V_NOT_FOUND without a file; V_BAD with "path:line:column: reason", the column of the
 * key or of its value, in bytes from 1; -errno. On V_BAD `into` may hold part of the file: fill a copy where that
 * matters.
 */
int conf_load(const char *path, const struct conf_key *keys, void *into, struct why *why);
/*
 * The value that `key` has in a file whose other keys are another program's matter: nothing else of it is judged. 0;
 * V_NOT_FOUND without the file or the key; V_BAD where it is no such file, or the value has no room in `size`; -errno.
 */
int conf_find(const char *path, const char *key, char *out, size_t size);

#endif

/*
 * Configuration files of our daemons: lines of `key = value`, `#` comments, and `[section]` where several programs
 * share a file. Unknown keys, doubled keys and bad values are refused with the file, the line and the column, and so
 * are sections that there are not, or that come twice: by every reader, since below a wrong header one's own keys would
 * be taken for another's. A table names what there is: it is also the manual's source.
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
#define CONF_KEYS_MAX 64
#define CONF_SECTIONS_MAX 16

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

/* The part of a file that is read. */
struct conf_part {
	/* All sections that the file may have, ended by NULL: what stands before any header is of the first. */
	const char *const *all;
	const char *section; /* one of these */
	/* The file is one that somebody named for this program: where it has no header at all, all of it is this part.
	 */
	bool own;
};

/* Where keys of a table were given, so that those of two files can be held against each other. Zeroed to begin with. */
struct conf_given {
	const char *path[CONF_KEYS_MAX]; /* NULL: not given; of the callers */
	unsigned line[CONF_KEYS_MAX];
};

/*
 * Fills `into` from `path`; keys that are not in the file keep what `into` had (so put the defaults there first). The
 * table ends with a NULL name and has at most CONF_KEYS_MAX rows. 0; V_NOT_FOUND without a file; V_BAD with
 * "path:line:column: reason", the column of the key or of its value, in bytes from 1; -errno. On V_BAD `into` may hold
 * part of the file: fill a copy where that matters. A header is refused.
 */
int conf_load(const char *path, const struct conf_key *keys, void *into, struct why *why);
/*
 * The same of one part of a file; what the others say is not judged. `given` (may be NULL): what it has already is
 * refused, naming both places; what is taken is added.
 */
int conf_load_part(const char *path, const struct conf_part *part, const struct conf_key *keys, void *into,
	struct conf_given *given, struct why *why);
/*
 * The value that `key` has in a file, or in a part of one (NULL: in a file without sections), whose other keys are
 * another program's matter: nothing else of it is judged but the headers before it. 0; V_NOT_FOUND without the file or
 * the key; V_BAD, said as by conf_load(), where it is no such file, a header is wrong, or the value has no room in
 * `size`; -errno.
 */
int conf_find(const char *path, const struct conf_part *part, const char *key, char *out, size_t size, struct why *why);
/*
 * Does the header of a section stand in the line that `line` begins with, and (*this_one, set then only) is it of
 * `section`? For who changes a file's text, or asks what is in it; what it may not say is for the others to refuse.
 */
bool conf_is_header(const char *line, const char *section, bool *this_one);

#endif

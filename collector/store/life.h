/*
 * The life of a file, by its path, its number or its hash: what it was called before and after, what it was made from
 * and what was made from it are followed from record to record (rename, link, copy), each name only for the time in
 * which it was this file. Asked by `sekishoctl trail` and by the console, each with its own way to ask the store.
 *
 * Ancestors are followed to theirs, and copies to theirs; what else was made of an ancestor is another file's life.
 */
#ifndef SEKISHO_STORE_LIFE_H
#define SEKISHO_STORE_LIFE_H

#include "collector/store/store.h"

#define LIFE_NAMES_MAX 256u
#define LIFE_DEVICE_SIZE 32u

/* What is asked for. */
struct life_of {
	const char *path;              /* borrowed; or */
	char device[LIFE_DEVICE_SIZE]; /* "8:1", with */
	uint64_t inode;
	struct digest hash; /* else */
};
/* "8:1/1234", or 64 digits of a SHA-256, or a path from the root on. False where it is none of these. */
bool life_read(const char *what, struct life_of *out);

struct life_ways {
	/*
	 * A question to the store: store_query, or what stands before it. `first`: by which names the file is to be
	 * found, where it is asked for by its number over every record that there is; at most half of what may be
	 * looked at is for that, or nothing is left for the names. 0, also where `fn` ended it; V_END: there is more
	 * than may be looked at, and the life is cut; nothing more shall be asked, but behind the first question what
	 * it found is; other verdicts and -errno end it.
	 */
	int (*query)(
		void *ctx, const struct store_filter *f, bool first, store_row_fn fn, void *fn_ctx, struct why *why);
	/* Makes of a record what is shown of it. 0; V_FULL: no more of them is taken, and the life is cut; -errno. */
	int (*make)(void *ctx, const struct store_row *row, void **item);
	void (*drop)(void *item);
	void *ctx;
	size_t rows_max; /* as often as they are met: a rename may be by both of its names */
};

struct life_row {
	int64_t time_us;
	uint64_t row;
	void *item; /* of `make` */
};

struct life;
/*
 * `f`: host and time that are asked for (else as zero). `of` and `ways` are copied. Rows come by time, each once. 0;
 * V_BAD, V_FULL, verdicts and errors of `query`; -ENOMEM.
 */
int life_gather(const struct life_of *of, const struct store_filter *f, const struct life_ways *ways, struct life **out,
	struct why *why);
const struct life_row *life_rows(const struct life *l, size_t *n);
/*
 * For `make`: what is shown of a record as a string of its own (free), from what was written. 0; V_FULL where the
 * buffer's bound has no room for the string's end; -ENOMEM.
 */
int life_item(struct buf *text, void **item);
/* There are more names or records than are followed. */
bool life_is_cut(const struct life *l);
void life_free(struct life *l);
DEFINE_CLEANUP(struct life *, life_free)

#endif

/*
 * The filter's prefixes as the kernel's table has them: whole components ("P/" for what lies below P, "P" with its NUL
 * for P itself), and a mark at each folder in which something is named, so that the kernel does not take what it
 * remembers of the folder for what the filter says of each name in it.
 */
#ifndef SEKISHO_PROBE_PREFIXES_H
#define SEKISHO_PROBE_PREFIXES_H

#include "agent/probe/probe.h"

struct prefix {
	struct probe_prefix key;
	uint32_t value; /* PROBE_LEVEL_* */
	bool own;       /* one that the filter names, not a folder that is there for its mark */
};

struct prefixes {
	unsigned n;
	struct prefix at[PROBE_PREFIXES_MAX];
};

/* 0; V_FULL where they do not fit, or one is too long. */
int prefixes_make(struct prefixes *all, const struct probe_filter *f);
/* NULL where it is not among them. */
struct prefix *prefixes_find(struct prefixes *all, const struct probe_prefix *key);

#endif

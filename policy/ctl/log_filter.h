/*
 * What `log` and `export` are asked for, made into the store's filter. See ctl.h.
 */
#ifndef SEKISHO_CTL_LOG_FILTER_H
#define SEKISHO_CTL_LOG_FILTER_H

#include "collector/store/fact.h"
#include "collector/store/store.h"
#include "policy/ctl/ctl.h"

/* Fills `f` from the options that were given; its strings are borrowed. EXIT_GOOD; EXIT_USAGE, said. */
int log_filter(const struct ctl *c, int64_t now_us, struct store_filter *f);
/* What was given as --fact, into `facts` of FACTS_MAX, which borrow of the command line. EXIT_GOOD; EXIT_USAGE, said.
 */
int log_facts(const struct ctl *c, struct fact *facts, unsigned *n);
/* The columns of a CSV: those of --fields, or all that there are; ends with 0. EXIT_GOOD; EXIT_USAGE, said. */
int log_fields(const struct ctl *c, unsigned fields[FIELD_MAX + 1]);
/*
 * The store of --store, opened for reading, for a search whose --host somebody knows. EXIT_GOOD; else said, and *out is
 * NULL.
 */
int store_to_search(const struct ctl *c, struct store **out);
/* Where --host was given: does anybody know that PC? EXIT_GOOD; EXIT_PROBLEM, said. */
int host_is_there(const struct ctl *c, struct store *s);

#endif

/*
 * Reports on the collector: what report.c (one that was asked for) and report_due.c (those that are made when a month
 * is over) share.
 */
#ifndef SEKISHO_CTL_REPORT_H
#define SEKISHO_CTL_REPORT_H

#include "collector/report/report.h"
#include "policy/ctl/ctl.h"
#include <limits.h>

struct reporting {
	struct ctl *c;
	struct report_settings settings;
	struct store *store;
	struct verifier log;
	bool has_log;
	char store_dir[PATH_MAX], policies[PATH_MAX], admins[PATH_MAX];
};

/* Opens the store and what lies beside it. EXIT_*. */
int reporting_open(struct ctl *c, struct reporting *g);
void reporting_close(struct reporting *g);
/* Reads a period; shows how far it is on a terminal. EXIT_*; the report is the caller's. */
int reporting_make(struct reporting *g, const struct report_options *o, struct report **out);
/* The options that are the same for all. */
struct report_options reporting_options(const struct reporting *g);
/* The paper's bytes. EXIT_*. */
int reporting_paper(struct reporting *g, const struct report *r, struct buf *out);
/*
 * Tells the console, whose access log has it: what was made (`what`), and its hash. Without that nothing is handed out.
 * EXIT_*.
 */
int reporting_tell(struct reporting *g, const char *what, const char *name, struct span bytes);

#define REPORT_PDF_MAX (64u << 20)

/* `report --scheduled`. EXIT_*. */
int report_scheduled(struct reporting *g);

#endif

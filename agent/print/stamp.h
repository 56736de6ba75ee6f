/*
 * The gate's wrapper stamps pages: a line with user, time, PC and job at the foot of each. Used by backend.c, in the
 * place of a filter and on queues without filters.
 *
 * PDF, which is what filters make of nearly everything, is stamped by qpdf(1), rasters by stamp_raster.c; whatever else
 * comes is said not to be.
 */
#ifndef SEKISHO_PRINT_STAMP_H
#define SEKISHO_PRINT_STAMP_H

#include "agent/print/ask.h"

/*
 * As a filter of a job: asks the daemon whether the pages are to be stamped, does it, tells how it went, and becomes
 * the real filter, which reads the stamped document. Returns only where the real filter cannot be run: the exit code.
 */
int stamp_filter(const struct place *at, int argc, char **argv);

/*
 * A backend's arguments from the sixth on, files: each is replaced by a stamped one. 0; V_BAD where one is neither PDF
 * nor raster, or cannot be stamped: then all stay as they are; -errno.
 */
int stamp_arguments(char **argv, const char *text);
/* Tells the daemon how it went: the verdict of stamp_arguments. 0, -errno. */
int stamp_tell(int gate, int result);

#endif

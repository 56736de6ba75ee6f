/*
 * Between the filter of system calls (confine.c) and what hears of what it refuses (confine_refused.c). Nobody else
 * includes this.
 */
#ifndef SEKISHO_BASE_CONFINE_PARTS_H
#define SEKISHO_BASE_CONFINE_PARTS_H

#include "policy/base/confine.h"

/* What libseccomp is to do with a call that no rule allows (SCMP_ACT_*). */
uint32_t confine_refuse(void);
/* Before the filter is loaded: the names, and the handler. 0, -errno. */
int confine_hear(void);

#endif

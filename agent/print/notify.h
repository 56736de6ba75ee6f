/*
 * What the print daemon says to the person whose job was stopped, or is told of. Called by judge.c, behind the answer;
 * never waits (see agent/notice). A title is from outside: it is cut and escaped.
 */
#ifndef SEKISHO_PRINT_NOTIFY_H
#define SEKISHO_PRINT_NOTIFY_H

#include "agent/notice/notices.h"
#include "policy/rule/print.h"

/* `action`: ACTION_HOLD, _DENY or _ALERT. `uid` UINT32_MAX: nobody is there, and nothing is shown. */
void notify_show(
	struct notices *n, unsigned action, const char *title, const struct document_decision *why, uint32_t uid);

/* The texts, for tests: `lang` is "ja..." or anything else. 0, V_FULL, -ENOMEM. */
int notify_text(unsigned action, const char *lang, const char *title, const struct document_decision *why,
	struct buf *summary, struct buf *body);

#endif

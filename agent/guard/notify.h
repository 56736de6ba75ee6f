/*
 * Tells the person at the PC, on the desktop and in their language, what was held and what to do: once per cause, until
 * the device is unplugged. Called by judge.c; never waits: a child that became that person speaks to the desktop
 * (org.freedesktop.Notifications 1.2), with a bounded time. Where it could not say it (nobody is signed in, no program
 * shows notifications) the cause does not count as told: it may be told again after a minute.
 *
 * Nothing that a device says of itself is trusted on its way: it is cut, made UTF-8 and escaped as the body's markup.
 */
#ifndef SEKISHO_GUARD_NOTIFY_H
#define SEKISHO_GUARD_NOTIFY_H

#include "policy/rule/drives.h"

#define NOTIFY_CAUSES_MAX 128u             /* remembered; then the oldest may be told again */
#define NOTIFY_CLOUD_US (3600ll * 1000000) /* so long the same is not said again of a cloud folder */

enum notice {
	NOTICE_READ_ONLY, /* a drive may be read, not written */
	NOTICE_DENIED,
	NOTICE_WITHDRAWN, /* it was more until now */
	NOTICE_APPROVED,
	NOTICE_TWIN,                     /* another device with the same serial number is there */
	NOTICE_RELEASED,                 /* by a code, until a time */
	NOTICE_RELEASE_END,              /* that time is over */
	NOTICE_WRITTEN,                  /* what was written to it is something that the policy alerts of */
	NOTICE_SEALED,                   /* ... and was made unreadable */
	NOTICE_OPENED,                   /* what was made unreadable can be read again */
	NOTICE_NOT_OPENED,               /* ... and could not be made so */
	NOTICE_ASKED,                    /* the person is to say why it was written */
	NOTICE_DEVICES,                  /* so many of those above */
	NOTICE_REFUSED = NOTICE_DEVICES, /* a protected file was refused */
	NOTICE_PURPOSE,                  /* ... until a purpose is stated */
	NOTICE_CLOUD,                    /* what came into a cloud folder is something that the policy alerts of */
};

struct notify;

int notify_new(struct notify **out);
void notify_free(struct notify *n);

/* `d` may be borrowed from anywhere; `why` may be NULL; `uid` UINT32_MAX: nobody is there, and nothing is shown. */
void notify_show(struct notify *n, enum notice what, const struct device *d, const struct decision *why, uint32_t uid);
/* Of a file that was written to it (NOTICE_WRITTEN and those behind it), once per rule: with what the administrator has
 * to say. `why` may be NULL. */
void notify_written(struct notify *n, enum notice what, const struct device *d, const struct decision *why,
	const struct document_decision *written, uint32_t uid);
/* Of a protected file (NOTICE_REFUSED, _PURPOSE), each time; `area` is its area's name. */
void notify_area(struct notify *n, enum notice what, const char *area, uint32_t uid);
/* Of a file that came into a cloud folder (NOTICE_CLOUD), for each person and rule once within NOTIFY_CLOUD_US. */
void notify_cloud(struct notify *n, const char *path, const struct document_decision *written, uint32_t uid);
/* The device was unplugged: the same may be said again. */
void notify_forget(struct notify *n, const struct device *d);
/* Takes in children that ended. */
void notify_reap(struct notify *n);

/* Of what is no device's: `name` is the area's, or the file's; `written` of NOTICE_CLOUD, else NULL. */
int notify_named_text(enum notice what, const char *lang, const char *name, const struct document_decision *written,
	struct buf *summary, struct buf *body);
/* The texts, for tests: `written` is of NOTICE_WRITTEN and those behind it, else NULL; `lang` is "ja..." or anything
 * else. 0, V_FULL, -ENOMEM. */
int notify_text(enum notice what, const char *lang, const struct device *d, const struct decision *why,
	const struct document_decision *written, struct buf *summary, struct buf *body);

#endif

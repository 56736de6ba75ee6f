/*
 * One sentence to one person's desktop, by a child of a daemon's that has become that person: no capability, no file
 * of the daemon's, a system call filter of its own. Called by the notify.c of guard and print, in the child only. What
 * the desktop answers is believed in nothing but the language that it speaks.
 */
#ifndef SEKISHO_NOTICE_SPEAKER_H
#define SEKISHO_NOTICE_SPEAKER_H

#include "policy/base/cleanup.h"
#include <stdbool.h>
#include <stdint.h>

#define LANG_SIZE 16

/*
 * For good: this process is that person from here on, and can read files and speak on a bus of this machine, and
 * nothing else. 0; -ESRCH for root, and for who is nobody here; -errno.
 */
int speaker_become(uint32_t uid);

struct speaker;

/* Meets the person's session bus. 0, -errno. */
int speaker_new(uint32_t uid, struct speaker **out);
void speaker_free(struct speaker *s);
DEFINE_CLEANUP(struct speaker *, speaker_free)

/*
 * The language of the session, as LANG has it ("ja_JP.UTF-8", cut): that of the very program that shows notifications,
 * else of the person's service manager, else the system's. "C" where nobody says.
 */
void speaker_language(struct speaker *s, char out[LANG_SIZE]);

/* org.freedesktop.Notifications 1.2, Notify; `icon` by the freedesktop naming. 0, -errno. */
int speaker_say(struct speaker *s, const char *icon, const char *summary, const char *body, bool urgent);

#endif

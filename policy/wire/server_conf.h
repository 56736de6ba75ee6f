/*
 * The settings of a collector's machine: one file, a section for each program. What an older version had in files of
 * their own is read behind its section as long as the file is there, so that an upgrade changes nothing that an
 * administrator had set. The PC's are in agent_conf.h.
 */
#ifndef SEKISHO_WIRE_SERVER_CONF_H
#define SEKISHO_WIRE_SERVER_CONF_H

#include "policy/base/conf.h"

#define SERVER_CONF_PATH "/etc/sekisho/collector.conf"
#define SERVER_COLLECTOR "collector"
#define SERVER_CONSOLE "console"
#define SERVER_REPORT "report"
#define SERVER_TIMESTAMP "timestamp"
#define SERVER_PATH_MAX 4096

/* All of them, in the order of the file, ended by NULL. What stands before any header is the first one's. */
extern const char *const server_sections[];

/*
 * Fills `into`, which holds the defaults, from one section: of `path`, which has to be there and may have no sections
 * at all where it is that program's alone; or, where that is NULL, of the usual file and of the older version's, which
 * need not be there. A key that both have is refused, naming both. 0; V_NOT_FOUND with the reason; V_BAD with the line;
 * -errno.
 */
int server_conf_load(const char *path, const char *section, const struct conf_key *keys, void *into, struct why *why);
/* One value of the usual files, as conf_find(). */
int server_conf_find(const char *section, const char *key, char *out, size_t size, struct why *why);
/* Where a version before had this section's settings. 0; V_NOT_FOUND where it had none of their own; -errno. */
int server_conf_former(const char *section, char out[SERVER_PATH_MAX]);

#endif

/*
 * The gate's ServerBin: a folder that looks like the one of CUPS, whose backends are copies of our wrapper.
 *
 *   /opt/sekisho/cups/           AppArmor's profile of cupsd, as Debian and Ubuntu ship it, lets cupsd run what lies
 *                                below /opt, and lets that run the stock backends just as cupsd would
 *     backend/<name>             the wrapper, with the mode of the stock backend: by it cupsd chooses root or lp
 *     notifier/sekisho           the wrapper; beside it links to the stock notifiers
 *     filter/pdftopdf            the wrapper, and in the place of `universal` too, where CUPS has them: it stamps pages
 *                                (stamp.h); beside it links to the stock filters
 *     driver, ...                links to the stock folders
 *     stock                      link to the stock ServerBin
 *     gate                       link to the daemon's socket
 *     closed                     there: what cannot be judged is held
 *     stamps                     there: some jobs are stamped
 *
 * Made by `sekisho-print prepare` before cupsd starts (prepare.c), kept by the daemon while backends come and go. With
 * follow.c and backend.c this is what would change with CUPS 3.
 */
#ifndef SEKISHO_PRINT_TREE_H
#define SEKISHO_PRINT_TREE_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include <limits.h>

#define TREE_PATH "/opt/sekisho/cups"
#define TREE_STOCK "/usr/lib/cups" /* where cups-files.conf says nothing */
#define TREE_SOCKET "/run/cups/sekisho.sock"
#define TREE_CONF "/run/sekisho-cups/cups-files.conf" /* what cupsd is started with */
#define TREE_CONF_STOCK "/etc/cups/cups-files.conf"
#define TREE_CUPSD_CONF "/etc/cups/cupsd.conf"
#define TREE_WRAPPER_MAX (8u << 20)

struct tree {
	char dir[PATH_MAX];     /* TREE_PATH */
	char wrapper[PATH_MAX]; /* the program: sekisho-print-backend beside the calling one */
	char socket[PATH_MAX];  /* TREE_SOCKET */
};

/* The paths; behind SEKISHO_ROOT for tests. 0; V_FULL; -errno. */
int tree_init(struct tree *t);

/* Makes the folder, or brings it up to date, over the stock ServerBin `stock`. 0; V_BAD; -errno. */
int tree_make(const struct tree *t, const char *stock, struct why *why);
/* A wrapper for each backend that is there now, none for those that went. *changed: how many. 0; V_BAD; -errno. */
int tree_sync(const struct tree *t, unsigned *changed, struct why *why);
/* All of it goes. 0, -errno. */
int tree_remove(const struct tree *t);
/* May what cannot be judged print? 0, -errno. */
int tree_close(const struct tree *t, bool closed);
/* Do filters ask whether pages are to be stamped? 0, -errno. */
int tree_stamps(const struct tree *t, bool on);

/* Is that inode one of our wrappers in the place of a backend? */
bool tree_has_backend(const struct tree *t, uint64_t inode);
/* Where the stock ServerBin is, by the tree. 0; V_NOT_FOUND; -errno. */
int tree_stock(const struct tree *t, char out[PATH_MAX]);
/* Is the backend of that scheme our wrapper, and as CUPS wants it? False with the reason, in words. */
bool tree_covers(const struct tree *t, const char *scheme, struct why *why);

/* ServerBin of a cups-files.conf; `out` is TREE_STOCK where it says nothing. 0; V_NOT_FOUND; V_FULL; -errno. */
int tree_server_bin(const char *conf, char out[PATH_MAX]);
/* The ports at which a cupsd with that cupsd.conf listens, at most `max`: how many. */
unsigned tree_ports(struct span conf, uint16_t *ports, unsigned max);
/* The same file with another ServerBin, appended. 0; V_FULL; -ENOMEM. */
int tree_conf(struct span stock, const char *server_bin, struct buf *out);

#endif

/*
 * index/hosts.db: the PCs. Written by store_host_put, durable at once; made again from the collector's own records.
 */
#ifndef SEKISHO_STORE_HOSTS_H
#define SEKISHO_STORE_HOSTS_H

#include "collector/store/sql.h"
#include "collector/store/store.h"

struct hosts;

int hosts_open(const char *dir, bool writable, struct hosts **out);
void hosts_close(struct hosts *h);
int hosts_put(struct hosts *h, const struct store_host *host);
int hosts_get(struct hosts *h, const struct digest *id, struct store_host *out);
int hosts_each(struct hosts *h, store_host_fn fn, void *ctx);
int hosts_after(struct hosts *h, const char *name, const struct digest *id, store_host_fn fn, void *ctx);
/* Does this record of the collector say something of a PC (ENROL, RENEW, REVOKE; see store.h)? Of which? */
bool host_told(const struct record *r, struct digest *id);
/* That, put into what is `known` of the PC. False where it changes nothing. */
bool host_learn(const struct record *r, bool known, struct store_host *host);
/* The same of the table. Records that say nothing of a PC are passed over. */
int hosts_learn(struct hosts *h, const struct record *r);
/* A leaf of this PC was sealed then. */
int hosts_seen(struct hosts *h, const struct digest *id, int64_t when_us);
int hosts_begin(struct hosts *h);
int hosts_commit(struct hosts *h);

#endif

/*
 * What the follower asks CUPS, by libcups over CUPS's local socket. Used by follow.c only: requests wait for their
 * answer. Attributes of IPP become members of JSON objects by their names; text that is not UTF-8 is escaped.
 */
#ifndef SEKISHO_PRINT_IPP_H
#define SEKISHO_PRINT_IPP_H

#include "policy/base/why.h"
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct ipp_link;

/* Does not connect yet: that is tried with each question. */
int ipp_open(const char *socket, struct ipp_link **out);
bool ipp_is_up(const struct ipp_link *l);

/* All of these: 0; V_NOT_FOUND; -errno where CUPS cannot be asked or refuses. */
int ipp_job(struct ipp_link *l, int id, json_t **out);
int ipp_printer(struct ipp_link *l, const char *uri, json_t **out);
int ipp_release(struct ipp_link *l, int id, char *reason, size_t size);
/* A job that ended is started again, held until somebody releases it. */
int ipp_restart_held(struct ipp_link *l, int id, char *reason, size_t size);
/* Ids of jobs behind `since`, ascending. How many, or -errno. */
int ipp_jobs_after(struct ipp_link *l, int since, int *ids, int max);
/* Each queue and class; `fn` owns what it gets. How many, or -errno. */
int ipp_queues(struct ipp_link *l, int (*fn)(void *ctx, json_t *queue), void *ctx);
/* Process id of the cupsd that answers; 0 where it cannot be told (its socket was made by systemd). */
pid_t ipp_cupsd(struct ipp_link *l);

/*
 * Keeps a subscription for all that happens to jobs and queues alive, told by the notifier `recipient`. *pushed is
 * false where this cupsd has no such notifier: then it must be asked at intervals.
 */
int ipp_subscribe(struct ipp_link *l, const char *recipient, bool *pushed);
void ipp_unsubscribe(struct ipp_link *l);

#endif

/*
 * sekisho-herald: what its files share. One process, one thread, one loop over libcurl's.
 */
#ifndef SEKISHO_HERALD_HERALD_H
#define SEKISHO_HERALD_HERALD_H

#include "collector/herald/book.h"
#include "collector/store/store.h"
#include "policy/base/log.h"
#include "policy/wire/spool.h"
#include <curl/curl.h>
#include <jansson.h>
#include <limits.h>

#define HERALD_CONFIG "/etc/sekisho/herald.yaml"
#define HERALD_PATH_MAX 512
#define HERALD_FILE_SIZE (HERALD_PATH_MAX + 32)

struct sender;
struct streamer;

/* Where things lie (packaging/LAYOUT.md), behind SEKISHO_ROOT. */
struct places {
	char dir[HERALD_PATH_MAX], collector[HERALD_PATH_MAX], run[HERALD_PATH_MAX];
	char spool[HERALD_FILE_SIZE], device_key[HERALD_FILE_SIZE], device_pub[HERALD_FILE_SIZE];
	char book[HERALD_FILE_SIZE], store[HERALD_FILE_SIZE], log_vkey[HERALD_FILE_SIZE], status[HERALD_FILE_SIZE],
		asleep[HERALD_FILE_SIZE];
};

struct herald {
	struct plan plan;
	struct places at;
	struct key *device;
	struct digest own; /* our id in the log */
	struct sealer *sealer;
	struct store *store; /* NULL: not there yet, or let go of */
	struct book *book;
	CURLM *curl;
	struct sender *senders[PLAN_TARGETS_MAX];
	struct streamer *streamers[PLAN_STREAMS_MAX];

	uint64_t leaf;        /* the next one to be judged */
	bool begun;           /* `leaf` is known, and what rules have to know of the past is learned */
	bool current;         /* all that the log had when we looked last is judged */
	int64_t grown_us;     /* boot clock: the log was longer than before */
	uint64_t size;        /* then */
	struct record record; /* of ours, while it is made */

	bool stopping;
	int64_t started_wall_us;
	struct log_limit limit;
	struct {
		uint64_t judged, alerts, told, sent, failed, unsent;
	} count;
};

/* --- follow.c: the log, leaf by leaf --- */
/* The store, opened where it is not. 0; V_NOT_FOUND; -errno. */
int follow_store(struct herald *h);
/*
 * Calls `fn` for each record of a leaf, in order; none where the body is gone, damaged, or no record's. 0; V_END where
 * there is no such leaf yet; what `fn` returns; -errno. `whose`, where it is not NULL: the PC and the program that it
 * is of, whether that said that it stops, and when it was sealed by the PC's clocks; producer 0 where its header cannot
 * be read.
 */
struct followed {
	struct digest host;
	struct digest hash; /* of its header */
	unsigned producer;
	bool last;
	struct pc_time sealed;
};
int follow_leaf(struct herald *h, uint64_t leaf, struct followed *whose, store_row_fn fn, void *ctx);

/* --- watch.c: rules --- */
/* Where to begin, and what rules have to know of what was before. 0; V_AGAIN; -errno. */
int watch_begin(struct herald *h);
/* Judges what came, for so long at most; *more: there is more. 0; V_AGAIN; -errno. */
int watch_step(struct herald *h, bool *more);
/* How often PCs that are not heard of are looked for: by the shortest time that a rule has. */
int64_t watch_silent_every(const struct herald *h);
/* PCs, and programs of theirs, that were not heard of. 0; -errno. */
int watch_silent(struct herald *h);

/* --- tell.c: alerts as records --- */
int tell_open(struct herald *h, struct why *why);
/* Seals what waits to be told. 0; -errno. */
int tell_step(struct herald *h);
void tell_close(struct herald *h);

/* --- send.c: alerts to people --- */
int send_open(struct herald *h, struct why *why);
/* Begins what is due. 0; -errno. */
int send_step(struct herald *h);
/* A transfer ended; true where it was one of these. */
bool send_done(struct herald *h, CURL *curl, CURLcode result, int *r);
void send_close(struct herald *h);

/* --- stream.c: records to other systems --- */
int stream_open(struct herald *h, struct why *why);
/* Sends what can be sent; *more: there is more at once. 0; -errno. */
int stream_step(struct herald *h, bool *more);
/* As send_done. */
bool stream_done(struct herald *h, CURL *curl, CURLcode result, int *r);
void stream_close(struct herald *h);
/* Sockets that wait to be written to: at most PLAN_STREAMS_MAX. */
unsigned stream_waits(struct herald *h, struct curl_waitfd *out);
/* An array, for the status. */
json_t *stream_status(const struct herald *h);

/* --- words.c: what people and programs read --- */
/* The whole message, RFC 5322 with CRLF. 0; V_FULL; -ENOMEM. */
int words_mail(const struct herald *h, const struct target *t, const struct word *w, struct buf *out);
/* "sekisho-report-2026-10.pdf": a file of this name may go out. */
bool words_report_name(struct span name);
/* A report's message: its head without MIME, and what stands beside the file. 0; V_FULL; -ENOMEM. */
int words_report(const struct target *t, const struct word *w, struct buf *lines, struct buf *text);
/* A JSON object. */
int words_json(const struct herald *h, const struct word *w, struct buf *out);
/* "t=SECONDS,v1=HEX": HMAC-SHA256 over the seconds, a dot, and the body. 0; -errno. */
int words_sign(struct span secret, int64_t now_s, struct span body, struct buf *out);
/* A secret from a file, without its newline. 0; V_BAD; -errno. */
int words_secret(const char *path, struct buf *out, struct why *why);

#endif

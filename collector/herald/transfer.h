/*
 * What every transfer to the outside has in common, by libcurl: of alerts (send.c) and of records (stream.c).
 */
#ifndef SEKISHO_HERALD_TRANSFER_H
#define SEKISHO_HERALD_TRANSFER_H

#include "policy/base/buf.h"
#include <curl/curl.h>

struct transfer {
	CURL *curl;                      /* NULL: none is under way */
	struct curl_slist *lines, *head; /* receivers or header; the head of a message in parts */
	curl_mime *parts;
	char error[CURL_ERROR_SIZE]; /* "": curl said nothing */
};

/* A handle for `url`, by TLS 1.2 or later, by no proxy; `ca` NULL: the machine's own. The answer is nobody's to read.
 * 0; -ENOMEM. */
int transfer_open(struct transfer *t, const char *url, const char *ca);
/* One more line of header, or receiver. 0; -ENOMEM. */
int transfer_line(struct transfer *t, const char *text);
/* The header Sekisho-Signature (words_sign) of `body`, where there is a secret. 0; -errno. */
int transfer_sign(struct transfer *t, const struct buf *secret, struct span body);
/* It is a POST of `body`, which stays the caller's until the end, with the lines as header. */
void transfer_post(struct transfer *t, struct span body);
/* The beginning of an answer: text of somebody else. */
struct answer {
	char text[300];
	size_t n;
};
/* Behind transfer_post: the answer is wanted, whatever its status; `a` lives as long as the transfer. */
void transfer_hear(struct transfer *t, struct answer *a);
/* The status of the answer; 0: there is none. */
long transfer_status(const struct transfer *t);
/* On its way. 0; -ENOMEM. */
int transfer_begin(struct transfer *t, CURLM *curl);
/* Ends it, under way or not; `error` stays. */
void transfer_end(struct transfer *t, CURLM *curl);

/* How long to wait after so many failures before this one: twice as long each time, `most_us` at most. */
int64_t transfer_backoff(uint64_t first_us, unsigned failures, int64_t most_us);
/* Wipes and frees what is secret; a buffer that was never used has nothing. */
void transfer_forget(struct buf *secret);

#endif

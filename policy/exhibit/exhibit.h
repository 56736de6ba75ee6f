/*
 * An exhibit: an evidence bundle, one file in which a search of the logs stands alone. The console writes it,
 * sekishoctl judges it; EVIDENCE.md is the format. This room knows the container, what the bundle claims of
 * itself, and how its readable parts are made from the evidence; it judges no signature.
 */
#ifndef SEKISHO_EXHIBIT_EXHIBIT_H
#define SEKISHO_EXHIBIT_EXHIBIT_H

#include "policy/trust/digest.h"
#include "policy/wire/record.h"

#define EXHIBIT_FORMAT 1
#define EXHIBIT_SEGMENTS_MAX 50000u
#define EXHIBIT_CHAINS_MAX 20000u
#define EXHIBIT_HOSTS_MAX 20000u
#define EXHIBIT_RECORDS_MAX 100000u    /* records in the list */
#define EXHIBIT_PAGE_MAX 1000u         /* of them on the page */
#define EXHIBIT_CLAIM_SIZE (16u << 20) /* bytes of each entry that holds more than a segment */
#define EXHIBIT_LIST_SIZE (48u << 20)
#define EXHIBIT_PAGE_SIZE (32u << 20)
#define EXHIBIT_RUN_SIZE (160u << 20)
#define EXHIBIT_NAME_SIZE 128
#define EXHIBIT_TEXT_MAX 8192u /* of the search, as its bytes */

/* One chain (PC and producer) of which a part is carried: leaves of the log, in its order. */
struct exhibit_chain {
	struct digest host;
	unsigned producer;
	uint64_t first, last; /* what is carried of it */
	bool has_before, has_after;
	uint64_t before, after; /* its neighbours, of which only the headers are carried */
};

struct exhibit_host {
	struct digest id;
	char name[128]; /* as the collector knows it; for reading */
};

/* What a bundle says that it is: bundle.json. */
struct exhibit_claim {
	int64_t made_us;
	char by[128];                      /* account that made it */
	char search[EXHIBIT_TEXT_MAX + 1]; /* what was asked, as a query string */
	bool has_since;
	int64_t since_us, until_us; /* the range: from .. before */
	bool all;                   /* of all PCs; else of `hosts` alone */
	struct exhibit_host *hosts; /* ascending by id */
	size_t hosts_n;
	struct exhibit_chain *chains; /* ascending by host and producer */
	size_t chains_n;
	uint64_t size; /* of the log */
	bool has_run;
	uint64_t run;     /* the first leaf of the run, which ends with the log */
	uint64_t records; /* in the list */
	bool more;        /* others fit, beyond the bound */
};

/* bundle.json, appended. 0, V_FULL, -ENOMEM. */
int exhibit_claim_write(const struct exhibit_claim *c, struct buf *out);
/* Reads one. Owned by the caller. 0, V_BAD, -ENOMEM. */
int exhibit_claim_read(struct span text, struct exhibit_claim **out, struct why *why);
void exhibit_claim_free(struct exhibit_claim *c);
DEFINE_CLEANUP(struct exhibit_claim *, exhibit_claim_free)
/* The PC's entry, or NULL. */
const struct exhibit_host *exhibit_host_of(const struct exhibit_claim *c, const struct digest *id);
/* The chain's entry, or NULL. */
const struct exhibit_chain *exhibit_chain_of(
	const struct exhibit_claim *c, const struct digest *host, unsigned producer);

/* --- what people read: made from the records, by one rule --- */

/* A line of records.jsonl: {"leaf":N,"n":N,"record":{...}} and a newline, appended. 0, V_FULL, -ENOMEM. */
int exhibit_line(uint64_t leaf, unsigned n, const struct record *r, struct buf *out);
/* The leaf and the number that a line begins with; `len` is the line's, with its newline. 0 or V_BAD. */
int exhibit_line_peek(struct span lines, uint64_t *leaf, unsigned *n, size_t *len);
/* A row of the page, appended. */
int exhibit_row(const struct exhibit_claim *c, const struct digest *host, const struct record *r, struct buf *out);
/* index.html, with rows that were made before, appended; `gone`: segments of the range without their bodies. */
int exhibit_page(const struct exhibit_claim *c, uint64_t gone, struct span rows, struct buf *out);

/* --- the container: a ZIP file, nothing compressed --- */

struct exhibit_writer;
/* Takes bytes of the file. 0, -errno. */
typedef int (*exhibit_put_fn)(void *ctx, struct span bytes);

/* 0, -ENOMEM. */
int exhibit_writer_new(exhibit_put_fn put, void *ctx, int64_t made_us, struct exhibit_writer **out);
/* One entry. 0, -errno. */
int exhibit_put(struct exhibit_writer *w, const char *name, struct span content);
/* The end of the file. 0, -errno. */
int exhibit_writer_end(struct exhibit_writer *w);
void exhibit_writer_free(struct exhibit_writer *w);
DEFINE_CLEANUP(struct exhibit_writer *, exhibit_writer_free)

struct exhibit_reader;
/* Opens a file, or bytes in memory (borrowed). 0; V_BAD; -errno. */
int exhibit_open(const char *path, struct exhibit_reader **out, struct why *why);
int exhibit_open_memory(struct span file, struct exhibit_reader **out, struct why *why);
void exhibit_close(struct exhibit_reader *r);
DEFINE_CLEANUP(struct exhibit_reader *, exhibit_close)
/*
 * The next entry's name and content (cleared first; its bound is the buffer's). Names are printable ASCII, entries
 * plain files. 0; V_END; V_BAD, also where the content is larger than the buffer may be; -errno.
 */
int exhibit_next(struct exhibit_reader *r, char name[EXHIBIT_NAME_SIZE], struct buf *content, struct why *why);

#endif

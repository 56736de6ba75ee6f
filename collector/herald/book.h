/*
 * What the herald must not forget: how far it has read the log, what its rules remember, alerts until they are told and
 * delivered, and what waits for whom. One SQLite file, in the herald's folder. What one piece of the log causes is one
 * transaction with the place behind it: after a crash each record was judged once, whole, or not yet.
 */
#ifndef SEKISHO_HERALD_BOOK_H
#define SEKISHO_HERALD_BOOK_H

#include "collector/herald/plan.h"

#define BOOK_ALERT_SIZE 16u
#define BOOK_QUEUE_MAX 10000u /* messages that wait; beyond, the oldest go and that is told */
#define BOOK_KEYS_MAX 200000u /* that one rule remembers; beyond, the oldest are forgotten */

struct book;

/* An alert, or that one could not be delivered: a record to be. Texts are NULL or end with NUL. */
struct word {
	int64_t n; /* in the book */
	unsigned kind;
	uint8_t alert[BOOK_ALERT_SIZE];
	unsigned severity;
	struct span rule, title, host_name, user, text; /* user may be no UTF-8 */
	bool has_host;
	struct digest host;
	int64_t time_us; /* of the record, or when it was noticed */
	uint64_t count, about;
};

/* 0; V_BAD where the file is damaged; -errno. */
int book_open(const char *path, struct book **out);
void book_close(struct book *b);

/* --- transactions: all that changes stands between the two --- */
int book_begin(struct book *b);
int book_commit(struct book *b);
void book_rollback(struct book *b);

/* A number by its name; `other` where there is none. */
int book_get(struct book *b, const char *name, int64_t other, int64_t *out);
int book_set(struct book *b, const char *name, int64_t v);

/* --- rules --- */
/* A rule that is new or was changed: what was remembered for it is forgotten. *fresh says so. */
int book_rule(struct book *b, const struct rule *r, bool *fresh);
/* Was the key seen before? It is from now on. */
int book_first(struct book *b, const char *rule, const struct digest *key, bool *first);
/* One more of this key at `time_us`; *n: how many there are within the rule's time; where they are enough, they are
 * forgotten. */
int book_count(struct book *b, const struct rule *r, const struct digest *key, int64_t time_us, uint64_t *n);
/* May it be told, at this time of the record? Then not again for the rule's time. */
int book_quiet(struct book *b, const struct rule *r, const struct digest *key, int64_t time_us, bool *told);

/* --- who was heard of --- */
struct heard {
	int64_t at_us;    /* last, by this machine's clock; 0: never */
	int64_t since_us; /* without a pause of more than the `pause_us` that was given */
	bool last;        /* it said that it stops */
};

/* A segment of that program of that PC was taken up. */
int book_hear(
	struct book *b, const struct digest *host, unsigned producer, int64_t now_us, int64_t pause_us, bool last);
/* By producer, 1 to `max` - 1; [0]: any of them. */
int book_heard(struct book *b, const struct digest *host, struct heard *out, unsigned max);

/* --- who sleeps --- */
/* A moment by a PC's own clocks. */
struct pc_time {
	uint8_t boot[16]; /* in which life of its kernel */
	int64_t boot_us, wall_us;
};
/* It said at that moment that it goes to sleep; that it woke. */
int book_sleeps(struct book *b, const struct digest *host, const struct pc_time *at);
int book_woke(struct book *b, const struct digest *host);
/* Something was sealed there at that moment: where that is more than a minute behind the word that it sleeps, it does
 * not. Until then what runs may seal what it has. */
int book_stirs(struct book *b, const struct digest *host, const struct pc_time *at);
int book_asleep(struct book *b, const struct digest *host, bool *yes);
/* Each of them, and since when by its wall clock. Returns 0 to go on; anything else stops and is returned. */
typedef int (*book_sleeper_fn)(void *ctx, const struct digest *host, int64_t since_us);
int book_sleepers(struct book *b, book_sleeper_fn fn, void *ctx);

/* --- words --- */
/*
 * Adds one, and a message for each target of the plan that wants it (none for what could not be delivered). Of
 * KIND_CONSOLE_EXPORT it is a report that was made: the log has its record already, so it counts as told; `host` is the
 * file's SHA-256, `host_name` its name.
 */
int book_say(struct book *b, const struct plan *p, const struct word *w);
/* The oldest that is not told and is behind `after`; borrowed until the next call. V_END. */
int book_untold(struct book *b, int64_t after, struct word *out);
int book_told(struct book *b, int64_t n);
/* By its number, told. V_NOT_FOUND. */
int book_word(struct book *b, int64_t n, struct word *out);

/* --- messages --- */
struct message {
	int64_t id, word, due_us, since_us;
	unsigned attempts;
};
/* The next one for a target that is due, of a word that is told. V_END. */
int book_due(struct book *b, const char *target, int64_t now_us, struct message *out);
/* It went out, or is given up: it is forgotten, and its word where nobody waits for it any more. */
int book_sent(struct book *b, const struct message *m);
/* It did not: again at `due_us`. */
int book_failed(struct book *b, const struct message *m, int64_t due_us);
/* Messages for targets that the plan does not have any more go; *n: how many wait. */
int book_tidy(struct book *b, const struct plan *p, uint64_t *n);

#endif

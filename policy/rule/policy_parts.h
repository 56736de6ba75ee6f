/*
 * The policy's parts: policy_yaml.c (with reading.h) and ledger.c read it, policy_match.c and policy_decide.c decide,
 * policy_check.c tries it. Nobody else includes this.
 */
#ifndef SEKISHO_RULE_POLICY_PARTS_H
#define SEKISHO_RULE_POLICY_PARTS_H

#include "policy/rule/policy.h"

#define LIST_MAX 256u /* words of one list */
#define INTERFACES_MATCH_MAX 16u
#define ACCESS_LISTED 0u /* of a rule: what the ledger says */
#define ANY (-1)

/* Words, NULL at the end; NULL itself: any. */
typedef const char *const *words;

/* What a rule or a row asks for. Everything that is there must fit. */
struct match {
	uint64_t kinds;                    /* 0: any */
	int listed, encrypted, has_serial; /* 0, 1, ANY */
	int vendor, product;               /* ANY */
	const char *serial, *port;         /* patterns; NULL: any */
	bool has_fingerprint;
	struct digest fingerprint;
	unsigned interfaces_n;
	struct {
		int class, subclass, protocol; /* ANY */
	} interface[INTERFACES_MATCH_MAX];     /* one of them */
	words users, groups, hosts;
	unsigned days;        /* bit per day, Sunday is 0; 0: any */
	int from_min, to_min; /* minutes of the day; ANY; from > to goes over midnight */
	int64_t from_us, until_us;
};

struct rule {
	char name[POLICY_NAME_SIZE];
	unsigned line;
	struct match match;
	unsigned access; /* ACCESS_LISTED, ACCESS_* */
	bool note;
};

struct row {
	struct ledger_row as;
	struct match match;
	words media; /* UUIDs of which the medium must have one */
	int next;    /* in its bucket; -1 */
};

struct expectation {
	unsigned line;
	char name[POLICY_NAME_SIZE];
	struct device device;
	bool has_device;
	unsigned kind, access;
	struct device_user who;
	words groups;
};

struct chunk {
	struct chunk *next;
	char bytes[];
};

struct policy {
	uint64_t version;
	bool note, lockout;
	unsigned defaults[DEVICE_KINDS];
	char release_key[256];
	unsigned release_max_s, release_per_day;
	struct policy_past_cups past_cups;
	struct known_policy *known;         /* NULL: no such section */
	struct print_policy *print;         /* NULL: no such section */
	struct drives_policy *drives;       /* NULL: no such section */
	struct protected_policy *protected; /* NULL: no such section */
	unsigned rules_n, rows_n, expectations_n;
	struct rule *rules;
	struct row *rows;
	struct expectation *expectations;
	int *buckets; /* the first row of each, -1 (policy_decide.c) */
	struct chunk *chunks;
};

/* Memory that lives as long as the policy. NULL without memory. */
void *policy_keep(struct policy *p, size_t n);
const char *policy_keep_text(struct policy *p, struct span s);
/* A list of words from one text, separated by spaces, commas, semicolons or bars. *out NULL where it is empty. */
int policy_keep_words(struct policy *p, struct span s, words *out);

/* "0951", "0x951", "951": 0..65535. ANY where it is none. */
int policy_hex16(const char *s);
/* ACCESS_* by name; 0 for none. */
unsigned policy_access(const char *name);
unsigned policy_kind(const char *name);

/* policy_yaml.c */
int policy_read_yaml(struct policy *p, struct span yaml, struct why *why);
/* ledger.c */
int policy_read_ledger(struct policy *p, struct span csv, struct why *why);
/* policy_decide.c: the rows of exact devices are hashed; called once, when all rows are read. */
int policy_index(struct policy *p);
/* Calls `fn` for the rows that may be for a device that fits `like`, itself among them; some twice. */
typedef void (*policy_row_fn)(void *ctx, const struct row *row);
void policy_rows_for(const struct policy *p, const struct row *like, policy_row_fn fn, void *ctx);

/* --- policy_text.c: "name: value" appended, behind a comma where something is there; NULL: nothing. 0, V_FULL, -ENOMEM
 */
int policy_put_text(struct buf *out, const char *name, const char *s);
int policy_put_words(struct buf *out, const char *name, words list);
/* The part of a match that is about people and time: users, groups, hosts, days, hours, from, until. */
int policy_put_people(struct buf *out, const struct match *m);

/* --- policy_match.c --- */

/* One that everything fits. */
void match_init(struct match *m);
/* Does it fit? `listed`: whether the ledger has a row for the device. */
bool match_fits(
	const struct match *m, const struct device *d, unsigned kind, const struct device_user *who, bool listed);
/* The same in parts. */
bool match_device(const struct match *m, const struct device *d);
bool match_people(const struct match *m, const struct device_user *who);
bool match_time(const struct match *m, int64_t wall_us);
/* The next moment at which match_time may say something else; INT64_MAX: never. */
int64_t match_next_edge(const struct match *m, int64_t wall_us);
/* Does whatever fits `b` fit `a`? Not, where that is not sure (policy_cover.c). */
bool match_covers(const struct match *a, const struct match *b);
/* Is there surely no device that fits both? */
bool match_apart(const struct match *a, const struct match *b);
/* "*" for anything, "?" for one byte, a backslash before either for itself. */
bool text_like(const char *pattern, const char *s);
bool text_like_span(struct span pattern, struct span s);
/* Is any of the patterns like it, or like one of the groups? `list`, `s`, `groups` may be NULL: no. */
bool text_like_any(words list, const char *s);
bool text_like_groups(words list, const char *const *groups);
/* Has it a "*" or "?" in it that is not quoted by a backslash? */
bool is_pattern(const char *s);

#endif

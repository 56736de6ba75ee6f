/*
 * herald.yaml, read: what in the records wants a person (rules), who is told (targets),
 * and where records go as they come (streams). sekisho-herald(8) and
 * herald.yaml(5) say what it means; plan.c reads it, judge.c applies the rules.
 *
 * Pure: no files but the text that is given. Fuzzed by tests/fuzz/herald.
 */
#ifndef SEKISHO_HERALD_PLAN_H
#define SEKISHO_HERALD_PLAN_H

#include "collector/store/match.h"
#include "policy/base/why.h"
#include "policy/trust/digest.h"
#include "policy/wire/record.h"

#define PLAN_FILE_MAX (256u << 10)
#define PLAN_RULES_MAX 64u
#define PLAN_TARGETS_MAX 16u
#define PLAN_STREAMS_MAX 8u
#define PLAN_TERMS_MAX 16u  /* conditions of one rule, `when` and `unless` each */
#define PLAN_VALUES_MAX 32u /* of one condition */
#define PLAN_FIELDS_MAX 4u  /* of `per` and `first` */
#define PLAN_LIST_MAX 64u   /* addresses, rules of a target, PCs */
#define PLAN_NAME_SIZE 64u
#define PLAN_STRINGS_MAX 8192u
#define PLAN_COUNT_MAX 10000u

/* Stands for the PC's name where a field is asked for: no record has a field of this number. */
#define PLAN_HOST 0u

enum term_op { TERM_IS, TERM_LESS, TERM_AT_MOST, TERM_MORE, TERM_AT_LEAST };

/* A fact and what it may be: one of its values. */
struct term {
	unsigned field; /* F_*, or PLAN_HOST */
	unsigned values_n;
	struct {
		enum term_op op;
		int64_t number;      /* enumerations and numbers */
		const char *pattern; /* names: '*' and '?', as in a search; NULL otherwise */
	} values[PLAN_VALUES_MAX];
};

struct terms {
	struct term v[PLAN_TERMS_MAX];
	unsigned n;
};

/* A list of words. */
struct words {
	const char *v[PLAN_LIST_MAX];
	unsigned n;
};

struct fields {
	unsigned v[PLAN_FIELDS_MAX];
	unsigned n;
};

struct rule {
	char name[PLAN_NAME_SIZE];
	const char *title; /* for people; the name where there is none */
	unsigned severity; /* SEVERITY_* */
	struct terms when, unless;
	bool has_hours;
	uint8_t days;              /* bit 0: Sunday */
	unsigned from_min, to_min; /* of the local day; what is outside of both days and minutes is meant */
	uint64_t count, within_us; /* so many in that time, 0: each one */
	struct fields per, first;
	uint64_t again_us;  /* the same is not told again for so long */
	uint64_t silent_us; /* no record but a PC that was not heard of; 0: of records */
	bool of_program;    /* ... one of its programs, while others of the same PC are heard of */
	bool unannounced;   /* ... that did not say before that it stops */
	struct words hosts; /* which of them; none: all */
	struct digest hash; /* of what it says, to tell a changed rule from the one before */
	unsigned line;
};

enum target_kind { TARGET_MAIL, TARGET_HOOK };

struct target {
	char name[PLAN_NAME_SIZE];
	enum target_kind kind;
	const char *url;  /* smtp://, smtps://, https:// */
	const char *from; /* mail */
	struct words to;
	const char *login, *password, *secret, *ca; /* password, secret, ca: files */
	bool plain;                                 /* without TLS: only where it is said */
	bool japanese;
	unsigned least;      /* SEVERITY_*: this one and what weighs more */
	struct words rules;  /* none: all */
	const char *reports; /* mail: scheduled reports go there too, from this folder; NULL: none */
	uint64_t retry_us, give_up_us;
};

enum stream_form { STREAM_SYSLOG, STREAM_OCSF, STREAM_CLICKHOUSE };

struct stream {
	char name[PLAN_NAME_SIZE];
	const char *url; /* syslog+tls://HOST:PORT, https:// */
	enum stream_form form;
	const char *ca, *certificate, *key, *secret; /* files */
	const char *database, *login, *password;     /* of ClickHouse; password: a file */
	uint64_t every_us;                           /* of ClickHouse: what is less than a batch waits so long */
	bool plain;                                  /* without TLS: only where it is said */
	bool from_start;
	struct terms when, unless;
	uint64_t retry_us;
};

struct plan {
	const char *dir, *collector, *store, *console, *timezone; /* NULL where it does not say */
	bool debug;
	struct rule *rules;
	unsigned rules_n;
	struct target targets[PLAN_TARGETS_MAX];
	unsigned targets_n;
	struct stream streams[PLAN_STREAMS_MAX];
	unsigned streams_n;
	char **strings; /* what the above borrow */
	unsigned strings_n;
};

/*
 * Reads the text; `file` is its name in reasons. 0; V_BAD with file, line and reason, in both languages; -ENOMEM. `out`
 * is released by plan_deinit in each case.
 */
int plan_read(struct plan *out, const char *file, struct span yaml, struct why *why);
void plan_deinit(struct plan *p);

#endif

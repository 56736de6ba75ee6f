/*
 * An office that never was: people of five departments, their PCs, files, programs, sticks and habits, from one seed.
 * The same seed, number of PCs and end give the same days; keys, salts and signatures are fresh in every run.
 *
 * people.c knows who there is and which files; acts.c what somebody does in one burst, as records; days.c when;
 * papers.c what else an office does; month.c seals it all and puts it into a real store. Used by the benchmarks and by
 * tests that want a store with life in it.
 */
#ifndef SEKISHO_BENCH_OFFICE_H
#define SEKISHO_BENCH_OFFICE_H

#include "policy/wire/record.h"

#define OFFICE_JST_US INT64_C(32400000000) /* the office lies in Japan: nine hours before UTC, no summer time */
#define OFFICE_DAY_US INT64_C(86400000000)
#define OFFICE_BURST_MAX 512u /* records in one burst */
#define OFFICE_TEXT 512u

enum dept { DEPT_SALES, DEPT_ACCOUNTS, DEPT_AFFAIRS, DEPT_DESIGN, DEPT_FACTORY, DEPTS };

/* Numbers from a seed: splitmix64. */
struct dice {
	uint64_t state;
};
uint64_t dice_next(struct dice *d);
/* 0 .. n-1 */
unsigned dice_under(struct dice *d, unsigned n);
/* 0 .. n-1, small ones far more often: what is used is what was used. */
unsigned dice_often(struct dice *d, unsigned n);
bool dice_chance(struct dice *d, unsigned percent);

struct desk {
	unsigned number;
	enum dept dept;
	char pc[32], user[48];
	unsigned uid, session, pid;
	struct dice dice;
	int64_t now, booted; /* wall clock, microseconds */
	bool stick;          /* a USB drive is plugged in */
	char stick_serial[24];
	struct dice side; /* of what papers.c tells */
	uint64_t jobs;
	int64_t job_created;
};

/* --- people.c --- */
void desk_make(struct desk *d, uint64_t seed, unsigned number);
const char *desk_dept(const struct desk *d);
/* A file on the department's share, at home, or on the stick: which one is the dice's. `ending` NULL: an office
 * document. */
void desk_share_file(struct desk *d, const char *ending, char out[OFFICE_TEXT]);
void desk_home_file(struct desk *d, char out[OFFICE_TEXT]);
void desk_stick_file(struct desk *d, const char *share, char out[OFFICE_TEXT]);
void desk_source_file(struct desk *d, char out[OFFICE_TEXT]);

/* --- acts.c --- */

/* Who tells a record. */
enum teller { TELLER_RECORDER, TELLER_GUARD, TELLER_PRINT, TELLER_COLLECTOR, TELLER_CONSOLE };
/* Gets each record, valid during the call. 0 or what stops all. */
typedef int (*office_put)(void *ctx, unsigned teller, const struct record *r);
/* Sets d->now behind what happened. */
int desk_arrives(struct desk *d, office_put put, void *ctx);
int desk_acts(struct desk *d, office_put put, void *ctx);
int desk_leaves(struct desk *d, office_put put, void *ctx);

/* --- papers.c: beside files, where that is asked for --- */
int desk_papers(struct desk *d, office_put put, void *ctx);
/* A day of the console's access log, and of what the collector tells. */
int office_console(struct dice *dice, int64_t now, office_put put, void *ctx);
int office_collector(
	struct dice *dice, int64_t now, const uint8_t peer[32], const char *peer_name, office_put put, void *ctx);

/* --- days.c --- */

enum moment { MOMENT_ARRIVE, MOMENT_ACT, MOMENT_IDLE, MOMENT_LEAVE };

struct office {
	struct dice dice;
	int64_t begin, end;  /* midnights of Japan */
	int64_t day;         /* that is being lived */
	uint64_t want;       /* records */
	uint64_t told, acts; /* the caller counts: records, and acts (from 1 on) that they came from */
	struct life *lives;  /* one for each desk */
	unsigned n;
};

/* `records` are spread over the working days before `end_us`. 0, -ENOMEM. */
int office_open(struct office *o, uint64_t seed, unsigned pcs, unsigned days, uint64_t records, int64_t end_us);
void office_close(struct office *o);
struct desk *office_desk(struct office *o, unsigned i);
/* The next thing that reaches the collector: whose, what, and when (a PC that travels tells its day when it is back).
 * 0; V_END. */
int office_next(struct office *o, struct desk **desk, enum moment *what, int64_t *reaches_us);

#endif

/*
 * sekishoctl: the administrator's and auditor's command. A table of subcommands is the whole program (commands.c);
 * options, --help, completion and the manual are made from or checked against it.
 *
 * Everything that is printed and came from elsewhere is escaped; hostile data is a message and an exit code, never a
 * crash.
 */
#ifndef SEKISHO_CTL_CTL_H
#define SEKISHO_CTL_CTL_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/wire/record.h"
#include <jansson.h>

#define _cleanup_json_ _cleanup_(json_decrefp)

/* How every subcommand ends. */
enum {
	EXIT_GOOD = 0,
	EXIT_PROBLEM = 1, /* something is wrong with what was looked at, or it was refused */
	EXIT_USAGE = 2,   /* the command line is */
	EXIT_MACHINE = 3, /* our own machine failed: no memory, no permission, no connection */
};

/* A sentence in both languages. */
struct said {
	const char *en, *ja;
};

/* Picks the language of a literal: both are format strings that the compiler checks. */
#define SAY(c, en, ja) ((c)->lang == LANG_JA ? ja : en)

/* What a shell offers for an option's value. */
enum offer {
	OFFER_NOTHING,
	OFFER_FILE,
	OFFER_DIR,
	/* words: of the table of names, or fixed ones */
	OFFER_KIND,
	OFFER_CLASS,
	OFFER_DEVICE_KIND,
	OFFER_FIELD,
	OFFER_ACCESS,
	OFFER_PURPOSE,
	OFFER_ROLE,
	OFFER_CHANNEL,
	OFFER_LANG,
	OFFER_COLOR,
};

struct option_row {
	int id;      /* OPT_* */
	char letter; /* 0: none */
	const char *name;
	const char *arg; /* NULL: takes no value */
	enum offer offer;
	struct said help;
};

enum option_id {
	OPT_HELP = 1,
	OPT_LANG,
	OPT_JSON,
	OPT_CSV,
	OPT_STORE,
	OPT_SOCKET,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_HOST,
	OPT_USER,
	OPT_PROGRAM,
	OPT_PATH,
	OPT_KIND,
	OPT_CLASS,
	OPT_TEXT,
	OPT_FACT,
	OPT_LIMIT,
	OPT_NEWEST,
	OPT_FOLLOW,
	OPT_FIELDS,
	OPT_COLOR,
	OPT_QUIET,
	OPT_DEVICE,
	OPT_LOG_KEY,
	OPT_CHECKPOINT,
	OPT_WITNESSES,
	OPT_WITNESS_POLICY,
	OPT_TIMESTAMPS,
	OPT_TSA_CA,
	OPT_NAME,
	OPT_VALID,
	OPT_REASON,
	OPT_UNHEARD,
	OPT_OUT,
	OPT_NO_BODIES,
	OPT_DEVICES,
	OPT_KEY,
	OPT_USB,
	OPT_DEVICE_KIND,
	OPT_GROUP,
	OPT_AT,
	OPT_ADMINS,
	OPT_FOR,
	OPT_ACCESS,
	OPT_ROSTER,
	OPT_INTO,
	OPT_WAIT,
	OPT_CERTIFICATE,
	OPT_OIDC,
	OPT_PRINTER,
	OPT_TITLE,
	OPT_PAGES,
	OPT_ROLE,
	OPT_SCOPE,
	OPT_MONTH,
	OPT_PDF,
	OPT_CSV_DIR,
	OPT_SCHEDULED,
	OPT_CONFIG,
	OPT_CHANNEL,
	OPT_AGAIN,
	OPT_NEW_KEYS,
	OPT_FILE,
	OPT_ADMIN_KEY,
	OPT_FORMAT,
	OPT_MIB,
	OPT_FOUND,
	OPT_POLICY,
	OPT_UNREADABLE,
	OPT_PROTECTED,
	OPT_SHARE,
	OPT_TO,
	OPT_READERS,
	OPT_FROM,
};

#define OPTIONS_GIVEN_MAX 128

/* One run of the program: what the command line said. */
struct ctl {
	enum record_lang lang;
	const struct command *command;
	char **argv; /* as main got it */
	struct {
		int id;
		const char *value;
	} given[OPTIONS_GIVEN_MAX];
	unsigned given_n;
	char **operands;
	int operands_n;
};

struct command {
	const char *name;
	const char *sub;                  /* second word, or NULL */
	const struct option_row *options; /* ends with id 0; --help and --lang come with every command */
	const char *operands;             /* for the usage line, or NULL where there are none */
	int operands_min, operands_max;
	enum offer offer; /* for operands */
	struct said help;
	int (*run)(struct ctl *c); /* EXIT_* */
};

/* All of them; a NULL name ends the table. */
extern const struct command commands[];
extern const struct option_row common_options[];

int command_log(struct ctl *c);
int command_trail(struct ctl *c);
int command_status(struct ctl *c);
int command_doctor(struct ctl *c);
int command_timestamp(struct ctl *c);
int command_verify(struct ctl *c);
int command_verify_bundle(struct ctl *c);
int command_export(struct ctl *c);
int command_export_parquet(struct ctl *c);
int command_export_clickhouse(struct ctl *c);
int command_decode(struct ctl *c);
int command_evidence_list(struct ctl *c);
int command_evidence_take(struct ctl *c);
int command_evidence_open(struct ctl *c);
/*
 * Reads --key FILE and, where it is given, --certificate FILE: of whoever opens what was sealed for him. `missing` is
 * said where there is no --key. The caller wipes the key. An exit code; EXIT_GOOD.
 */
int evidence_key(struct ctl *c, const char *missing, struct buf *key, struct buf *certificate);
#define EVIDENCE_KEY_MAX (64u << 10)
int command_token_create(struct ctl *c);
int command_token_list(struct ctl *c);
int command_host_list(struct ctl *c);
int command_host_revoke(struct ctl *c);
int command_host_retire(struct ctl *c);
int command_retention_show(struct ctl *c);
int command_retention_plan(struct ctl *c);
int command_retention_hold(struct ctl *c);
int command_retention_lift(struct ctl *c);
int command_retention_request(struct ctl *c);
int command_retention_countersign(struct ctl *c);
int command_retention_order(struct ctl *c);
int command_store_stats(struct ctl *c);
int command_store_rebuild(struct ctl *c);
int command_store_move(struct ctl *c);
int command_store_backup(struct ctl *c);
int command_store_restore(struct ctl *c);
int command_host_export(struct ctl *c);
int command_policy_check(struct ctl *c);
int command_policy_explain(struct ctl *c);
int command_policy_fingerprint(struct ctl *c);
int command_policy_diff(struct ctl *c);
int command_policy_replay(struct ctl *c);
int command_policy_keygen(struct ctl *c);
int command_policy_sign(struct ctl *c);
int command_policy_show(struct ctl *c);
int command_policy_apply(struct ctl *c);
int command_policy_push(struct ctl *c);
int command_policy_status(struct ctl *c);
int command_report(struct ctl *c);
int command_print_queues(struct ctl *c);
int command_print_held(struct ctl *c);
int command_quarantine_order(struct ctl *c);
int command_quarantine_release(struct ctl *c);
int command_quarantine_request(struct ctl *c);
int command_print_release(struct ctl *c);
int command_reason(struct ctl *c);
int command_usb_list(struct ctl *c);
int command_usb_learn(struct ctl *c);
/* self.c: maintenance of the agent itself. */
int command_self_show(struct ctl *c);
int command_self_open(struct ctl *c);
int command_self_close(struct ctl *c);

int command_release(struct ctl *c);
int command_release_answer(struct ctl *c);
int command_release_keygen(struct ctl *c);
int command_console_user(struct ctl *c);
int command_enrol(struct ctl *c);
int command_collector_init(struct ctl *c);
int command_collector_join(struct ctl *c);
int command_collector_list(struct ctl *c);
int command_collector_admit(struct ctl *c);
int command_completion(struct ctl *c);
int command_version(struct ctl *c);
int command_help(struct ctl *c);

/* --- the command line (options.c) --- */

/* Reads argv into `c`. EXIT_GOOD, or EXIT_USAGE after saying what is wrong. */
int options_parse(struct ctl *c, int argc, char **argv);
/* The usage of one command, or of all. */
void options_help(const struct ctl *c, FILE *out);
/* The commands: those that begin with the word `name`, or all where it is NULL. */
void options_overview(const struct ctl *c, const char *name, FILE *out);
/* Was it given? And its (last) value, or NULL. */
bool option_on(const struct ctl *c, int id);
const char *option_value(const struct ctl *c, int id);
/* Japanese where LC_ALL, LC_MESSAGES or LANG (the first that is set) says so. */
enum record_lang lang_of_environment(void);

/* --- saying things (say.c) --- */

/* To standard error, behind the program's name; returns `code`. */
int complain(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An answer of the libraries: `what` failed with `r` (-errno or a verdict) because of `why`. Returns the exit code. */
int complain_of(const struct ctl *c, const char *what, int r, const struct why *why);
/* What --json prints, on standard output at once; NULL where there was no memory for it. EXIT_GOOD or EXIT_MACHINE. */
int say_json(const json_t *o);
/* Writes and clears the buffer. false where nobody reads any more, or the disk is full (said, but for a closed pipe).
 */
bool out_put(struct buf *b);
/* "escaped" into a fixed array, for one message. */
#define SHOWN_MAX 512
const char *shown(char out[SHOWN_MAX], const char *s);
/* The command of these words (`sub` may be NULL or no word of it at all); *group: others begin with `name` and a second
 * word. NULL where there is none. */
const struct command *command_find(const char *name, const char *sub, bool *group);
/* EXIT_USAGE, said. */
int complain_command(const struct ctl *c, const char *name, const char *sub, char text[SHOWN_MAX]);

/* Where a path of packaging/LAYOUT.md lies: behind SEKISHO_ROOT where tests set it. Exits where it is too long. */
void layout_path(char *out, size_t size, const char *path);

#define STORE_PATH "/var/lib/sekisho-collector/store" /* where no settings say another */
#define STATE_PATH "/var/lib/sekisho-collector/state" /* where the store is a database */
#define LOG_KEY_PATH "/var/lib/sekisho-collector/log.vkey"
#define RUN_PATH "/run/sekisho"
#define SOCKET_PATH "/run/sekisho/collector.sock"
#define CONSOLE_SOCKET_PATH "/run/sekisho/console.sock"

/* The store that is meant: --store, or that of this machine's collector, by the settings of its console or its own.
 * Exits where those cannot be understood. */
const char *store_path(const struct ctl *c, char *room, size_t size);
/* Beside which folder the collector's keys lie: the store itself, or where it is a database, the folder of its state.
 */
const char *store_folder(const char *store, char *room, size_t size);

#endif

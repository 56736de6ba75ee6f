/*
 * The console's process: what all operations share. One thread, one loop.
 */
#ifndef SEKISHO_CONSOLE_CONSOLE_H
#define SEKISHO_CONSOLE_CONSOLE_H

#include "collector/console/attempt.h"
#include "collector/console/challenge.h"
#include "collector/console/config.h"
#include "collector/console/session.h"
#include "collector/http/server.h"
#include "collector/report/settings.h"
#include "collector/store/store.h"
#include "policy/wire/spool.h"

#define CONSOLE_QUERY_MAX 8192u

#define ALERT_ID_SIZE 16u
#define ALERTS_FRESH 64u
#define SERVERS_MAX 8u

#define SECONDS_MAX 64u

/* Somebody who has shown the first factor, and has the second one before them (second.c). */
struct second {
	struct digest id; /* of the cookie */
	char account[ACCOUNT_NAME_SIZE], address[ADDRESS_SIZE];
	struct began began; /* by the OpenID provider; else by a password */
	int64_t at_us;      /* boot clock; 0: nobody */
};

struct page;
struct visitors;
struct federation;
struct traffic;
struct attention;
struct plugged;
struct versions;
struct live;
struct export;
struct bundling;
struct registering;
struct making;
struct trying;

struct console {
	struct config conf;
	struct server server;
	struct store *store;    /* NULL: not there, or it failed; store_of opens it again */
	int64_t store_rests_us; /* ... but not before, by the boot clock */
	struct key *device;
	struct sealer *sealer;
	struct accounts accounts;
	struct sessions *sessions;
	struct attempts *attempts;
	struct challenges *challenges;
	struct second seconds[SECONDS_MAX];
	struct page *page;
	struct federation *federation; /* NULL: there is no OpenID provider */
	struct visitors *visitors;     /* NULL: nobody is asked for a certificate */
	struct traffic *traffic;
	struct attention *attention;
	struct plugged *plugged;
	struct versions *versions; /* of the PCs; NULL: nobody has asked yet */
	struct live *lives;
	struct export *exports;
	unsigned exports_n;
	struct filing *filings; /* proofs that are being scanned */
	unsigned filings_n;
	struct bundling *bundles;
	unsigned bundles_n;
	struct registering *registers;
	unsigned registers_n;
	struct making *makings; /* reports */
	unsigned makings_n;
	struct report_settings report_settings;
	struct trying *trials;
	unsigned trials_n;
	struct buf vkey; /* of the log, text without newline */
	struct verifier log;
	bool has_log;
	struct record record; /* of the access log, while it is made */
	/* Alerts that were acknowledged last: the log has them a moment later. */
	struct fresh_alert {
		uint8_t id[ALERT_ID_SIZE];
		int64_t at_us; /* 0: none */
		char by[ACCOUNT_NAME_SIZE], comment[1001];
	} fresh_alerts[ALERTS_FRESH];
	unsigned fresh_alerts_n;
	/* Hosts that are the collector's own or work beside it, as far as they were met. */
	struct {
		struct digest id;
		unsigned producer;
	} servers[SERVERS_MAX];
	unsigned servers_n;
	int64_t servers_due_us; /* boot clock: when all hosts are looked at again */
	char metrics_token[129];

	struct event *seal_timer;
	int64_t started_wall_us, door_failed_us;
	int failed; /* -errno with which the process has to end */
	struct log_limit limit;
	struct {
		uint64_t signed_in, sign_in_refused, denied, searches, exports, told, statuses[6];
	} count;
};

/* One operation as its function sees it. */
struct call {
	struct console *c;
	struct ask *a;
	const struct route *route;
	struct session *session; /* NULL where none is needed */
	struct account *account;
	struct began began; /* by what a session begins that is made now */
	char address[ADDRESS_SIZE];
	char id[80]; /* what stands for {...} in the path */
};

/* --- main.c --- */
/* The machine failed us: the loop ends, the process with it. */
void console_fail(struct console *c, int r, const char *what);
/* The store, opened where it is not. 0; V_NOT_FOUND; -errno. */
int store_of(struct console *c);
/* A question to the store failed: answers 503 (400 where it was the question), and lets go of a store that is broken.
 */
void store_failed(struct call *x, int r, const struct why *why);

/* --- certificate.c: what needs root --- */
/* Makes folders, keys, the certificate where they are missing or run out. 0; V_BAD, V_NOT_FOUND; -errno. */
int console_prepare(const struct config *c, struct why *why);

/* --- route.c: the one place where rights are checked --- */
void console_route(struct ask *a);

/* --- answer helpers (reply.c) --- */
void reply(struct call *x, json_t *steal);
void reply_none(struct call *x);
void reply_error(struct call *x, int status, const char *word, const char *reason);
/* The same as OAuth has errors (RFC 6749 section 5.2), for a provider that asks. */
void reply_oauth(struct call *x, int status, const char *word, const char *description);
/* A string of an object; "" where there is none. */
const char *text_of(const json_t *o, const char *name);
/* A moment in text, or null where it is 0. */
json_t *time_json(int64_t wall_us);
/* A string that may not be UTF-8: {"hex": ...} then. */
json_t *name_json(struct span s);
/* Text that must be a string: escaped where it is not UTF-8. */
json_t *text_json(struct span s);
json_t *digest_json(const struct digest *d);
/* Bytes in base64 (RFC 4648 section 4). NULL: no memory. */
json_t *base64_json(struct span s);
/* A record by the field table. */
json_t *record_to_json(const struct store_row *row);
/* The body as an object of at most `max` bytes with no other names than these (ending with NULL). NULL: answered. */
json_t *body_object(struct call *x, size_t max, const char *const *names);
/* A string of the body, at most `max` bytes without NUL. NULL: answered. */
const char *body_text(struct call *x, const json_t *o, const char *name, size_t max);

/* --- tell.c: the access log --- */
/* What somebody did. `text` and `hash` may be NULL. */
struct told {
	unsigned kind, cause;
	const char *account, *address, *operation, *text, *target, *rule, *path;
	const char *findings; /* of who scanned what was handed in */
	const char *method;   /* by which somebody signs in */
	const uint8_t *alert; /* its id */
	const struct digest *peer;
	const char *peer_name;
	const struct digest *hash;
	uint64_t count;
	unsigned uid;
	bool has_count, has_uid, urgent;
};
int tell_open(struct console *c, struct why *why);
void tell_close(struct console *c);
/* 0; V_FULL where it cannot be recorded: then nothing may be shown or changed; -errno. */
int tell(struct console *c, const struct told *t);
/* For a call: fills in who. False: it could not be recorded, and is answered (503). */
bool tell_call(struct call *x, struct told t);
/* The same for what is looked at, at most once a minute for the same session and question. */
bool tell_view(struct call *x, unsigned kind, const char *text, uint64_t count);

/* --- sign_in.c, own.c, passkeys.c, people.c: who asks (sign_in.h) --- */
void ways_get(struct call *x);
void session_get(struct call *x);
void session_post(struct call *x);
void session_delete(struct call *x);
/* Ends sessions that are over. */
void sessions_tick(struct console *c);
/* Gives up on those who have not shown their second factor. */
void seconds_tick(struct console *c);
void others_get(struct call *x);
void others_end_post(struct call *x);
void password_post(struct call *x);
void totp_post(struct call *x);
void totp_remove_post(struct call *x);
void recovery_post(struct call *x);
void challenge_post(struct call *x);
void oidc_post(struct call *x);
void oidc_return_post(struct call *x);
/* --- backchannel.c: the OpenID provider signs somebody out --- */
void oidc_backchannel_post(struct call *x);
void passkeys_get(struct call *x);
void passkeys_ask_post(struct call *x);
void passkeys_post(struct call *x);
void passkey_remove(struct call *x);
void people_get(struct call *x);
void people_passkey_remove(struct call *x);

/* --- visitors.c: the certificates that people show --- */
/* TLS for browsers, as collector.conf has it. 0; V_BAD with the reason; -errno. */
int visitors_open(struct console *c, struct why *why);
void visitors_close(struct console *c);
/* Reads the CA and the list of revoked ones again where they changed; a file that is not good changes nothing. */
void visitors_tick(struct console *c);
/* What this browser showed, for whoever sees it: {name, refused}, or null. */
json_t *visitor_json(const struct call *x);
/*
 * Is what this browser shows a certificate of this account (which may be NULL)? *key is it; else the reason says what
 * was wrong.
 */
bool visitor_good(struct call *x, struct account *a, struct bound_certificate **key, struct why *why);
/* Does the connection still show what its session began with? */
bool visitor_same(const struct call *x);

/* --- records.c, proven.c, facets.c, csv.c, vocabulary.c --- */
void records_get(struct call *x);
void neighbours_get(struct call *x);
void record_get(struct call *x);
void segment_get(struct call *x);
void facets_get(struct call *x);
void csv_get(struct call *x);
/* Goes on with exports whose clients have taken what there was. */
void csv_tick(struct console *c);
void csv_stop(struct console *c);
/* --- trail.c: the life of a file --- */
void trail_get(struct call *x);
void trail_csv_get(struct call *x);
void vocabulary_get(struct call *x);

/* --- searches.c: what people save by name --- */
void searches_get(struct call *x);
void searches_put(struct call *x);

/* --- bundle.c --- */
void bundle_get(struct call *x);
/* Goes on with the evidence bundles that are being made. */
void bundle_tick(struct console *c);
void bundle_stop(struct console *c);
void log_get(struct call *x);

/* --- register.c, proofs.c, proofs_file.c --- */
void register_get(struct call *x);
/* Goes on with the registers that are being made. */
void register_tick(struct console *c);
void register_stop(struct console *c);
void proofs_post(struct call *x);
/* Those that are being scanned are refused: the console ends. */
void proofs_stop(struct console *c);
/* Where the one of this SHA-256, in hexadecimal digits, is kept; of "", their folder. 0; -ENAMETOOLONG. */
int proofs_path(const struct console *c, const char *hex, char *out, size_t size);
void proofs_get(struct call *x);
void proof_get(struct call *x);
#define PROOF_MAX (2u << 20)
/* Is this what the filing of a proof leaves? Of the console's own records only. */
bool proofs_is(const struct record *r);
/* The bytes of one, as they were filed. 0; V_NOT_FOUND; V_BAD where they are others now; -errno. */
int proofs_read(const struct console *c, const struct digest *hash, struct buf *out);

/* --- reports.c --- */
void reports_post(struct call *x);
void report_get(struct call *x);
void report_file_get(struct call *x);
/* Goes on with the reports that are being made, and forgets those whose time is over. */
void reports_tick(struct console *c);
void reports_stop(struct console *c);

/* --- alerts.c --- */
void alerts_get(struct call *x);
void alert_seen_post(struct call *x);
/* Alerts since then that this account may see, newest first. 0; verdicts of the store; -errno. */
int alerts_list(struct call *x, int64_t from_us, json_t **list, bool *complete, struct why *why);

/* --- overview.c (attention.h), expiring.c, traffic.c, live.c --- */
void overview_get(struct call *x);
void expiring_get(struct call *x);
int traffic_new(struct console *c, struct traffic **out);
void traffic_free(struct traffic *t);
/* Takes in what is new, and a piece of what was before; for attention.c and plugged.c, too. */
void traffic_tick(struct console *c);
/* What is new alone: whoever asks now is told what can be found now. 0; what the store answers. */
int traffic_follow(struct console *c);
/* The row with which following began: those up to it were there before. */
uint64_t traffic_began(const struct console *c);
void traffic_get(struct call *x);
void live_get(struct call *x);
/* One record more, for those who look on. */
void live_row(struct console *c, const struct store_row *row);
void live_tick(struct console *c);
void live_stop(struct console *c);

/* --- trial.c --- */
void policy_replay_post(struct call *x);
/* Goes on with the policies that are being tried. */
void trial_tick(struct console *c);
void trial_stop(struct console *c);

/* --- hosts.c, policy.c, unlisted.c --- */
void hosts_get_all(struct call *x);
/* A record that has become searchable: the release that starts on a PC is kept up. 0; -ENOMEM. */
int hosts_row(struct console *c, const struct store_row *row);
void hosts_versions_free(struct versions *v);
void host_get(struct call *x);
void host_revoke(struct call *x);
void host_retire(struct call *x);
void tokens_get(struct call *x);
void tokens_post(struct call *x);
void policy_get(struct call *x);
void policy_post(struct call *x);
void policy_check_post(struct call *x);
void policy_status(struct call *x);
void unlisted_get(struct call *x);
/* What an answer of the collector's says of PCs ("hosts"), by their ids; the caller's. NULL without memory. */
json_t *hosts_by_id(const json_t *answer);
/* By the ids of PCs that sleep: since when, as the herald found last; the caller's. Empty where it says nothing. */
json_t *hosts_asleep(const struct console *c);
/* Of one of the collector's list, which is not connected: since when it sleeps; 0 where it does not. */
int64_t host_asleep(const json_t *asleep, const json_t *host);
/* Is a PC that was heard of then silent now? */
bool host_is_silent(const struct console *c, int64_t seen_us);
/* --- policy_kept.c: the versions that the collector keeps --- */
void policy_versions_get(struct call *x);
/* When a version was laid into the collector's folder, and the next one after it; 0: not known, none yet. */
struct policy_times {
	int64_t from_us, to_us; /* wall clock */
};
struct bundle;
/*
 * A signed policy of the collector by its version, 0 for the newest: texts into `raw`, from which *out borrows. `times`
 * may be NULL. 0; V_NOT_FOUND; V_BAD where it is damaged or signed by none of admin.keys; -errno.
 */
int policy_kept(struct console *c, uint64_t version, struct buf *bytes, struct buf *raw, struct bundle *out,
	struct policy_times *times);
/* The newest one. As policy_kept. */
int policy_newest(struct console *c, struct buf *bytes, struct buf *raw, struct bundle *out);

/* --- door.c: the collector's door --- */
/*
 * Asks the collector: a GET where `type` is NULL, else a POST. 0 with an object; V_DENIED with *status and the reason;
 * V_AGAIN where it cannot be reached; -errno.
 */
int door_ask(struct console *c, const char *target, const char *type, struct span body, json_t **answer, int *status,
	struct why *why);
/* The same for a call; false: answered. */
bool door_call(struct call *x, const char *target, const char *type, struct span body, json_t **answer);

/* --- desk.c: our own door, for sekishoctl --- */
void desk_route(struct console *c, struct ask *a);

/* --- page.c: static files --- */
int page_load(const struct config *c, struct page **out, struct why *why);
void page_free(struct page *p);
/* False where there is no such file. */
bool page_get(struct console *c, struct ask *a);

/* --- metrics.c --- */
void metrics_get(struct console *c, struct ask *a);
void status_write(struct console *c, bool running);

#endif

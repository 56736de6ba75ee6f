/*
 * The policy: what may be done with which device, by whom, when. Two texts that the administrator writes: policy.yaml
 * (defaults and rules, in order) and devices.csv (the ledger of devices that the office keeps). Loaded by sekishoctl
 * and by the guard from a signed bundle; the manual is policy.yaml(5), the editors' schema
 * packaging/examples/policy.schema.json.
 *
 *   1. the first rule that fits decides; access `listed` fits only where the ledger has a row for the device
 *   2. else the ledger: of the rows that fit, the most restrictive
 *   3. else the default of the kind
 *
 * A row speaks of what can be written to: where a device is storage and something else as well (a stick with a keyboard
 * inside), its row says nothing of the rest.
 *
 * Pure: reads no file, asks neither clock nor users. Same facts, same answer, on the PC and at the administrator's.
 */
#ifndef SEKISHO_RULE_POLICY_H
#define SEKISHO_RULE_POLICY_H

#include "policy/rule/device.h"

#define POLICY_YAML_MAX (512u << 10)
#define POLICY_CSV_MAX (3u << 20)
#define POLICY_RULES_MAX 1024u
#define POLICY_ROWS_MAX 20000u /* of the ledger */
#define POLICY_EXPECTATIONS_MAX 1024u
#define POLICY_NAME_SIZE 64u
#define POLICY_REASON_SIZE 256u

struct policy;

/*
 * Loads both texts; `csv` may be empty. Reasons name file, line and what was expected ("devices.csv:17: access:
 * "readonly" is none of deny, read-only, read-write"). 0; V_BAD; -ENOMEM.
 */
int policy_load(struct span yaml, struct span csv, struct policy **out, struct why *why);
void policy_free(struct policy *p);
DEFINE_CLEANUP(struct policy *, policy_free)

/* What holds where no policy was ever applied: the defaults of each kind, enforced, version 0. */
int policy_builtin(struct policy **out);

uint64_t policy_version(const struct policy *p); /* `version:` of the YAML */
bool policy_notes_only(const struct policy *p);  /* `mode: note` for the whole */
unsigned policy_rules_n(const struct policy *p);
unsigned policy_rows_n(const struct policy *p);
/* ACCESS_* where no rule and no row fits. */
unsigned policy_default(const struct policy *p, unsigned kind);

/* Release codes: the administrators' public key for them (base64 of SubjectPublicKeyInfo; "" for none), and bounds. */
const char *policy_release_key(const struct policy *p);
unsigned policy_release_max_s(const struct policy *p);
unsigned policy_release_per_day(const struct policy *p);

/* `past_cups:`, connections to printers by programs that are not CUPS. Empty lists: what the guard has by itself. */
#define PAST_CUPS_RANGES_MAX 16u
#define PAST_CUPS_SERVICES_MAX 8u
#define PAST_CUPS_SERVICE_SIZE 64u
enum { PAST_CUPS_NOTE, PAST_CUPS_DENY, PAST_CUPS_IGNORE };
struct past_cups_range {
	uint16_t from, to;
	bool local; /* of this machine */
};
struct policy_past_cups {
	unsigned action;
	unsigned ranges_n, services_n;
	struct past_cups_range range[PAST_CUPS_RANGES_MAX];
	char service[PAST_CUPS_SERVICES_MAX][PAST_CUPS_SERVICE_SIZE];
};
const struct policy_past_cups *policy_past_cups(const struct policy *p);

/* What a decision came from; policy_reason puts it into words. */
enum policy_because {
	BECAUSE_DEFAULT,    /* in no rule and in no row */
	BECAUSE_NOT_NOW,    /* listed, but not for who is here, or not now */
	BECAUSE_RULE,       /* the first rule that fits; `line` of policy.yaml */
	BECAUSE_ROW,        /* `row` of the ledger */
	BECAUSE_ROW_TWIN,   /* the row grants more, but: another device with this serial number */
	BECAUSE_ROW_PLAIN,  /* ... the medium is not encrypted */
	BECAUSE_ROW_MEDIUM, /* ... it is another medium */
	BECAUSE_TWIN,       /* whatever the rule says */
	BECAUSE_RELEASE,    /* a code of the administrator's */
};

struct decision {
	unsigned kind;                   /* DEVICE_KIND_* that was decided */
	unsigned access;                 /* ACCESS_*: what is in force; with `note`, what would be */
	bool note;                       /* watch only: nothing is held because of this decision */
	char rule[POLICY_NAME_SIZE + 8]; /* "rule:finance", "ledger:17" (line of the CSV), "default:storage" */
	enum policy_because because;
	unsigned line;                   /* of policy.yaml: the rule's; 0: none */
	char reason[POLICY_REASON_SIZE]; /* policy_reason in English, for records */
	unsigned row;                    /* line of the CSV that granted; 0: none */
	char owner[64], label[64];       /* of that row, for records and notifications */
	int64_t until_us; /* wall clock: the decision may be another one then (end of hours, expiry); INT64_MAX: never
			   */
};

/*
 * Decides what `d` may do as a `kind`. Always answers (what cannot be decided gets the default, or is denied where even
 * that is missing).
 *
 * Nobody signed in: rules and rows that name users or groups do not fit. A device whose serial is there twice (`twin`)
 * is not written to, whatever rule or row grants it. A row that asks for encryption or a medium's UUID grants
 * read-only until the medium has it.
 */
void policy_decide(const struct policy *p, const struct device *d, unsigned kind, const struct device_user *who,
	struct decision *out);
/* Which facts led there, for people. */
void policy_reason(const struct decision *d, enum record_lang lang, char out[POLICY_REASON_SIZE]);

/* What a check found, in words of both languages. Borrowed for the call. */
struct policy_finding {
	bool fatal;       /* refuses the policy */
	const char *code; /* for programs: "expectation", "lockout", "hidden", ...: policy.yaml(5) */
	const char *file;
	unsigned line; /* 0: of the whole file */
	const char *en, *ja;
};
typedef void (*policy_say)(void *ctx, const struct policy_finding *f);

/*
 * Tries the policy's own expectations, and looks for what would lock people out (a hid or hub default of deny, a rule
 * or a row that denies whatever keyboard comes, without `lockout: yes`). 0; V_BAD where the policy is refused.
 */
int policy_try(const struct policy *p, policy_say say, void *ctx);
/*
 * The same, and what is likely a mistake: rules and rows that never count or no longer (by `now_us`), grants to a whole
 * model, serial numbers that a spreadsheet changed. Refuses copies that one person opens alone without `alone: yes`.
 * For the administrator: takes its time with a large ledger. 0; V_BAD where it is refused; -ENOMEM.
 */
int policy_check(const struct policy *p, int64_t now_us, policy_say say, void *ctx);

/* --- as text, for diff (policy_text.c) --- */

struct policy_rule_text {
	const char *name; /* borrowed from the policy */
	unsigned line;
};
/* Rule `i` of policy_rules_n; what it asks for and gives is appended to `text`, alike for what is alike. 0, V_FULL,
 * -ENOMEM.
 */
int policy_rule(const struct policy *p, unsigned i, struct policy_rule_text *out, struct buf *text);
/* Calls `fn` for each setting that is no rule, always the same ones in the same order; its answer ends them. */
typedef int (*policy_setting_fn)(void *ctx, const char *name, const char *value);
int policy_settings(const struct policy *p, policy_setting_fn fn, void *ctx);

/* --- the ledger, for usb learn, list and diff --- */

struct ledger_row {
	unsigned line; /* of the CSV */
	uint16_t vendor, product;
	bool has_vendor, has_product, has_fingerprint, encrypted;
	struct digest fingerprint;
	unsigned access; /* ACCESS_* */
	/* borrowed from the policy; "" where empty; serial may have * and ? */
	const char *serial, *owner, *label, *users, *groups, *hosts, *medium, *note;
	int64_t from_us, until_us; /* INT64_MIN, INT64_MAX: always */
};
/* A row that says nothing and holds always. */
#define LEDGER_ROW_BLANK                                                                                          \
	.serial = "", .owner = "", .label = "", .users = "", .groups = "", .hosts = "", .medium = "", .note = "", \
	.from_us = INT64_MIN, .until_us = INT64_MAX
/* Row `i` of policy_rows_n. */
void policy_row(const struct policy *p, unsigned i, struct ledger_row *out);
/*
 * Appends a row as CSV (RFC 4180, CRLF, the columns of LEDGER_HEAD). An apostrophe stands before what a spreadsheet
 * would take for a formula, a number or a day; reading takes it away.
 */
#define LEDGER_HEAD \
	"vendor,product,serial,fingerprint,owner,label,access,users,groups,hosts,from,until,encrypted,medium,note\r\n"
int ledger_put(struct buf *out, const struct ledger_row *row);
/*
 * Appends a read-only row for a device that was seen: what it calls itself is no pattern there, and its fingerprint
 * stands where it has no serial number. 0, V_FULL, -ENOMEM.
 */
int ledger_put_device(struct buf *out, const struct device *d, const char *label, const char *note);
/* A row is for this drive, whoever plugs it in, whether it holds now or not. */
bool policy_lists(const struct policy *p, const struct device *d);

#endif

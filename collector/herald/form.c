/*
 * See form.h.
 */
#include "collector/herald/form.h"
#include "policy/base/text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#define OCSF_VERSION "1.3.0"
#define FACILITY 13u /* "log audit" */
#define SHOWN 1024
#define VALUE_MAX 256u /* bytes of one value of structured data */
/* The number that RFC 5612 sets aside for examples: this project has none of its own. */
#define SD_ID "sekisho@32473"

static uint64_t kind_of(const struct record *r)
{
	return record_has(r, F_KIND) ? r->v[F_KIND].u : 0;
}

static const char *kind_name(const struct record *r)
{
	const struct enum_info *e = enum_by_value(F_KIND, kind_of(r));

	return e ? e->name : "unknown";
}

/* How much it wants somebody: SEVERITY_*, 0 for what is the day's work. */
static unsigned weight(const struct record *r)
{
	uint64_t action = record_number(r, F_ACTION, 0);

	/* What is only tried tells nobody: policy.yaml(5), `mode: note`. */
	if (record_number(r, F_POLICY_MODE, POLICY_MODE_ENFORCE) == POLICY_MODE_NOTE)
		action = 0;
	/* of protected files: by whom or with what the policy does not name */
	if (record_has(r, F_AREA) && action == ACTION_ALERT)
		return SEVERITY_ALARM;
	switch (kind_of(r)) {
	case KIND_ALERT:
		return record_has(r, F_SEVERITY) ? (unsigned)r->v[F_SEVERITY].u : SEVERITY_WARNING;
	case KIND_WRITE_SEEN:
	case KIND_FORKED:
	case KIND_GAP:
	case KIND_WITNESS_ALARM:
	case KIND_MALWARE:
		return SEVERITY_ALARM;
	case KIND_DENIED:
	case KIND_LOSS:
	case KIND_REFUSED:
	case KIND_POLICY_REFUSED:
	case KIND_ALERT_UNSENT:
	case KIND_SCAN_MISSED:
	case KIND_REASON_MISSING:
		return SEVERITY_WARNING;
	case KIND_FILE_REFUSED:
		return action == ACTION_DENY && !span_begins(record_text(r, F_RULE), "purpose:") ? SEVERITY_WARNING
												 : SEVERITY_NOTE;
	case KIND_PRINT:
		return action == ACTION_ALERT ? SEVERITY_ALARM : action == ACTION_DENY ? SEVERITY_WARNING : 0;
	case KIND_DRIVE_FILE:
		return action == ACTION_ALERT || action == ACTION_QUARANTINE ? SEVERITY_ALARM : 0;
	case KIND_COPY_TAKEN:
		return SEVERITY_NOTE;
	case KIND_DRIVE_SEALED:
	case KIND_DRIVE_OPENED:
		return record_has(r, F_CAUSE) ? SEVERITY_ALARM : SEVERITY_NOTE;
	default:
		return 0;
	}
}

/* --- syslog --- */

/* RFC 5424, section 6: printable, of ASCII, without spaces; at most `max`. */
static bool is_word(const char *s, size_t max)
{
	size_t n = strlen(s), i;

	for (i = 0; i < n && s[i] > 32 && s[i] < 127; i++)
		;
	return n && n <= max && i == n;
}

/* Section 6.3.3: a value in quotes, with three letters escaped; control characters do not pass. */
static int param(struct buf *out, const char *name, struct span s)
{
	char shown[VALUE_MAX];
	const char *p;
	int r;

	if (!s.n)
		return 0;
	text_escape_to(shown, sizeof(shown), s);
	r = buf_putf(out, " %s=\"", name);
	for (p = shown; !r && *p; p++) {
		if (strchr("\"\\]", *p))
			r = buf_put(out, "\\", 1);
		r = r ? r : buf_put(out, p, 1);
	}
	return r ? r : buf_puts(out, "\"");
}

static int timestamp(struct buf *out, const struct record *r)
{
	char text[TEXT_TIME_SIZE];

	if (!record_has(r, F_TIME))
		return buf_puts(out, "-");
	text_time_utc(text, r->v[F_TIME].i);
	/* A year of four digits, or nothing that a receiver could read. */
	return buf_puts(out, strlen(text) == strlen("2026-11-23T10:02:33.123456Z") ? text : "-");
}

int form_syslog(const struct store_row *row, struct buf *out)
{
	static const unsigned levels[] = {6, 1, 4, 5}; /* by weight: informational, alert, warning, notice */
	const struct record *rec = &row->record;
	unsigned w = weight(rec), level = levels[w < ARRAY_SIZE(levels) ? w : 0];
	char host[2 * DIGEST_SIZE + 1], text[32];
	int r = buf_putf(out, "<%u>1 ", FACILITY * 8 + level);

	hex_encode(host, row->host.b, DIGEST_SIZE);
	r = r ? r : timestamp(out, rec);
	r = r ? r : buf_puts(out, " ");
	r = r ? r : buf_puts(out, row->host_name && is_word(row->host_name, 255) ? row->host_name : host);
	snprintf(text, sizeof(text), "%llu", record_has(rec, F_PID) ? (unsigned long long)rec->v[F_PID].u : 0);
	r = r ? r : buf_putf(out, " sekisho %s ", record_has(rec, F_PID) ? text : "-");
	r = r ? r : buf_puts(out, is_word(kind_name(rec), 32) ? kind_name(rec) : "-");
	snprintf(text, sizeof(text), "%llu", (unsigned long long)row->row);
	r = r ? r : buf_puts(out, " [" SD_ID);
	r = r ? r : param(out, "record", SPAN_STR(text));
	r = r ? r : param(out, "hostId", SPAN_STR(host));
	r = r ? r : param(out, "host", SPAN_STR(row->host_name ? row->host_name : ""));
	r = r ? r : param(out, "user", record_text(rec, F_USER));
	/* Section 6.4: what is UTF-8 says so by its first three bytes. */
	r = r ? r : buf_puts(out, "] \xef\xbb\xbf");
	return r ? r : record_line(rec, LANG_EN, out);
}

/* --- OCSF --- */

struct ocsf_class {
	unsigned category, class, activity;
	const char *category_name, *class_name, *activity_name;
};

#define FILE_(no, name)                                                      \
	{                                                                    \
		1, 1001, no, "System Activity", "File System Activity", name \
	}
#define PROCESS_(no, name)                                               \
	{                                                                \
		1, 1007, no, "System Activity", "Process Activity", name \
	}
/* What the schema has no class for. Of it, no profile of a host is part. */
#define BASE_(name)                                           \
	{                                                     \
		0, 0, 99, "Uncategorized", "Base Event", name \
	}
#define AUTH_(no, name)                                                             \
	{                                                                           \
		3, 3002, no, "Identity & Access Management", "Authentication", name \
	}

static struct ocsf_class class_of(const struct record *r)
{
	bool wrote = record_has(r, F_WRITTEN) && r->v[F_WRITTEN].u;
	bool created = record_has(r, F_FLAGS) && r->v[F_FLAGS].u & RF_CREATED;

	switch (kind_of(r)) {
	case KIND_FILE:
		if (created)
			return (struct ocsf_class)FILE_(1, "Create");
		return wrote ? (struct ocsf_class)FILE_(3, "Update") : (struct ocsf_class)FILE_(2, "Read");
	case KIND_COPY:
	case KIND_MKDIR:
	case KIND_LINK:
	case KIND_SYMLINK:
		return (struct ocsf_class)FILE_(1, "Create");
	case KIND_UNLINK:
	case KIND_RMDIR:
		return (struct ocsf_class)FILE_(4, "Delete");
	case KIND_RENAME:
		return (struct ocsf_class)FILE_(5, "Rename");
	case KIND_TRUNCATE:
		return (struct ocsf_class)FILE_(3, "Update");
	case KIND_CHMOD:
	case KIND_CHOWN:
		return (struct ocsf_class)FILE_(7, "Set Security");
	case KIND_EXEC:
	case KIND_FORK:
		return (struct ocsf_class)PROCESS_(1, "Launch");
	case KIND_EXIT:
		return (struct ocsf_class)PROCESS_(2, "Terminate");
	case KIND_LOGIN:
	case KIND_SIGN_IN:
	case KIND_SIGN_IN_REFUSED:
		return (struct ocsf_class)AUTH_(1, "Logon");
	case KIND_LOGOUT:
	case KIND_SIGN_OUT:
		return (struct ocsf_class)AUTH_(2, "Logoff");
	case KIND_ALERT:
		return (struct ocsf_class){2, 2004, 1, "Findings", "Detection Finding", "Create"};
	case KIND_ALERT_SEEN:
		return (struct ocsf_class){2, 2004, 2, "Findings", "Detection Finding", "Update"};
	default:
		return (struct ocsf_class)BASE_(kind_name(r));
	}
}

static json_t *shown(struct span s)
{
	char text[SHOWN];

	return s.n ? json_string(text_escape_to(text, sizeof(text), s)) : NULL;
}

/* Sets what there is. */
static void put(json_t *o, const char *name, json_t *v)
{
	if (v)
		json_object_set_new(o, name, v);
}

static struct span last_part(struct span path)
{
	size_t n = path.n;

	while (n && path.p[n - 1] != '/')
		n--;
	return n < path.n ? SPAN(path.p + n, path.n - n) : path;
}

/* As the schema numbers them. */
enum { FILE_REGULAR = 1, FILE_FOLDER = 2, FILE_SYMLINK = 7 };

static json_t *file_json(struct span path, int type)
{
	json_t *o = path.n ? json_pack("{s:i}", "type_id", type) : NULL;

	if (!o)
		return NULL;
	put(o, "path", shown(path));
	put(o, "name", shown(last_part(path)));
	return o;
}

static json_t *user_json(const struct record *r, unsigned name, unsigned uid)
{
	char text[24];
	json_t *o;

	if (!record_text(r, name).n && !record_has(r, uid))
		return NULL;
	o = json_object();
	put(o, "name", shown(record_text(r, name)));
	if (record_has(r, uid)) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)r->v[uid].u);
		put(o, "uid", json_string(text));
	}
	return o;
}

/* Required of a process: its pid, or a name that we give it. */
static json_t *process_json(const struct record *r)
{
	json_t *o = json_object();

	if (record_has(r, F_PID) && r->v[F_PID].u <= INT32_MAX)
		put(o, "pid", json_integer((json_int_t)r->v[F_PID].u));
	else
		put(o, "uid", json_string("unknown"));
	put(o, "name", shown(record_has(r, F_COMM) ? record_text(r, F_COMM) : last_part(record_text(r, F_PROGRAM))));
	put(o, "file", file_json(record_text(r, F_PROGRAM), FILE_REGULAR));
	put(o, "cmd_line", shown(record_text(r, F_ARGS)));
	put(o, "user", user_json(r, F_USER, F_UID));
	return o;
}

/* Whom a session is of: who is signed in, else who acted. Required: one that has no name is unknown. */
static json_t *session_user(const struct record *r)
{
	json_t *o =
		record_has(r, F_TARGET_USER) ? user_json(r, F_TARGET_USER, F_TARGET_UID) : user_json(r, F_USER, F_UID);

	return o ? o : json_pack("{s:s}", "name", "unknown");
}

/* A DNS name, as the schema's hostname_t has it; others are names. */
static bool is_hostname(const char *s)
{
	bool begins = true;

	for (; *s; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');

		if (!plain && (begins || (*s != '-' && *s != '.') || !s[1] || (*s == '.' && s[-1] == '-') ||
				      (*s == '-' && s[1] == '.')))
			return false;
		begins = *s == '.';
	}
	return !begins;
}

/* Adds what the PC is called. */
static void put_host(json_t *o, const struct store_row *row)
{
	const char *name = row->host_name ? row->host_name : "";

	put(o, is_hostname(name) ? "hostname" : "name", shown(SPAN_STR(name)));
}

/* From where: an address, or what else was told. */
static json_t *remote_json(struct span remote)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t address[sizeof(struct in6_addr)];

	if (!remote.n)
		return NULL;
	text_copy(text, sizeof(text), remote);
	return json_pack("{s:o}",
		inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1 ? "ip" : "name",
		shown(remote));
}

static int file_type(const struct record *r)
{
	switch (kind_of(r)) {
	case KIND_MKDIR:
	case KIND_RMDIR:
		return FILE_FOLDER;
	case KIND_SYMLINK:
		return FILE_SYMLINK;
	default:
		return FILE_REGULAR;
	}
}

/* What the class of the event asks for. */
static void put_class(json_t *o, const struct ocsf_class *c, const struct store_row *row, const char *host)
{
	const struct record *r = &row->record;
	char id[2 * DIGEST_SIZE + 1] = "";
	json_t *v;

	if (record_text(r, F_ALERT).n && record_text(r, F_ALERT).n <= DIGEST_SIZE)
		hex_encode(id, record_text(r, F_ALERT).p, record_text(r, F_ALERT).n);
	switch (c->class) {
	case 1001:
		v = file_json(record_text(r, F_PATH), file_type(r));
		put(o, "file", v ? v : json_pack("{s:s, s:i}", "name", "unknown", "type_id", 0));
		put(o, "file_result", file_json(record_text(r, F_PATH2), file_type(r)));
		put(o, "actor", json_pack("{s:o}", "process", process_json(r)));
		break;
	case 1007:
		put(o, "process", process_json(r));
		put(o, "actor", json_pack("{s:o}", "process", process_json(r)));
		if (record_has(r, F_EXIT_CODE) && r->v[F_EXIT_CODE].u <= INT32_MAX)
			put(o, "exit_code", json_integer((json_int_t)r->v[F_EXIT_CODE].u));
		break;
	case 3002:
		put(o, "user", session_user(r));
		put(o, "status_id", json_integer(kind_of(r) == KIND_SIGN_IN_REFUSED ? 2 : 1));
		put(o, "status", json_string(kind_of(r) == KIND_SIGN_IN_REFUSED ? "Failure" : "Success"));
		put(o, "src_endpoint", remote_json(record_text(r, F_REMOTE)));
		/* Required, or a service: to what was signed in. */
		v = json_pack("{s:s}", "uid", host);
		put_host(v, row);
		put(o, "dst_endpoint", v);
		break;
	case 2004:
		v = json_pack("{s:s}", "uid", id);
		put(v, "title", shown(record_has(r, F_RULE) ? record_text(r, F_RULE) : record_text(r, F_TEXT)));
		put(v, "desc", shown(record_text(r, F_TEXT)));
		put(o, "finding_info", v);
		put(o, "status_id", json_integer(c->activity == 1 ? 1 : 2));
		put(o, "comment", c->activity == 1 ? NULL : shown(record_text(r, F_TEXT)));
		break;
	default:
		break;
	}
}

static json_t *facts_json(const struct record *r)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FORM_MAX);

	return record_json_web(r, &text) ? NULL : json_loadb((const char *)text.p, text.n, 0, NULL);
}

static json_t *message_json(const struct record *r)
{
	_cleanup_buf_ struct buf line = BUF_INIT(FORM_MAX);

	return record_line(r, LANG_EN, &line) ? json_string(kind_name(r)) : shown(buf_span(&line));
}

int form_ocsf(const struct store_row *row, bool facts, struct buf *out)
{
	/* By weight: Informational, High, Medium, Low. */
	static const struct {
		int id;
		const char *name;
	} severities[] = {{1, "Informational"}, {4, "High"}, {3, "Medium"}, {2, "Low"}};
	const struct record *rec = &row->record;
	const struct ocsf_class c = facts ? class_of(rec) : (struct ocsf_class)BASE_(kind_name(rec));
	unsigned w = weight(rec) < ARRAY_SIZE(severities) ? weight(rec) : 0;
	char uid[24], host[2 * DIGEST_SIZE + 1];
	json_t *o, *device, *metadata;
	char *text;
	int r;

	snprintf(uid, sizeof(uid), "%llu", (unsigned long long)row->row);
	hex_encode(host, row->host.b, DIGEST_SIZE);
	device = json_pack("{s:s, s:i}", "uid", host, "type_id", 0);
	put_host(device, row);
	/* Where it was told of is in the same place in each event; the host's profile adds it to classes of its own. */
	metadata = json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s}, s:[{s:s, s:o}]}", "version", OCSF_VERSION, "uid", uid,
		"event_code", kind_name(rec), "product", "name", "Sekisho", "vendor_name", "Sekisho", "version",
		SEKISHO_VERSION, "loggers", "name", "Sekisho", "device", device);
	o = json_pack("{s:o, s:I, s:i, s:s, s:i, s:s, s:i, s:s, s:I, s:i, s:s}", "metadata", metadata, "time",
		(json_int_t)(record_has(rec, F_TIME) ? rec->v[F_TIME].i / 1000 : 0), "category_uid", (int)c.category,
		"category_name", c.category_name, "class_uid", (int)c.class, "class_name", c.class_name, "activity_id",
		(int)c.activity, "activity_name", c.activity_name, "type_uid", (json_int_t)c.class * 100 + c.activity,
		"severity_id", severities[w].id, "severity", severities[w].name);
	if (!o)
		return -ENOMEM;
	if (c.class) {
		put(metadata, "profiles", json_pack("[s]", "host"));
		put(o, "device", json_incref(device));
	}
	put(o, "message", facts ? message_json(rec) : json_string(kind_name(rec)));
	if (facts)
		put_class(o, &c, row, host);
	put(o, "unmapped", facts ? facts_json(rec) : json_pack("{s:s}", "kind", kind_name(rec)));
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	r = text ? buf_puts(out, text) : -ENOMEM;
	free(text);
	return r;
}

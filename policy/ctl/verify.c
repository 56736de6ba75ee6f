/*
 * `sekishoctl verify`: the report, and the choice between a store and files. Needs public keys alone, and writes
 * nothing.
 */
#include "policy/ctl/verify.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <sys/stat.h>

#define LINE_MAX_ 8192
#define VKEY_MAX 4096
#define SPKI_MAX 4096
#define DEVICE_PUB_PATH "/var/lib/sekisho/device/device.pub"
#define PROGRESS_AFTER_US 2000000
#define PROGRESS_EVERY_US 250000

void report_progress(struct report *r, uint64_t done, uint64_t of)
{
	int64_t now = clock_boot_us();

	if (now - r->began_us < PROGRESS_AFTER_US || now - r->shown_us < PROGRESS_EVERY_US)
		return;
	if (option_on(r->ctl, OPT_QUIET) || !isatty(STDERR_FILENO))
		return;
	r->shown_us = now;
	r->progress = true;
	fprintf(stderr, SAY(r->ctl, "\r%" PRIu64 " of %" PRIu64 " segments", "\r%" PRIu64 " / %" PRIu64 " セグメント"),
		done, of);
}

void report_clear(struct report *r)
{
	if (r->progress)
		fputs("\r\033[K", stderr);
	r->progress = false;
}

static void json_finding(const struct finding *f, struct buf *out)
{
	char hex[2 * DIGEST_SIZE + 1], place[4 * PATH_MAX];
	json_t *o = json_pack("{s:s, s:s}", "problem", f->word, "text", f->text);
	char *text;

	/* A file's name need not be text; JSON's strings must be. */
	json_object_set_new(o, "place", json_string(text_escape_to(place, sizeof(place), SPAN_STR(f->place))));
	if (f->has_offset)
		json_object_set_new(o, "offset", json_integer((json_int_t)f->offset));
	if (f->header) {
		json_object_set_new(o, "host", json_string(hex_encode(hex, f->header->host.b, DIGEST_SIZE)));
		if (producer_name(f->header->producer))
			json_object_set_new(o, "producer", json_string(producer_name(f->header->producer)));
		json_object_set_new(o, "seq", json_integer((json_int_t)f->header->seq));
	}
	text = json_dumps(o, JSON_COMPACT);
	if (text)
		buf_putf(out, "%s\n", text);
	free(text);
	json_decref(o);
}

void verify_finding(void *ctx, const struct finding *f)
{
	_cleanup_buf_ struct buf out = BUF_INIT(8 * PATH_MAX);
	struct report *r = ctx;
	char hex[2 * DIGEST_SIZE + 1];
	bool named;

	report_clear(r);
	if (option_on(r->ctl, OPT_JSON)) {
		json_finding(f, &out);
	} else {
		text_escape(&out, SPAN_STR(f->place));
		if (f->has_offset)
			buf_putf(&out, ":%" PRIu64, f->offset);
		if (f->header)
			buf_putf(&out, SAY(r->ctl, ": PC %.12s, %s %" PRIu64, ": PC %.12s、%s %" PRIu64),
				hex_encode(hex, f->header->host.b, DIGEST_SIZE),
				producer_name(f->header->producer) ?: "?", f->header->seq);
		/* The libraries begin with the same word. */
		named = !strncmp(f->text, f->word, strlen(f->word)) && f->text[strlen(f->word)] == ':';
		buf_putf(&out, ": %s%s", named ? "" : f->word, named ? "" : ": ");
		text_escape(&out, SPAN_STR(f->text));
		buf_puts(&out, "\n");
	}
	out_put(&out);
}

const char *verify_place(void *ctx, uint64_t place)
{
	struct report *r = ctx;

	return r->place(r->place_ctx, place);
}

int report_head(struct report *r, uint64_t size, const struct digest *root, const char *place, const struct header *h)
{
	int x = heads_add(r->heads, size, root);

	if (x == V_BAD) {
		audit_tell(r->audit, "log", place, false, 0, h,
			SAY(r->ctl, "names another log of size %" PRIu64 " than was seen elsewhere",
				"他で示されたものと異なる、サイズ %" PRIu64 " のログを示しています"),
			size);
		return 0;
	}
	return x;
}

int verify_summary(struct report *r)
{
	const struct audit_counts *n = audit_counts(r->audit);
	const struct ctl *c = r->ctl;
	bool good = !n->problems;

	report_clear(r);
	if (option_on(c, OPT_JSON)) {
		printf("{\"good\":%s,\"segments\":%" PRIu64 ",\"verified\":%" PRIu64 ",\"records\":%" PRIu64
		       ",\"bytes\":%" PRIu64 ",\"proven\":%" PRIu64 ",\"without_body\":%" PRIu64
		       ",\"witnesses\":%u,\"timestamps\":%u,\"problems\":%" PRIu64 "}\n",
			good ? "true" : "false", n->segments, n->good, n->records, n->bytes, n->proven, n->without_body,
			r->witnesses.by_n, r->timestamps.good, n->problems);
	} else if (!option_on(c, OPT_QUIET)) {
		witnesses_say(r);
		timestamps_say(r);
		printf(SAY(c, "%" PRIu64 " segments, %" PRIu64 " verified, %" PRIu64 " records, %" PRIu64 " bytes; ",
			       "セグメント %" PRIu64 " 件、検証済み %" PRIu64 " 件、記録 %" PRIu64 " 件、%" PRIu64
			       " バイト、"),
			n->segments, n->good, n->records, n->bytes);
		if (r->log.key)
			printf(SAY(c, "%" PRIu64 " proven to be in the log; ", "ログ収録を証明 %" PRIu64 " 件、"),
				n->proven);
		else
			fputs(SAY(c, "inclusion in the log not checked (no --log-key); ",
				      "ログ収録は未検証(--log-key なし)、"),
				stdout);
		if (n->without_body)
			printf(SAY(c, "%" PRIu64 " without body; ", "本文なし %" PRIu64 " 件、"), n->without_body);
		if (good)
			puts(SAY(c, "no problems", "問題なし"));
		else
			printf(SAY(c, "%" PRIu64 " PROBLEMS\n", "問題 %" PRIu64 " 件\n"), n->problems);
	}
	if (fflush(stdout))
		return EXIT_MACHINE;
	return good ? EXIT_GOOD : EXIT_PROBLEM;
}

/* One file with a device key; or a directory: all of its *.pub. */
static int add_device(struct report *r, const char *path)
{
	_cleanup_buf_ struct buf spki = BUF_INIT(SPKI_MAX);
	struct why why = {""};
	struct stat st;
	int x;

	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		_cleanup_closedir_ DIR *d = opendir(path);
		struct dirent *e;

		while (d && (e = readdir(d))) {
			const char *dot = strrchr(e->d_name, '.');
			char below[PATH_MAX];

			if (!dot || strcmp(dot, ".pub") != 0 ||
				snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >= (int)sizeof(below))
				continue;
			x = add_device(r, below);
			if (x)
				return x;
		}
		return d ? EXIT_GOOD : complain_of(r->ctl, path, -errno, NULL);
	}
	x = file_read(path, &spki);
	x = x ? x : audit_device(r->audit, buf_span(&spki), &why);
	if (!x)
		return EXIT_GOOD;
	complain_of(r->ctl, path, x, &why);
	return x < 0 ? EXIT_MACHINE : EXIT_USAGE;
}

/*
 * Given ones; else for files this machine's own, and for a store the collector's own beside it (those of the PCs are in
 * the store). A device key proves itself: its hash is the id that the headers name.
 */
static int add_devices(struct report *r, const char *store)
{
	const struct ctl *c = r->ctl;
	char own[PATH_MAX], room[PATH_MAX - 16];
	unsigned i;
	int x = EXIT_GOOD;

	for (i = 0; !x && i < c->given_n; i++)
		if (c->given[i].id == OPT_DEVICE)
			x = add_device(r, c->given[i].value);
	if (x || (option_on(c, OPT_DEVICE) && !store))
		return x;
	if (store && snprintf(own, sizeof(own), "%s/../device.pub", store_folder(store, room, sizeof(room))) >=
			     (int)sizeof(own))
		return complain(EXIT_USAGE, "--store: path too long");
	if (!store)
		layout_path(own, sizeof(own), DEVICE_PUB_PATH);
	if (!access(own, R_OK))
		return add_device(r, own);
	return !store ? complain(EXIT_USAGE, SAY(c, "whose segments are these? --device FILE names the PC's device.pub",
						     "--device で PC の device.pub を指定してください"))
		      : EXIT_GOOD;
}

int verify_log_key(struct report *r, const char *store)
{
	_cleanup_buf_ struct buf text = BUF_INIT(VKEY_MAX);
	const char *path = option_value(r->ctl, OPT_LOG_KEY);
	struct why why = {""};
	char beside[PATH_MAX], room[PATH_MAX - 16];
	int x;

	if (!path && !store)
		return EXIT_GOOD;
	if (!path) {
		if (snprintf(beside, sizeof(beside), "%s/../log.vkey", store_folder(store, room, sizeof(room))) >=
			(int)sizeof(beside))
			return complain(EXIT_USAGE, "--store: path too long");
		path = beside;
	}
	x = file_read(path, &text);
	x = x ? x : verifier_decode(buf_span(&text), &r->log, &why);
	if (!x)
		return EXIT_GOOD;
	complain_of(r->ctl, path, x, &why);
	if (path == beside && x == V_NOT_FOUND)
		return complain(EXIT_USAGE, SAY(r->ctl, "--log-key FILE names the log's verifier key",
						    "--log-key でログの検証鍵を指定してください"));
	return x < 0 ? EXIT_MACHINE : EXIT_USAGE;
}

/* The keys of those that cosigned it lie beside it, as `export` puts them. 0, -errno. */
static int add_cosigned(struct report *r, const char *path, struct span note, uint64_t size)
{
	_cleanup_buf_ struct buf lines = BUF_INIT(WITNESSES_MAX);
	const char *slash = strrchr(path, '/');
	char beside[PATH_MAX];
	int x;

	if (!r->operands_only)
		return 0;
	if (snprintf(beside, sizeof(beside), "%.*switnesses", slash ? (int)(slash - path + 1) : 0, path) >=
		(int)sizeof(beside))
		return 0;
	x = file_read(beside, &lines);
	x = x == V_NOT_FOUND || x == V_FULL ? 0 : x ? x : witnesses_lines(r, buf_span(&lines), beside);
	return x < 0 ? x : witnesses_judge(r, note, size, path);
}

static int add_checkpoints(struct report *r)
{
	const struct ctl *c = r->ctl;
	unsigned i;

	for (i = 0; i < c->given_n; i++) {
		_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
		const char *path = c->given[i].value;
		struct checkpoint head;
		struct why why = {""};
		int x;

		if (c->given[i].id != OPT_CHECKPOINT)
			continue;
		if (!r->log.key)
			return complain(EXIT_USAGE,
				SAY(c, "--checkpoint needs --log-key", "--checkpoint には --log-key が必要です"));
		x = file_read(path, &note);
		if (x)
			return complain_of(c, path, x, NULL) == EXIT_MACHINE ? EXIT_MACHINE : EXIT_USAGE;
		x = checkpoint_verify(buf_span(&note), &r->log, &head, &why);
		if (x < 0)
			return complain_of(c, path, x, NULL);
		if (x)
			audit_tell(r->audit, "log", path, false, 0, NULL, "%s", why.text);
		else if ((x = report_head(r, head.size, &head.root, path, NULL)) ||
			 (x = add_cosigned(r, path, buf_span(&note), head.size)))
			return complain_of(c, path, x, NULL);
	}
	return EXIT_GOOD;
}

static int run(struct report *r)
{
	const struct ctl *c = r->ctl;
	char room[PATH_MAX];
	const char *store = c->operands_n ? NULL : store_path(c, room, sizeof(room));
	int x;

	if (c->operands_n && option_on(c, OPT_STORE))
		return complain(
			EXIT_USAGE, SAY(c, "files or --store, not both", "ファイルと --store は同時に指定できません"));
	x = add_devices(r, store);
	x = x ? x : verify_log_key(r, store);
	x = x ? x : witnesses_options(r);
	x = x || !store ? x : timestamps_options(r);
	r->operands_only = !store;
	x = x ? x : add_checkpoints(r);
	x = x ? x : store ? verify_store(r, store) : verify_files(r, c->operands);
	if (!x)
		witnesses_end(r, store ? store : "checkpoint");
	return x ? x : verify_summary(r);
}

int command_verify(struct ctl *c)
{
	struct report r = {.ctl = c, .began_us = clock_boot_us()};
	struct audit_options o = {
		.ctl = c,
		.partial = c->operands_n > 0,
		.by_leaf = !c->operands_n,
		.no_bodies = option_on(c, OPT_NO_BODIES),
		.finding = verify_finding,
		.place = verify_place,
		.ctx = &r,
	};
	int x = audit_new(&o, &r.audit);

	x = x ? x : heads_new(&r.heads);
	x = x ? complain_of(c, "verify", x, NULL) : run(&r);
	report_clear(&r);
	audit_free(r.audit);
	heads_free(r.heads);
	witnesses_deinit(&r.witnesses);
	timestamps_deinit(&r.timestamps);
	verifier_deinit(&r.log);
	return x;
}

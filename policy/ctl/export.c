/*
 * `sekishoctl export`: segments with all that somebody needs to judge them elsewhere: proofs of inclusion, the
 * checkpoint, the device keys and the log's key. `verify` and tests/verify read what it writes. It changes nothing in
 * the store.
 *
 * By which time they were in the log is said by an authority that is not ours: the first checkpoint that it stamped and
 * that covers all of them (else the newest one) goes along as it was published, with its token, and beside each segment
 * that it covers the proof that the segment is in that one. So the way from a segment to the token is one proof,
 * whatever checkpoint the other proof is of.
 */
#include "collector/export/clickhouse.h"
#include "collector/store/store.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/log_filter.h"
#include "policy/ctl/timestamps.h"
#include "policy/trust/cosign.h"
#include "policy/trust/proof.h"
#include "policy/wire/server_conf.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#define CHAINS_MAX 100000u

/* One chain: from where on it is carried (the first segment of an epoch, so that its key is certified), and how far. */
struct range {
	struct digest host;
	unsigned producer;
	uint64_t epoch_start; /* sequence of the newest segment with a certificate */
	bool wanted;
	uint64_t first, last;
};

struct carry {
	const struct ctl *ctl;
	struct store *store;
	const char *out;
	struct store_filter filter;
	struct range *ranges;
	unsigned ranges_n, ranges_cap;
	struct buf header, body, text, note;
	uint64_t segments, stamped; /* stamped: of these, those that a timestamp covers */
	uint64_t last;              /* index of the last that is wanted */
	char folder[PATH_MAX];      /* of timestamps; empty: none is looked at */
	uint64_t stamped_size;      /* 0: there is no timestamp */
	struct buf stamped_note;
	struct why why;
};

static struct range *range_of(struct carry *x, const struct header *h)
{
	unsigned i;

	for (i = 0; i < x->ranges_n; i++)
		if (x->ranges[i].producer == h->producer && digest_eq(&x->ranges[i].host, &h->host))
			return &x->ranges[i];
	if (x->ranges_n == x->ranges_cap) {
		unsigned cap = x->ranges_cap ? x->ranges_cap * 2 : 16;
		struct range *p = cap > CHAINS_MAX ? NULL : realloc(x->ranges, cap * sizeof(*p));

		if (!p)
			return NULL;
		x->ranges = p;
		x->ranges_cap = cap;
	}
	x->ranges[x->ranges_n] = (struct range){.host = h->host, .producer = h->producer};
	return &x->ranges[x->ranges_n++];
}

/* By id (8 digits or more), or by the name under which the PC is enrolled. */
static bool host_fits(struct carry *x, const struct digest *id)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct store_host h;

	if (!x->filter.host)
		return true;
	hex_encode(hex, id->b, DIGEST_SIZE);
	if (strlen(x->filter.host) >= 8 && !strncmp(hex, x->filter.host, strlen(x->filter.host)))
		return true;
	return !store_host_get(x->store, id, &h) && !strcmp(h.name, x->filter.host);
}

static bool time_fits(const struct carry *x, const struct header *h)
{
	return (!x->filter.from_us || h->last_us >= x->filter.from_us) &&
	       (!x->filter.until_us || h->first_us < x->filter.until_us);
}

static int read_leaf(struct carry *x, uint64_t index, struct segment *s)
{
	int r;

	buf_clear(&x->header);
	buf_clear(&x->body);
	r = store_read(x->store, index, &x->header, &x->body, &x->why);
	return r ? r : header_parse(buf_span(&x->header), s, &x->why);
}

/* Finds out what is to be carried. */
static int survey(struct carry *x)
{
	uint64_t i;
	int r = 0;

	for (i = 0; !r && i < store_size(x->store); i++) {
		struct range *g;
		struct segment s;

		r = read_leaf(x, i, &s);
		if (r)
			break;
		g = range_of(x, &s.header);
		if (!g)
			return -ENOMEM;
		if (s.header.epoch_cert.n)
			g->epoch_start = s.header.seq;
		if (!time_fits(x, &s.header) || (!g->wanted && !host_fits(x, &s.header.host)))
			continue;
		if (!g->wanted || g->epoch_start < g->first)
			g->first = g->epoch_start;
		if (!g->wanted || s.header.seq > g->last)
			g->last = s.header.seq;
		g->wanted = true;
		x->last = i;
	}
	return r;
}

static int write_file(struct carry *x, const char *name, const char *ending, struct span bytes)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s%s", x->out, name, ending) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return file_replace_volatile(path, bytes, 0644);
}

/* Where the timestamps are: as it is said, or for this machine's own store what the settings say. EXIT_*, said. */
static int timestamps_folder(struct carry *x)
{
	const char *given = option_value(x->ctl, OPT_TIMESTAMPS);
	struct timestamp_settings own = {.url = ""};
	int r;

	if (!given && !option_value(x->ctl, OPT_STORE)) {
		r = timestamp_settings_load(NULL, &own, &x->why);
		if (r)
			return complain_of(x->ctl, SERVER_CONF_PATH, r, &x->why);
		given = own.folder;
	}
	if (given && snprintf(x->folder, sizeof(x->folder), "%s", given) >= (int)sizeof(x->folder))
		return complain_of(x->ctl, given, -ENAMETOOLONG, NULL);
	return EXIT_GOOD;
}

/* The log as an authority stamped it, and its token. */
static int carry_stamped(struct carry *x)
{
	_cleanup_buf_ struct buf token = BUF_INIT(TIMESTAMP_MAX);
	char path[PATH_MAX];
	uint64_t size = 0;
	int r = x->folder[0] ? stamp_find(x->folder, x->last + 1, store_size(x->store), &size) : V_NOT_FOUND;

	if (r == V_NOT_FOUND || (!r && !size))
		return 0;
	stamp_path(path, x->folder, size, "checkpoint");
	r = r ? r : file_read(path, &x->stamped_note);
	stamp_path(path, x->folder, size, "tsr");
	r = r ? r : file_read(path, &token);
	r = r ? r : write_file(x, "stamped", "", buf_span(&x->stamped_note));
	r = r ? r : write_file(x, "stamped.tsr", "", buf_span(&token));
	x->stamped_size = r ? 0 : size;
	return r ? why_set(&x->why, r, "%s: cannot be carried along", path) : 0;
}

static int carry_stamped_proof(struct carry *x, uint64_t index, const char *name)
{
	struct merkle_proof proof;
	int r;

	if (index >= x->stamped_size)
		return 0;
	r = store_prove_of(x->store, index, x->stamped_size, &proof);
	buf_clear(&x->text);
	r = r ? r : proof_write(index, &proof, buf_span(&x->stamped_note), &x->text);
	r = r ? r : write_file(x, name, ".stamped.tlog-proof", buf_span(&x->text));
	x->stamped += !r;
	return r;
}

static int carry_one(struct carry *x, uint64_t index, const struct segment *s)
{
	struct merkle_proof proof;
	char name[128], hex[2 * DIGEST_SIZE + 1];
	uint64_t size;
	int r;

	/* The leaf's index ends the name: a forked chain has two segments of one number. */
	snprintf(name, sizeof(name), "%.16s-%s-%020" PRIu64 "-%" PRIu64, hex_encode(hex, s->header.host.b, DIGEST_SIZE),
		producer_name(s->header.producer), s->header.seq, index);
	buf_clear(&x->text);
	r = segment_join(buf_span(&x->header), buf_span(&x->body), &x->text);
	/* Without its body (its time is over) a header stands alone; it is proven all the same. */
	r = r ? r
	      : write_file(
			x, name, x->body.n ? ".seg" : ".header", x->body.n ? buf_span(&x->text) : buf_span(&x->header));
	/* The one that PCs have cosigned, where it covers the leaf. */
	buf_clear(&x->note);
	r = r ? r : store_note(x->store, index + 1, &x->note, &size);
	r = r ? r : store_prove_of(x->store, index, size, &proof);
	if (r)
		return r;
	buf_clear(&x->text);
	r = proof_write(index, &proof, buf_span(&x->note), &x->text);
	r = r ? r : write_file(x, name, ".tlog-proof", buf_span(&x->text));
	r = r ? r : carry_stamped_proof(x, index, name);
	if (!r)
		x->segments++;
	return r;
}

static int carry_all(struct carry *x)
{
	uint64_t i;
	int r = 0;

	for (i = 0; !r && i < store_size(x->store); i++) {
		struct range *g;
		struct segment s;

		r = read_leaf(x, i, &s);
		g = r ? NULL : range_of(x, &s.header);
		if (g && g->wanted && s.header.seq >= g->first && s.header.seq <= g->last)
			r = carry_one(x, i, &s);
	}
	return r;
}

static int on_host(void *ctx, const struct store_host *h)
{
	struct carry *x = ctx;
	char hex[2 * DIGEST_SIZE + 1];
	unsigned i;

	for (i = 0; i < x->ranges_n; i++)
		if (x->ranges[i].wanted && digest_eq(&x->ranges[i].host, &h->id))
			return write_file(x, hex_encode(hex, h->id.b, DIGEST_SIZE), ".pub", SPAN(h->spki, h->spki_len));
	return 0;
}

/* The log's key is copied where it is known; whoever judges must have it from elsewhere to believe it. */
static int carry_log_key(struct carry *x, const char *store)
{
	const char *path = option_value(x->ctl, OPT_LOG_KEY);
	char beside[PATH_MAX], room[PATH_MAX - 16];
	int r;

	if (!path) {
		if (snprintf(beside, sizeof(beside), "%s/../log.vkey", store_folder(store, room, sizeof(room))) >=
			(int)sizeof(beside))
			return 0;
		path = beside;
	}
	buf_clear(&x->text);
	r = file_read(path, &x->text);
	if (r == V_NOT_FOUND && path == beside)
		return 0;
	return r ? r : write_file(x, "log.vkey", "", buf_span(&x->text));
}

/* The newest checkpoint that PCs have cosigned, and whose keys. */
static int carry_cosigned(struct carry *x)
{
	uint64_t size;
	int r;

	buf_clear(&x->note);
	buf_clear(&x->text);
	r = store_cosigned(x->store, &x->note, &size);
	if (r == V_NOT_FOUND)
		return 0;
	r = r ? r : write_file(x, "cosigned", "", buf_span(&x->note));
	r = r ? r : store_witnesses_of(x->store, buf_span(&x->note), &x->text);
	return r ? r : write_file(x, "witnesses", "", buf_span(&x->text));
}

static int run(struct carry *x, const char *store)
{
	int r = survey(x);

	r = r ? r : carry_stamped(x);
	r = r ? r : carry_all(x);
	r = r ? r : store_host_each(x->store, on_host, x);
	r = r ? r : write_file(x, "checkpoint", "", store_checkpoint(x->store));
	r = r ? r : carry_cosigned(x);
	return r ? r : carry_log_key(x, store);
}

static int say_export(const struct carry *x)
{
	char text[SHOWN_MAX];
	_cleanup_json_ json_t *o = json_pack("{s:I, s:I, s:s}", "segments", (json_int_t)x->segments, "stamped",
		(json_int_t)x->stamped, "folder", shown(text, x->out));

	return say_json(o);
}

int command_export(struct ctl *c)
{
	struct carry x = {
		.ctl = c,
		.out = option_value(c, OPT_OUT),
		.header = BUF_INIT(SEGMENT_HEADER_MAX),
		.body = BUF_INIT(SEGMENT_BODY_MAX),
		.text = BUF_INIT(SEGMENT_MAX),
		.note = BUF_INIT(NOTE_SIZE_MAX),
		.stamped_note = BUF_INIT(NOTE_SIZE_MAX),
	};
	char room[PATH_MAX], text[SHOWN_MAX];
	const char *store = store_path(c, room, sizeof(room));
	int r = log_filter(c, clock_wall_us(), &x.filter);

	if (r)
		return r;
	if (!x.out)
		return complain(EXIT_USAGE, SAY(c, "--out DIR is missing", "--out で出力先を指定してください"));
	r = timestamps_folder(&x);
	if (r)
		return r;
	r = store_to_search(c, &x.store);
	/* A new directory: old files between the new ones would be taken for evidence. */
	if (!r && mkdir(x.out, 0755))
		r = complain_of(c, x.out, -errno, NULL);
	if (r) {
		store_close(x.store);
		return r;
	}
	r = run(&x, store);
	if (r)
		r = complain_of(c, store, r, &x.why);
	else if (option_on(c, OPT_JSON))
		r = say_export(&x);
	else
		printf(SAY(c, "%" PRIu64 " segments in %s\n", "セグメント %" PRIu64 " 件を %s に出力しました\n"),
			x.segments, shown(text, x.out));
	if (!r && x.stamped_size && !option_on(c, OPT_JSON))
		printf(SAY(c, "a timestamp (RFC 3161) covers %" PRIu64 " of them: stamped.tsr\n",
			       "うち %" PRIu64 " 件はタイムスタンプ(RFC 3161)の対象です: stamped.tsr\n"),
			x.stamped);
	store_close(x.store);
	free(x.ranges);
	buf_deinit(&x.header);
	buf_deinit(&x.body);
	buf_deinit(&x.text);
	buf_deinit(&x.note);
	buf_deinit(&x.stamped_note);
	return r;
}

int command_export_clickhouse(struct ctl *c)
{
	_cleanup_buf_ struct buf text = BUF_INIT(CLICKHOUSE_TEXT_MAX);
	const char *name = option_value(c, OPT_NAME);
	char words[SHOWN_MAX];
	int r;

	name = name ? name : CLICKHOUSE_DATABASE;
	if (!clickhouse_name(name))
		return complain(EXIT_USAGE,
			SAY(c, "--name: \"%s\" is no name of a database (letters, digits and _, at most 63)",
				"--name: 「%s」はデータベース名に使えません(英数字と _、63 文字まで)"),
			shown(words, name));
	r = clickhouse_schema(name, &text);
	if (r)
		return complain_of(c, "clickhouse", r, NULL);
	return out_put(&text) ? EXIT_GOOD : EXIT_MACHINE;
}

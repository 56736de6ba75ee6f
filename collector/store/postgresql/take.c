/*
 * Taking in: turns at the one log, groups, commits.
 *
 * The order that must never change: leaves, bodies, tiles and the checkpoint over them in one transaction, which began
 * by locking the log's row; COMMIT, which is on the disks of every server that has to have it when it returns; then the
 * checkpoint into the folder outside of the database; and only then may anybody hear of it. Where a COMMIT's answer
 * does not come, nobody hears of anything: whoever opens the store again finds out what is there.
 *
 * Two answers may take long, and depend on others: the lock of the log's row, while another collector's commit waits,
 * and that of COMMIT, while a standby is away that has to have it. They are waited for a moment, then V_AGAIN is
 * answered, and each store_commit looks whether they have come. Until then nothing is appended, and the connection
 * that appends can do nothing else; what is asked of the committed log is asked on the other one. Nothing calls such a
 * COMMIT off: the server would show what no standby has.
 */
#include "collector/store/postgresql/pg.h"
#include "collector/store/store_parts.h"
#include "policy/base/file.h"
#include <errno.h>
#include <time.h>

/* --- the log's row --- */

#define LOOK                                         \
	"SELECT size, checkpoint, origin, version, " \
	"convert_to(current_setting('synchronous_standby_names'), 'UTF8') FROM sekisho.log"

#define BLANKS " \t\n\r\f\v"

/*
 * synchronous_standby_names (PostgreSQL manual, 20.6.1): nothing; a list, of which one is waited for; "N (list)",
 * "FIRST N (list)", "ANY N (list)".
 */
static unsigned standbys_of(struct span names)
{
	char text[256];
	const char *at;
	unsigned n = 1;
	int end = 0;

	snprintf(text, sizeof(text), "%.*s", (int)(names.n < sizeof(text) ? names.n : sizeof(text) - 1),
		(const char *)names.p);
	at = text + strspn(text, BLANKS);
	if (!*at)
		return 0;
	sscanf(at, "%9u (%n", &n, &end);
	if (!end)
		sscanf(at, "%*1[Ff]%*1[Ii]%*1[Rr]%*1[Ss]%*1[Tt]%*[" BLANKS "]%9u (%n", &n, &end);
	if (!end)
		sscanf(at, "%*1[Aa]%*1[Nn]%*1[Yy]%*[" BLANKS "]%9u (%n", &n, &end);
	return end ? n : 1;
}

int pg_demand_standbys(struct pg *p, struct why *why)
{
	if (p->standbys >= p->standbys_wanted)
		return 0;
	return why_set(why, -EAGAIN,
		"its commits wait for %u standbys (synchronous_standby_names), where `standbys = %u` is set",
		p->standbys, p->standbys_wanted);
}

static int take_up(struct pg *p, const PGresult *res, bool *grown, struct why *why)
{
	struct checkpoint head = {.size = 0};
	struct span note, origin;
	uint64_t size;
	int r;

	p->version = PQntuples(res) == 1 ? result_int(res, 0, 3) : 0;
	if (p->version < PG_VERSION_OLDEST || p->version > PG_VERSION)
		return why_set(why, V_BAD,
			"the database's tables are of version %lld, of another version of Sekisho: this one knows "
			"%d to %d",
			(long long)p->version, PG_VERSION_OLDEST, PG_VERSION);
	p->standbys = standbys_of(result_bytes(res, 0, 4));
	size = (uint64_t)result_int(res, 0, 0);
	note = result_bytes(res, 0, 1);
	origin = result_bytes(res, 0, 2);
	if (grown)
		*grown = size != p->head.size;
	if (size == p->head.size)
		return 0;
	if (p->writable && !span_eq(origin, SPAN_STR(p->origin)))
		return why_set(why, V_BAD, "the database has the log \"%.*s\"", (int)(origin.n < 128 ? origin.n : 128),
			(const char *)origin.p);
	r = log_judge(p->log_key, p->origin, "the database's checkpoint", note, &head, why);
	if (r)
		return r;
	if (head.size != size || size < p->head.size)
		return why_set(why, V_BAD,
			"the database's log has %llu leaves where its checkpoint is over %llu, and %llu were seen",
			(unsigned long long)size, (unsigned long long)head.size, (unsigned long long)p->head.size);
	p->head = head;
	buf_clear(&p->note);
	return buf_put_span(&p->note, note);
}

int pg_look(struct pg *p, struct conn *c, struct why *why)
{
	_cleanup_result_ PGresult *res = NULL;
	int r = conn_run(c, LOOK, NULL, &res);

	if (r == -ENOENT)
		return why_set(why, r, "the database has no store: schema.sql makes its tables (ENGINES.md)");
	return r ? why_set(why, r, "%s", c->error) : take_up(p, res, NULL, why);
}

int pg_keep_checkpoint(struct pg *p)
{
	char path[PATH_MAX];
	int r;

	if (!p->note.n)
		return 0;
	snprintf(path, sizeof(path), "%s/checkpoint", p->state);
	r = file_replace(path, buf_span(&p->note), 0644);
	p->unkept = r == -ENOSPC || r == -EDQUOT;
	if (p->unkept)
		p->failed = p->doubt = true;
	return r;
}

/* What others have committed. It is kept before it is shown to anybody: from then on no older copy is this log. */
int pg_follow(struct pg *p)
{
	uint64_t before = p->head.size;
	/* While a group is open nobody else commits. */
	int r = p->in_turn ? 0 : pg_look(p, &p->side, NULL);

	/* Whoever is told something from now on would be told what one server alone has. */
	r = r ? r : pg_demand_standbys(p, NULL);
	p->side.gone |= r == -EAGAIN;
	if (r || p->head.size == before || !p->writable)
		return r;
	r = pg_keep_checkpoint(p);
	if (r)
		p->failed = true;
	p->ill |= r && !p->unkept;
	return r;
}

/* --- turns --- */

/* Forgets the group; what its transaction did is gone. */
void pg_give_up_turn(struct pg *p)
{
	if (p->waiting) {
		/* Months and places for bodies may have been the transaction's own, and the tree ahead. */
		p->month = -1;
		p->tree_loaded = p->tree_loaded && p->tree.size <= p->head.size;
	}
	if (p->in_turn)
		conn_rollback(&p->turn);
	p->in_turn = p->told = false;
	p->waiting = 0;
	buf_clear(&p->leaves);
	buf_clear(&p->bodies);
}

void pg_rest(struct store *s)
{
	if (!pg_of(s)->waiting && !pg_of(s)->waits)
		pg_give_up_turn(pg_of(s));
}

bool pg_waits(const struct store *s)
{
	return pg_of(s)->waits != PG_WAITS_NOT;
}

static int know_month(struct pg *p)
{
	_cleanup_result_ PGresult *res = NULL;
	int r = conn_run(&p->turn, "SELECT coalesce(max(month), 0) FROM sekisho.month", NULL, &res);

	if (r)
		return r;
	p->month = result_int(res, 0, 0);
	p->channels = 0;
	return 0;
}

/* The log's row is locked: what it says is taken up. */
static int have_turn(struct pg *p, const PGresult *res, bool *grown)
{
	int r = take_up(p, res, grown, NULL);

	/* Nothing is appended that one server alone would have. */
	r = r ? r : pg_demand_standbys(p, NULL);
	p->turn.gone |= r == -EAGAIN;
	if (*grown)
		p->month = -1;
	r = r || p->month >= 0 ? r : know_month(p);
	r = r ? r : pg_tree(p, NULL);
	/* What was taken up leads nobody to a smaller log later. */
	return r || !*grown ? r : pg_keep_checkpoint(p);
}

/*
 * Waits until nobody else has a group open; V_AGAIN where that takes too long: it is waited for (go_on). V_AGAIN also
 * where others have appended meanwhile: what the caller has judged was judged of another state of the log. It keeps
 * the turn while it judges again, or would have to say so each time where others append all the time.
 */
static int take_turn(struct pg *p)
{
	_cleanup_result_ PGresult *res = NULL;
	bool grown = false;
	int r = conn_run(&p->turn, "BEGIN", NULL, NULL);

	p->in_turn = !r;
	r = r ? r : conn_send(&p->turn, LOOK " FOR UPDATE");
	r = r ? r : conn_answer(&p->turn, p->wait_ms, &res);
	if (r == V_AGAIN)
		p->waits = PG_WAITS_TURN;
	r = r ? r : have_turn(p, res, &grown);
	p->told = !r && grown;
	return p->told ? V_AGAIN : r;
}

/* --- appending --- */

/* Nothing of the group was committed: back to where the last commit left everything. */
static int undo(struct pg *p, int error)
{
	pg_give_up_turn(p);
	if (error == -ENOSPC)
		return V_FULL;
	p->failed = true;
	return error < 0 ? error : -EIO;
}

static int place_month(struct pg *p, int64_t month, uint64_t index)
{
	struct args a = {.n = 0};
	int r;

	/* A clock that went back: still the last month. */
	if (month <= p->month)
		return 0;
	arg_int(&a, month);
	arg_int(&a, (int64_t)index);
	r = conn_run(&p->turn, "SELECT sekisho.month_begin($1, $2)", &a, NULL);
	if (!r) {
		p->month = month;
		p->channels = 0;
	}
	return r;
}

static int place_body(struct pg *p, int64_t part, unsigned producer)
{
	struct args a = {.n = 0};
	int r;

	if (p->channels >> producer & 1)
		return 0;
	arg_int(&a, part);
	r = conn_run(&p->turn, "SELECT sekisho.body_part($1)", &a, NULL);
	if (!r)
		p->channels |= UINT64_C(1) << producer;
	return r;
}

static int put_rows(struct pg *p, const struct segment *seg, uint64_t index)
{
	struct span header = seg->header_bytes;
	int64_t part = p->month * 100 + seg->header.producer;
	/* As it was when the turn began: nobody brings tables to another version while somebody has it. */
	bool divided = p->version >= PG_DIVIDED;
	int r = p->waiting ? 0 : copy_head(&p->leaves);

	r = r || p->waiting ? r : copy_head(&p->bodies);
	r = r ? r : copy_row(&p->leaves, divided ? 6 : 5);
	r = r ? r : copy_int(&p->leaves, p->month);
	r = r ? r : copy_int(&p->leaves, (int64_t)index);
	r = r ? r : copy_int(&p->leaves, seg->header.producer);
	r = r ? r : copy_bytes(&p->leaves, SPAN(seg->hash.b, DIGEST_SIZE));
	r = r ? r : copy_bytes(&p->leaves, header);
	r = r || !divided ? r : copy_int4(&p->leaves, pg_host_hash(&seg->header.host));
	if (seg->body.n) {
		r = r ? r : copy_row(&p->bodies, divided ? 4 : 3);
		r = r ? r : copy_int(&p->bodies, part);
		r = r ? r : copy_int(&p->bodies, (int64_t)index);
		r = r ? r : copy_bytes(&p->bodies, seg->body);
		r = r || !divided ? r : copy_int4(&p->bodies, pg_host_hash(&seg->header.host));
	}
	if (!r)
		merkle_leaf(header, &p->group[p->waiting++]);
	return r > 0 ? -EMSGSIZE : r;
}

/* The chain's tables. V_EXISTS with *index; -errno. */
static int put_header(struct pg *p, const struct segment *seg, uint64_t *index)
{
	const struct header *h = &seg->header;
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_digest(&a, &seg->hash);
	arg_int(&a, (int64_t)*index);
	arg_digest(&a, &h->host);
	arg_int(&a, h->producer);
	arg_int(&a, (int64_t)h->seq);
	if (h->has_prev)
		arg_digest(&a, &h->prev);
	else
		arg_null_bytes(&a);
	arg_int(&a, (int64_t)h->epoch);
	if (h->epoch_cert.n) {
		arg_bytes(&a, seg->cose.kid);
		arg_bytes(&a, h->epoch_cert);
	} else {
		arg_null_bytes(&a);
		arg_null_bytes(&a);
	}
	r = conn_run(&p->turn, "SELECT sekisho.append($1, $2, $3, $4, $5, $6, $7, $8, $9)", &a, &res);
	if (r || result_int(res, 0, 0) < 0)
		return r;
	*index = (uint64_t)result_int(res, 0, 0);
	return V_EXISTS;
}

int pg_append(struct store *s, const struct segment *seg, uint64_t *index)
{
	struct pg *p = pg_of(s);
	time_t t = (time_t)(p->now_us() / 1000000);
	uint64_t at;
	struct tm tm;
	int r;

	if (p->failed)
		return -EIO;
	if (!p->writable)
		return -EROFS;
	if ((!seg->body.n && !p->filling) || seg->body.n > SEGMENT_BODY_MAX || !gmtime_r(&t, &tm) || tm.tm_year < 70 ||
		tm.tm_year > 8099)
		return -EINVAL;
	if (p->waits || p->waiting == PG_GROUP_MAX || p->leaves.n + p->bodies.n + seg->bytes.n > PG_GROUP_BYTES)
		return V_AGAIN;
	r = p->in_turn ? 0 : take_turn(p);
	if (r == V_AGAIN)
		return r;
	p->told = false;
	at = p->head.size + p->waiting;
	r = r ? r : put_header(p, seg, &at);
	if (r == V_EXISTS) {
		*index = at;
		if (!p->waiting)
			pg_give_up_turn(p);
		return r;
	}
	r = r ? r : place_month(p, (tm.tm_year + 1900) * 100 + tm.tm_mon + 1, at);
	r = r || !seg->body.n ? r : place_body(p, p->month * 100 + seg->header.producer, seg->header.producer);
	r = r ? r : put_rows(p, seg, at);
	if (r) {
		/* What began is the transaction's own, also where nothing waits yet. */
		p->month = -1;
		return undo(p, r);
	}
	*index = at;
	return 0;
}

int pg_begin_turn(struct store *s, uint64_t *next)
{
	struct pg *p = pg_of(s);
	int r;

	if (p->failed)
		return -EIO;
	if (!p->writable)
		return -EROFS;
	if (p->waits)
		return V_AGAIN;
	r = p->in_turn ? 0 : take_turn(p);
	if (p->waits)
		return V_AGAIN;
	p->told = false;
	if (r && r != V_AGAIN)
		return undo(p, r);
	*next = p->head.size + p->waiting;
	return 0;
}

/* --- committing --- */

static int copy(struct pg *p, const char *text, struct span rows)
{
	int r = conn_copy_begin(&p->turn, text);
	int x;

	if (r)
		return r;
	r = conn_copy_put(&p->turn, rows);
	x = conn_copy_end(&p->turn);
	return r ? r : x;
}

/* The checkpoint over the group, signed, into the log's row. */
static int sign(struct pg *p)
{
	_cleanup_result_ PGresult *res = NULL;
	struct checkpoint *c = &p->coming;
	struct buf *note = &p->coming_note;
	struct args a = {.n = 0};
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < p->waiting; i++)
		r = tree_add(&p->tree, &p->group[i], SPAN("", 0));
	r = r ? r : tree_root(&p->tree, &c->root);
	if (r)
		return r;
	c->size = p->tree.size;
	snprintf(c->origin, sizeof(c->origin), "%s", p->origin);
	buf_clear(note);
	r = checkpoint_sign(c, p->log_key, note);
	if (r)
		return r < 0 ? r : -EINVAL;
	arg_int(&a, (int64_t)c->size);
	arg_bytes(&a, buf_span(note));
	arg_bytes(&a, SPAN_STR(p->origin));
	arg_int(&a, (int64_t)p->head.size);
	arg_bytes(&a, buf_span(&p->note));
	r = conn_run(&p->turn,
		"UPDATE sekisho.log SET size = $1, checkpoint = $2, origin = $3 WHERE size = $4 AND checkpoint = $5",
		&a, &res);
	if (r)
		return r;
	return strcmp(PQcmdTuples(res), "1") != 0 ? -ESTALE : 0; /* somebody else signed */
}

/* What came of the commit. */
static int committed(struct pg *p, int r)
{
	if (r) {
		p->failed = p->doubt = true;
		pg_give_up_turn(p);
		return r;
	}
	p->in_turn = false;
	p->waiting = 0;
	buf_clear(&p->leaves);
	buf_clear(&p->bodies);
	p->head = p->coming;
	buf_clear(&p->note);
	r = buf_put_span(&p->note, buf_span(&p->coming_note));
	r = r ? r : pg_keep_checkpoint(p);
	if (r)
		p->failed = true;
	p->ill |= r && !p->unkept;
	return r > 0 ? -EIO : r;
}

/*
 * The row's lock came, or not yet: somebody else's group is open, and its commit waits. It is kept for whoever comes
 * next with something to append, or the log would go round among others where they are many.
 */
static int turn_came(struct pg *p, int r, const PGresult *res)
{
	bool grown = false;

	if (r == -ETIMEDOUT) {
		p->turn.gone = false;
		pg_give_up_turn(p);
		return 0;
	}
	r = r ? r : have_turn(p, res, &grown);
	p->told = !r;
	return r ? undo(p, r) : 0;
}

/* One of nothing: who waits for it has waited for all that this server was told before. */
int pg_commit_behind(struct conn *c, int ms)
{
	int r = conn_run(c, "BEGIN", NULL, NULL);

	r = r ? r : conn_run(c, "SELECT pg_logical_emit_message(true, 'sekisho'::text, ''::text)", NULL, NULL);
	r = r ? r : conn_commit_send(c);
	return r ? r : conn_commit_answer(c, ms);
}

/* What came of it: its group is empty. */
static int promise_kept(struct pg *p, int r)
{
	if (r)
		p->failed = p->doubt = true;
	return r;
}

static int commit_promise(struct pg *p)
{
	int r;

	pg_give_up_turn(p);
	r = pg_demand_standbys(p, NULL);
	if (r) {
		p->turn.gone = true;
		return promise_kept(p, r);
	}
	r = pg_commit_behind(&p->turn, p->wait_ms);
	p->promised = false;
	if (r != V_AGAIN)
		return promise_kept(p, r);
	p->waits = PG_WAITS_PROMISE;
	return r;
}

/* Has come what is waited for? 0: it has, and nothing waits; V_AGAIN; as store_commit. */
static int go_on(struct pg *p)
{
	_cleanup_result_ PGresult *res = NULL;
	int waits = p->waits;
	int r = waits == PG_WAITS_TURN ? conn_answer(&p->turn, 0, &res) : conn_commit_answer(&p->turn, 0);

	if (r == V_AGAIN)
		return r;
	p->waits = PG_WAITS_NOT;
	return waits == PG_WAITS_TURN      ? turn_came(p, r, res)
	       : waits == PG_WAITS_PROMISE ? promise_kept(p, r)
					   : committed(p, r);
}

int pg_commit(struct store *s)
{
	struct pg *p = pg_of(s);
	bool divided;
	int r;

	if (p->failed)
		return -EIO;
	if (p->waits)
		return go_on(p);
	if (!p->waiting && p->promised)
		return commit_promise(p);
	if (!p->waiting) {
		if (!p->told)
			pg_give_up_turn(p);
		p->told = false;
		return 0;
	}
#define LEAF "month, idx, producer, hash, header"
#define BODY "part, idx, bytes"
#define COPY(t, columns) "COPY sekisho." t " (" columns ") FROM STDIN (FORMAT binary)"
	divided = p->version >= PG_DIVIDED;
	r = copy(p, divided ? COPY("leaf", LEAF ", host_hash") : COPY("leaf", LEAF), buf_span(&p->leaves));
	r = r ? r : copy(p, divided ? COPY("body", BODY ", host_hash") : COPY("body", BODY), buf_span(&p->bodies));
#undef LEAF
#undef BODY
#undef COPY
	r = r ? r : sign(p);
	if (r)
		return undo(p, r);
	r = conn_commit_send(&p->turn);
	p->promised = p->promised && r;
	r = r ? r : conn_commit_answer(&p->turn, p->wait_ms);
	if (r == V_AGAIN) {
		p->waits = PG_WAITS_COMMIT;
		return r;
	}
	return committed(p, r);
}

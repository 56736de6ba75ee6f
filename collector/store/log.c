/*
 * The log: the tree over the leaves, its signed checkpoint, and what must agree with what when a store is opened.
 *
 * The order that must never change: leaves durable, then tiles, then the checkpoint signed and durable in its own
 * folder, and only then may anybody hear of it. A checkpoint that is not on the disk could be followed, after a power
 * cut, by another one over the same size.
 */
#include "collector/store/store_parts.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

static int read_note(const char *dir, const char *name, struct buf *out)
{
	char path[PATH_MAX];

	buf_clear(out);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return file_read(path, out);
}

/* For reading without the log's key. Verifiers judge its signature themselves. */
int log_peek(struct span note, struct checkpoint *out, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(NOTE_SIZE_MAX + 1), root = BUF_INIT(64);
	struct checkpoint c = {.size = 0};
	char hash[64];
	int end = 0;

	if (buf_put_span(&text, note) || !buf_str(&text) ||
		sscanf((char *)text.p, "%127[^\n]\n%" SCNu64 "\n%63[^\n]\n%n", c.origin, &c.size, hash, &end) != 3 ||
		!end || base64_decode(&root, SPAN_STR(hash)) || root.n != DIGEST_SIZE)
		return why_set(why, V_BAD, "state/checkpoint: not a checkpoint");
	memcpy(c.root.b, root.p, DIGEST_SIZE);
	*out = c;
	return 0;
}

int log_judge(const struct key *log_key, const char *origin, const char *name, struct span note, struct checkpoint *out,
	struct why *why)
{
	struct verifier v = {.key = NULL};
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	struct why inner = {""};
	int r;

	if (!log_key)
		return log_peek(note, out, why);
	r = verifier_encode(origin, log_key, &text);
	r = r ? r : verifier_decode(buf_span(&text), &v, why);
	r = r ? r : checkpoint_verify(note, &v, out, &inner);
	verifier_deinit(&v);
	return r > 0 ? why_set(why, V_BAD, "%s: %.150s", name, inner.text) : r;
}

int log_load_checkpoint(struct store *s, struct why *why)
{
	_cleanup_buf_ struct buf state = BUF_INIT(NOTE_SIZE_MAX), published = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint c = {.size = 0}, other = {.size = 0};
	int have = read_note(s->state, "checkpoint", &state);
	int log = read_note(s->dir, "log/checkpoint", &published);

	if (have < 0 && (s->writable || (have != -EACCES && have != -EPERM)))
		return have;
	if (log < 0)
		return log;
	if (have == V_FULL || log == V_FULL)
		return why_set(why, V_BAD, "%s: larger than a checkpoint can be",
			have == V_FULL ? "state/checkpoint" : "log/checkpoint");
	if (!log) {
		int r = log_judge(s->log_key, s->origin, "log/checkpoint", buf_span(&published), &other,
			s->writable ? NULL : why);

		/* It is written without fsync: after a power cut it may be anything. state/checkpoint is what counts.
		 */
		if (r < 0 || (r && have))
			return r;
		if (r)
			other.size = 0;
	}
	if (have) {
		if (s->writable && other.size)
			return why_set(why, V_BAD,
				"state/checkpoint is missing, but one over %" PRIu64 " leaves was published",
				other.size);
		/* Not ours to see: what is published says the same. */
		c = other;
		buf_clear(&state);
		if (!log && buf_put_span(&state, buf_span(&published)))
			return -ENOMEM;
	} else {
		int r = log_judge(s->log_key, s->origin, "state/checkpoint", buf_span(&state), &c, why);

		if (r)
			return r;
		if (s->writable && other.size > c.size)
			return why_set(why, V_BAD,
				"state/checkpoint is over %" PRIu64 " leaves, but one over %" PRIu64
				" was published: it is an old copy",
				c.size, other.size);
	}
	buf_clear(&s->note);
	if (buf_put_span(&s->note, buf_span(&state)))
		return -ENOMEM;
	s->head = c;
	return 0;
}

static int add_leaves(struct store *s, uint64_t from, uint64_t to, struct why *why)
{
	_cleanup_buf_ struct buf leaf = BUF_INIT(SEGMENT_HEADER_MAX);
	struct digest hash;
	int r = 0;

	for (; !r && from < to; from++) {
		buf_clear(&leaf);
		r = packs_read(&s->packs, from, &leaf, NULL, why);
		if (r)
			break;
		merkle_leaf(buf_span(&leaf), &hash);
		r = tree_add(&s->tree, &hash, buf_span(&leaf));
	}
	return r;
}

int log_load_tree(struct store *s, struct why *why)
{
	struct digest root = {{0}};
	struct why inner = {""};
	int r;

	if (s->head.size > UINT64_C(1) << 40)
		return why_set(why, V_BAD, "state/checkpoint: over more leaves than any log has");
	r = tree_load(&s->tree, s->head.size, false, &inner);
	r = r ? r : add_leaves(s, s->tree.size, s->head.size, why);
	if (r < 0 || (r && !inner.text[0]))
		return r;
	if (!r && s->head.size)
		r = tree_root(&s->tree, &root);
	if (r < 0 && r != -EIO)
		return r;
	if (s->head.size && (r || !digest_eq(&root, &s->head.root))) {
		/* Tiles are derived: perhaps only they are wrong. */
		r = tree_load(&s->tree, 0, false, why);
		r = r ? r : add_leaves(s, 0, s->head.size, why);
		r = r ? r : tree_root(&s->tree, &root);
		if (r)
			return r;
		if (!digest_eq(&root, &s->head.root))
			return why_set(why, V_BAD,
				"the log differs from the last checkpoint signed, over %" PRIu64
				" leaves: not the same log",
				s->head.size);
	}
	r = tree_rewrite_edge(&s->tree);
	s->tree_ready = !r;
	return r;
}

/* Replaces the checkpoint where it is still the one that we know. */
static int swap_checkpoint(struct store *s, struct span note)
{
	_cleanup_buf_ struct buf now = BUF_INIT(NOTE_SIZE_MAX);
	char path[PATH_MAX];
	int r = read_note(s->state, "checkpoint", &now);

	if (r && r != V_NOT_FOUND)
		return r < 0 ? r : -ESTALE;
	if (!span_eq(buf_span(&now), buf_span(&s->note)))
		return -ESTALE; /* somebody else signed */
	snprintf(path, sizeof(path), "%s/checkpoint", s->state);
	return file_replace(path, note, 0644);
}

int log_extend(struct store *s, bool *signed_now)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint c = {.size = 0};
	char path[PATH_MAX];
	const uint8_t *at = s->packs.headers.p;
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < s->packs.waiting; i++) {
		/* The bytes are those that were read back from the disk. */
		r = tree_add(&s->tree, &s->packs.leaves[i], SPAN(at + FRAME_HEAD, s->packs.lengths[i]));
		at += FRAME_HEAD + s->packs.lengths[i];
	}
	r = r ? r : tree_write_edge(&s->tree, s->head.size);
	r = r ? r : tree_root(&s->tree, &c.root);
	if (r)
		return r;
	c.size = s->tree.size;
	snprintf(c.origin, sizeof(c.origin), "%s", s->origin);
	r = checkpoint_sign(&c, s->log_key, &note);
	if (r)
		return r < 0 ? r : -EINVAL;
	*signed_now = true; /* from here on it may be on the disk */
	r = swap_checkpoint(s, buf_span(&note));
	if (r)
		return r;
	s->head = c;
	buf_clear(&s->note);
	r = buf_put_span(&s->note, buf_span(&note));
	snprintf(path, sizeof(path), "%s/log/checkpoint", s->dir);
	return r ? r : file_replace_volatile(path, buf_span(&note), 0644);
}

int log_refresh(struct store *s)
{
	struct packs fresh;
	int r;

	if (s->writable)
		return 0;
	r = log_load_checkpoint(s, NULL);
	r = r ? r : packs_open(&fresh, s->dir, PACKS_READ, 0, NULL);
	if (r)
		return r;
	packs_close(&s->packs);
	s->packs = fresh;
	s->tree_ready = false;
	return 0;
}

int log_read(struct store *s, uint64_t leaf, struct buf *header, struct buf *body, struct segment *out, struct why *why)
{
	int r;

	buf_clear(header);
	buf_clear(body);
	r = packs_read(&s->packs, leaf, header, body, why);
	r = r ? r : header_parse(buf_span(header), out, why);
	if (!r)
		out->body = buf_span(body);
	return r;
}

/* The collector's own records are in it from the beginning: others come when that one has let them in. */
int files_founder(struct store *s, struct digest *out)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX);
	struct segment seg;
	uint64_t i;
	int r = 0;

	for (i = 0; !r && i < s->head.size; i++) {
		buf_clear(&header);
		r = packs_read(&s->packs, i, &header, NULL, NULL);
		r = r ? r : header_parse(buf_span(&header), &seg, NULL);
		if (!r && seg.header.producer == PRODUCER_COLLECTOR) {
			*out = seg.header.host;
			return 0;
		}
	}
	return r < 0 ? r : r ? V_BAD : V_NOT_FOUND;
}

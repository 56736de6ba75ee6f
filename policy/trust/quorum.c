/*
 * See quorum.h. Called by verifiers with a file that an auditor chose. A group names only what stands before it, so one
 * pass upwards says what is met.
 */
#include "policy/trust/quorum.h"
#include "policy/base/text.h"
#include <errno.h>
#include <stdlib.h>

#define WORDS_MAX 4096u /* on a line */

/* A witness, or a group of what stands before it. */
struct member {
	struct span name; /* in the copy of the text */
	bool is_group, taken, met;
	struct verifier key; /* of a witness */
	unsigned k, n;       /* of a group: so many of so many */
	uint32_t *of;
};

struct quorum {
	char *text;
	struct verifier *logs;
	unsigned logs_n;
	struct member *members;
	unsigned members_n, members_cap;
	bool has_quorum, none;
	unsigned quorum;
};

struct reading {
	struct quorum *q;
	unsigned line;
	struct span words[WORDS_MAX];
	unsigned n;
	struct why *why;
};

static int wrong(struct reading *in, const char *what)
{
	return why_set(in->why, V_BAD, "policy: line %u: %s", in->line, what);
}

static bool is(struct span s, const char *text)
{
	return span_eq(s, SPAN_STR(text));
}

static bool same_key(const struct verifier *a, const struct verifier *b)
{
	uint8_t x[32], y[32];

	return !key_public_raw(a->key, x) && !key_public_raw(b->key, y) && !memcmp(x, y, sizeof(x));
}

static int find(const struct quorum *q, struct span name, unsigned *at)
{
	unsigned i;

	for (i = 0; i < q->members_n; i++)
		if (span_eq(q->members[i].name, name)) {
			*at = i;
			return 0;
		}
	return V_NOT_FOUND;
}

/* A member with a name that is not taken; it counts once what it is made of is whole. */
static int next_member(struct reading *in, struct member **out)
{
	struct quorum *q = in->q;
	unsigned at;

	if (q->members_n == QUORUM_MEMBERS_MAX)
		return wrong(in, "more witnesses and groups than can be read");
	if (is(in->words[1], "none") || !find(q, in->words[1], &at))
		return wrong(in, "the name is taken");
	if (q->members_n == q->members_cap) {
		unsigned cap = q->members_cap ? 2 * q->members_cap : 64;
		struct member *p = realloc(q->members, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		q->members = p;
		q->members_cap = cap;
	}
	*out = &q->members[q->members_n];
	**out = (struct member){.name = in->words[1]};
	return 0;
}

static int take_log(struct reading *in)
{
	struct quorum *q = in->q;
	struct verifier v = {.key = NULL};
	unsigned i;
	int r;

	if (in->n != 2 && in->n != 3)
		return wrong(in, "log <vkey> [<url>]");
	if (q->logs_n == QUORUM_LOGS_MAX)
		return wrong(in, "more logs than can be read");
	r = verifier_decode(in->words[1], &v, NULL);
	if (r)
		return r < 0 ? r : wrong(in, "not the key of a log");
	for (i = 0; i < q->logs_n; i++)
		if (same_key(&q->logs[i], &v)) {
			verifier_deinit(&v);
			return wrong(in, "this key stands there already");
		}
	q->logs[q->logs_n++] = v;
	return 0;
}

static int take_witness(struct reading *in)
{
	struct quorum *q = in->q;
	struct member *m = NULL;
	unsigned i;
	int r;

	if (in->n != 3 && in->n != 4)
		return wrong(in, "witness <name> <vkey> [<url>]");
	r = next_member(in, &m);
	if (r || !m)
		return r;
	r = verifier_decode_as(NOTE_WITNESS, in->words[2], &m->key, NULL);
	if (r)
		return r < 0 ? r : wrong(in, "not the key of a witness (Ed25519, cosignature/v1)");
	for (i = 0; i < q->members_n; i++)
		if (!q->members[i].is_group && same_key(&q->members[i].key, &m->key)) {
			verifier_deinit(&m->key);
			return wrong(in, "this key stands there already");
		}
	q->members_n++;
	return 0;
}

/* How many of `n`: a number without leading zeros, "any", "all". 0: none of these. */
static unsigned threshold(struct span s, unsigned n)
{
	unsigned k = 0;
	size_t i;

	if (is(s, "any"))
		return 1;
	if (is(s, "all"))
		return n;
	if (!s.n || s.n > 5 || s.p[0] == '0')
		return 0;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		k = 10 * k + (unsigned)(s.p[i] - '0');
	}
	return k <= n ? k : 0;
}

static int take_group(struct reading *in)
{
	struct quorum *q = in->q;
	struct member *m = NULL;
	unsigned i, at;
	int r;

	if (in->n < 4)
		return wrong(in, "group <name> <k>|any|all <name>...");
	r = next_member(in, &m);
	if (r || !m)
		return r;
	m->is_group = true;
	m->n = in->n - 3;
	m->k = threshold(in->words[2], m->n);
	if (!m->k)
		return wrong(in, "not any, all, or so many as there are");
	m->of = calloc(m->n, sizeof(*m->of));
	if (!m->of)
		return -ENOMEM;
	for (i = 0; i < m->n; i++) {
		/* Once only: each witness counts in one way. */
		if (find(q, in->words[3 + i], &at) || q->members[at].taken) {
			free(m->of);
			return wrong(in, "a member that does not stand before it, or is one already");
		}
		q->members[at].taken = true;
		m->of[i] = at;
	}
	q->members_n++;
	return 0;
}

static int take_quorum(struct reading *in)
{
	struct quorum *q = in->q;

	if (in->n != 2 || q->has_quorum)
		return wrong(in, "one quorum <name>|none");
	q->has_quorum = true;
	q->none = is(in->words[1], "none");
	if (!q->none && find(q, in->words[1], &q->quorum))
		return wrong(in, "a quorum that does not stand before it");
	return 0;
}

static int take_line(struct reading *in, struct span line)
{
	size_t at = 0;

	for (in->n = 0; at < line.n;) {
		size_t end;

		while (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
			at++;
		for (end = at; end < line.n && line.p[end] != ' ' && line.p[end] != '\t'; end++)
			if (line.p[end] < 0x20 || line.p[end] == 0x7f)
				return wrong(in, "a control character");
		if (end == at)
			break;
		if (!in->n && line.p[at] == '#')
			return 0;
		if (in->n == WORDS_MAX)
			return wrong(in, "too long");
		in->words[in->n++] = SPAN(line.p + at, end - at);
		at = end;
	}
	if (!in->n)
		return 0;
	if (is(in->words[0], "log"))
		return take_log(in);
	if (is(in->words[0], "witness"))
		return take_witness(in);
	if (is(in->words[0], "group"))
		return take_group(in);
	return is(in->words[0], "quorum") ? take_quorum(in) : wrong(in, "not log, witness, group or quorum");
}

int quorum_read(struct span text, struct quorum **out, struct why *why)
{
	_cleanup_(quorum_freep) struct quorum *q = calloc(1, sizeof(*q));
	_cleanup_free_ struct reading *in = calloc(1, sizeof(*in));
	struct span rest;
	int r = 0;

	if (text.n > QUORUM_TEXT_MAX)
		return why_set(why, V_BAD, "policy: larger than %u bytes", QUORUM_TEXT_MAX);
	if (!q || !in)
		return -ENOMEM;
	q->text = malloc(text.n + 1);
	q->logs = calloc(QUORUM_LOGS_MAX, sizeof(*q->logs));
	if (!q->text || !q->logs)
		return -ENOMEM;
	if (text.n)
		memcpy(q->text, text.p, text.n);
	in->q = q;
	in->why = why;
	rest = SPAN(q->text, text.n);
	while (!r && rest.n) {
		struct span line;

		in->line++;
		if (!text_line(&rest, &line))
			return wrong(in, "is not ended");
		r = take_line(in, line);
	}
	if (!r && !q->has_quorum)
		r = why_set(why, V_BAD, "policy: no quorum line");
	if (!r)
		*out = STEAL(q);
	return r;
}

void quorum_free(struct quorum *q)
{
	unsigned i;

	if (!q)
		return;
	for (i = 0; i < q->logs_n; i++)
		verifier_deinit(&q->logs[i]);
	for (i = 0; i < q->members_n; i++) {
		verifier_deinit(&q->members[i].key);
		free(q->members[i].of);
	}
	free(q->logs);
	free(q->members);
	free(q->text);
	free(q);
}

bool quorum_has_log(const struct quorum *q, const struct verifier *log)
{
	unsigned i;

	for (i = 0; i < q->logs_n; i++)
		if (!strcmp(q->logs[i].name, log->name) && same_key(&q->logs[i], log))
			return true;
	return !q->logs_n;
}

const struct verifier *quorum_witness(const struct quorum *q, const struct cosignature *c)
{
	unsigned i;

	for (i = 0; i < q->members_n; i++) {
		const struct member *m = &q->members[i];

		if (!m->is_group && !strcmp(m->key.name, c->name) && !memcmp(m->key.hash, c->hash, NOTE_KEY_HASH))
			return &m->key;
	}
	return NULL;
}

void quorum_mark(struct quorum *q, const struct verifier *w)
{
	unsigned i, j;

	for (i = 0; i < q->members_n; i++) {
		struct member *m = &q->members[i];
		unsigned met = 0;

		for (j = 0; j < m->n; j++)
			met += q->members[m->of[j]].met;
		if (m->is_group)
			m->met = met >= m->k;
		else if (&m->key == w)
			m->met = true;
	}
}

bool quorum_met(const struct quorum *q)
{
	return q->none || q->members[q->quorum].met;
}

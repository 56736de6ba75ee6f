/*
 * A fleet that replays recorded days at a collector: PCs with a TLS key and certificate of their own, a connection that
 * waits and one that posts, as sekisho-uplink has them. What they post was sealed before, by PCs of a store that is
 * replayed (build/bench/office makes one; a real collector's is as good), under these PCs' own device keys, which the
 * collector is told. Called by tests/bench/fleet and tests/bench/monday.
 *
 *   bench_fleet prepare STATE FROM N FOLDER UNTIL [STORE]
 *
 * The collector stands still: the first N PCs of the store FROM are enrolled in STATE (STORE: in that database); what
 * they sealed until UNTIL, from the beginning of FROM's log, is laid into FOLDER with their TLS keys.
 *
 *   bench_fleet gaps FROM SECONDS
 *
 * How often a PC of the store FROM had sealed nothing for so long: what it sealed next needs a new connection.
 *
 *   bench_fleet replay ADDRESS PORT STATE N FOLDER AT_ONCE SINCE TIMES SLICE
 *
 * All come and wait; then what is from before SINCE is posted as a backlog; then the rest at its own times, so many
 * TIMES as fast.
 *
 *   bench_fleet storm ADDRESS PORT STATE N FOLDER AT_ONCE LIVE SLICE
 *
 * All come at once, with all that there is as their backlog, but for LIVE of them, those who have the most segments:
 * they post one of them each half a second.
 *
 * Moments are microseconds since 1970. A segment's own time is when it reached FROM's collector, as far as its log
 * tells: the latest sealing up to there. Prints lines of JSON: {"all": ...} for what all of them have reached,
 * {"slice": ...} every SLICE seconds for what was done in it. Ends by a signal.
 */
#include "policy/base/clock.h"
#include "policy/wire/api.h"
#include "tests/bench/crowd/crowd.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_BYTES (1u << 20) /* as the uplink's */
#define LIVE_US INT64_C(500000)
#define TICK_US 2000

struct entry {
	int64_t due_us; /* wall clock of what was recorded */
	uint64_t at;    /* in the file of segments */
	uint32_t size, pc, records, producer;
};

/* --- prepare --- */

struct known {
	struct digest id;
	uint32_t number; /* from 1 on; 0: a free place */
};

struct recording {
	struct store *store;
	struct known *known; /* open addressing */
	unsigned places, n, most;
	struct roster roster;
	FILE *segments, *index;
};

static FILE *make(const char *folder, const char *name)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	need(f != NULL, path);
	return f;
}

/* Its place among those that are known: `number` is 0 where it comes first. */
static struct known *find(struct known *all, unsigned places, const struct digest *id)
{
	struct known *k;
	uint64_t at;

	memcpy(&at, id->b, sizeof(at));
	for (k = &all[at % places]; k->number && memcmp(&k->id, id, sizeof(*id)) != 0; k = &all[at % places])
		at++;
	k->id = *id;
	return k;
}

/* The number of a PC, which is enrolled when it comes first. False where there are enough. */
static bool number_of(struct recording *r, const struct digest *id, uint32_t *out)
{
	struct known *k = find(r->known, r->places, id);
	struct store_host h;

	if (!k->number) {
		if (r->n == r->most)
			return false;
		need(!store_host_get(r->store, id, &h), "a segment of a PC that the store does not know");
		roster_enrol(&r->roster, r->n, &h);
		k->number = ++r->n;
	}
	*out = k->number - 1;
	return true;
}

static void prepare(
	const char *state, const char *from, unsigned pcs, const char *folder, int64_t until, const char *place)
{
	struct recording r = {.most = pcs, .places = 4 * pcs + 1};
	struct store_options o = {.dir = from};
	struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX),
		   whole = BUF_INIT(SEGMENT_MAX);
	struct why why = {""};
	struct entry e = {0};
	uint64_t i, n, segments = 0, records = 0;
	int64_t first = 0;

	need(!store_open(&o, &r.store, &why), why.text);
	r.known = calloc(r.places, sizeof(*r.known));
	need(r.known != NULL, "no memory");
	roster_open(&r.roster, state, place, folder);
	r.segments = make(folder, "segments");
	r.index = make(folder, "index");
	n = store_size(r.store);
	for (i = 0; i < n; i++) {
		struct segment s;

		buf_clear(&header);
		buf_clear(&body);
		buf_clear(&whole);
		need(!store_read(r.store, i, &header, &body, &why) && !header_parse(buf_span(&header), &s, &why),
			why.text);
		if (s.header.producer >= PRODUCER_COLLECTOR)
			continue;
		e.due_us = s.header.last_us > e.due_us ? s.header.last_us : e.due_us;
		if (e.due_us > until)
			break;
		if (!number_of(&r, &s.header.host, &e.pc))
			continue;
		need(body.n && !segment_join(buf_span(&header), buf_span(&body), &whole), "a segment without its body");
		e.size = (uint32_t)whole.n;
		e.records = s.header.count;
		e.producer = s.header.producer;
		need(fwrite(whole.p, 1, whole.n, r.segments) == whole.n && fwrite(&e, sizeof(e), 1, r.index) == 1,
			folder);
		e.at += whole.n;
		first = first ? first : e.due_us;
		segments++;
		records += e.records;
	}
	need(!fclose(r.segments) && !fclose(r.index), folder);
	need(r.n > 0, "nothing was recorded until then");
	printf("{\"pcs\": %u, \"segments\": %llu, \"records\": %llu, \"bytes\": %llu, \"first_us\": %lld, \"last_us\": "
	       "%lld}\n",
		r.n, (unsigned long long)segments, (unsigned long long)records, (unsigned long long)e.at,
		(long long)first, (long long)e.due_us);
	roster_close(&r.roster);
	store_close(r.store);
	free(r.known);
	buf_deinit(&header);
	buf_deinit(&body);
	buf_deinit(&whole);
}

/* A connection that nothing is posted by is ended after a while (idle_timeout): what comes then is a handshake more. */
static void gaps(const char *from, int64_t idle_us)
{
	static struct known known[4 * CROWD_MAX];
	static int64_t last[CROWD_MAX];
	struct store_options o = {.dir = from};
	struct buf header = BUF_INIT(SEGMENT_HEADER_MAX);
	uint64_t i, segments = 0, connections = 0;
	struct why why = {""};
	struct store *s;
	uint32_t n = 0;

	need(!store_open(&o, &s, &why), why.text);
	for (i = 0; i < store_size(s); i++) {
		struct segment seg;
		struct known *k;

		buf_clear(&header);
		need(!store_read(s, i, &header, NULL, &why) && !header_parse(buf_span(&header), &seg, &why), why.text);
		if (seg.header.producer >= PRODUCER_COLLECTOR)
			continue;
		k = find(known, ARRAY_SIZE(known), &seg.header.host);
		if (!k->number) {
			need(n < CROWD_MAX, "more PCs than are counted");
			k->number = ++n;
		}
		segments++;
		connections += seg.header.last_us - last[k->number - 1] > idle_us;
		last[k->number - 1] = seg.header.last_us;
	}
	printf("{\"pcs\": %u, \"segments\": %llu, \"connections\": %llu}\n", n, (unsigned long long)segments,
		(unsigned long long)connections);
	store_close(s);
	buf_deinit(&header);
}

/* --- what is measured --- */

struct samples {
	uint32_t *us;
	size_t n, room, slice; /* slice: the first of this slice */
};

static void sample(struct samples *s, int64_t us)
{
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 4096;
		s->us = realloc(s->us, s->room * sizeof(*s->us));
		need(s->us != NULL, "no memory");
	}
	s->us[s->n++] = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Of those from `from` on, which are put in order. */
static void tell_samples(struct samples *s, size_t from, const char *name)
{
	size_t n = s->n - from;
	uint32_t *us = s->us + from;

	if (!n)
		return;
	qsort(us, n, sizeof(*us), ascending);
	printf(", \"%s_p50_ms\": %.1f, \"%s_p99_ms\": %.1f, \"%s_most_ms\": %.1f", name, us[n / 2] / 1e3, name,
		us[n * 99 / 100] / 1e3, name, us[n - 1] / 1e3);
}

struct counts {
	uint64_t segments, records, bytes, requests, known, slowed, broken, handshakes;
};

/* --- the fleet --- */

struct fleet;

struct pc {
	struct fleet *fleet;
	struct line wait, post;
	struct event *later; /* when a server that asked for patience may be asked again; made when that comes */
	uint32_t *own;       /* its entries, in order */
	uint32_t n, next, due, flight;
	uint64_t policy, seen; /* the log's size, as it was told last */
	int64_t sent_us, live_us;
	bool waits, asked, live, rests;
};

struct fleet {
	struct crowd crowd;
	const struct entry *entries;
	const unsigned char *segments;
	size_t n, cursor;
	struct pc *pcs;
	unsigned pcs_n, waiting, live;
	struct pc **live_pcs;
	uint32_t *owns;
	struct buf body;
	bool storm;
	enum { COMING, CATCHING_UP, REPLAYING, DONE } phase;
	int64_t since_us, began_us, slice_us;
	size_t backlog, left; /* segments; left: of this phase, that are not acknowledged */
	double times, slice_s;
	unsigned slices;
	struct counts count, before;
	struct samples answers, behind, live_answers, live_behind;
	struct event *tick, *slice, *live_tick;
};

static struct timeval after(int64_t us)
{
	return (struct timeval){.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};
}

/* When on the boot clock a PC's segment should have gone. -1: it is backlog. */
static int64_t due_us(const struct pc *p, uint32_t k)
{
	const struct fleet *f = p->fleet;
	const struct entry *e = &f->entries[p->own[k]];

	if (f->storm)
		return p->live ? p->live_us + k * LIVE_US : -1;
	if (e->due_us < f->since_us)
		return -1;
	return f->began_us + (int64_t)((double)(e->due_us - f->since_us) / f->times);
}

static void tell_counts(const struct fleet *f, const struct counts *from)
{
	const struct counts *c = &f->count;

	printf(", \"segments\": %llu, \"records\": %llu, \"bytes\": %llu, \"requests\": %llu, \"handshakes\": %llu, "
	       "\"known\": "
	       "%llu, \"slowed\": %llu, \"broken\": %llu",
		(unsigned long long)(c->segments - from->segments), (unsigned long long)(c->records - from->records),
		(unsigned long long)(c->bytes - from->bytes), (unsigned long long)(c->requests - from->requests),
		(unsigned long long)(c->handshakes - from->handshakes), (unsigned long long)(c->known - from->known),
		(unsigned long long)(c->slowed - from->slowed), (unsigned long long)(c->broken - from->broken));
}

static void tell_all(struct fleet *f, const char *what)
{
	static const struct counts none;

	f->count.handshakes = f->crowd.handshakes;
	printf("{\"all\": \"%s\", \"seconds\": %.2f", what, (double)(clock_boot_us() - f->began_us) / 1e6);
	tell_counts(f, &none);
	if (f->phase == DONE) {
		tell_samples(&f->answers, 0, "answer");
		tell_samples(&f->behind, 0, "behind");
		tell_samples(&f->live_answers, 0, "live_answer");
		tell_samples(&f->live_behind, 0, "live_behind");
	}
	printf("}\n");
	fflush(stdout);
}

static void begin_slice(struct fleet *f)
{
	f->count.handshakes = f->crowd.handshakes;
	f->before = f->count;
	f->slice_us = clock_boot_us();
	f->answers.slice = f->answers.n;
	f->behind.slice = f->behind.n;
}

static void tell_slice(struct fleet *f)
{
	f->count.handshakes = f->crowd.handshakes;
	printf("{\"slice\": %u, \"seconds\": %.3f", ++f->slices, (double)(clock_boot_us() - f->slice_us) / 1e6);
	tell_counts(f, &f->before);
	tell_samples(&f->answers, f->answers.slice, "answer");
	tell_samples(&f->behind, f->behind.slice, "behind");
	printf("}\n");
	fflush(stdout);
	begin_slice(f);
}

static void phase_over(struct fleet *f);
static void send_due(struct pc *p);

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct pc *p = arg;

	(void)fd;
	(void)what;
	p->rests = false;
	send_due(p);
}

static void rest(struct pc *p, const char *head)
{
	const char *asked = strcasestr(head, "\r\nretry-after:");
	uint64_t asked_us = asked ? strtoull(asked + 14, NULL, 10) * 1000000 : 0;
	struct timeval tv = after((int64_t)line_delay(&p->post, asked_us));

	p->fleet->count.slowed++;
	p->rests = true;
	if (!p->later)
		p->later = evtimer_new(p->fleet->crowd.base, on_later, p);
	need(p->later != NULL, "no memory");
	evtimer_add(p->later, &tv);
}

/* What is due goes, as much of one producer as may be in a request, if none is on its way. */
static void send_due(struct pc *p)
{
	struct fleet *f = p->fleet;
	uint32_t i, producer;
	char headers[160];

	if (p->flight || p->rests || p->next >= p->due)
		return;
	if (!p->post.is_up) {
		if (!p->post.coming)
			line_connect(&p->post);
		return;
	}
	if (!p->asked)
		return;
	buf_clear(&f->body);
	producer = f->entries[p->own[p->next]].producer;
	for (i = p->next; i < p->due && i - p->next < API_SEGMENTS_MAX; i++) {
		const struct entry *e = &f->entries[p->own[i]];

		if (e->producer != producer || (i > p->next && f->body.n + e->size > BATCH_BYTES))
			break;
		need(!buf_put(&f->body, f->segments + e->at, e->size), "no memory");
	}
	p->flight = i - p->next;
	p->sent_us = clock_boot_us();
	snprintf(headers, sizeof(headers), "Content-Type: " API_SEGMENT_TYPE "\r\n" API_HEADER_SEEN ": %llu\r\n",
		(unsigned long long)p->seen);
	line_post(&p->post, API_SEGMENTS, headers, buf_span(&f->body));
}

static uint32_t count(const char *s, const char *what)
{
	uint32_t n = 0;

	while ((s = strstr(s, what))) {
		n++;
		s += strlen(what);
	}
	return n;
}

static void acknowledged(struct pc *p)
{
	struct fleet *f = p->fleet;
	int64_t now = clock_boot_us();
	uint32_t i;

	sample(p->live ? &f->live_answers : &f->answers, now - p->sent_us);
	for (i = p->next; i < p->next + p->flight; i++) {
		const struct entry *e = &f->entries[p->own[i]];
		int64_t due = due_us(p, i);

		if (due >= 0)
			sample(p->live ? &f->live_behind : &f->behind, now - due);
		f->count.records += e->records;
		f->count.bytes += e->size;
	}
	f->count.segments += p->flight;
	f->count.requests++;
	if (!p->live)
		f->left -= p->flight;
	p->next += p->flight;
	p->flight = 0;
	send_due(p);
	if (!f->left)
		phase_over(f);
}

static void on_taken(struct line *l, int status, const char *head, struct span body)
{
	struct pc *p = l->owner;
	_cleanup_buf_ struct buf text = BUF_INIT(API_ANSWER_MAX + 1);
	const char *s, *size;
	uint32_t known;

	need(!buf_put_span(&text, body) && (s = buf_str(&text)), "an answer is too long");
	if (status == 429 || status == 503) {
		p->flight = 0;
		rest(p, head);
		return;
	}
	if (status != 200)
		fprintf(stderr, "bench_fleet: %d %s\n", status, s);
	need(status == 200, "not taken");
	backoff_reset(&l->backoff);
	if (!p->asked) {
		p->asked = true; /* how the log stands */
		send_due(p);
		return;
	}
	known = count(s, "\"known\"");
	need(count(s, "\"stored\"") + known == p->flight, s);
	p->fleet->count.known += known;
	/* The note's second line. */
	size = strstr(s, "\"checkpoint\"");
	size = size ? strstr(size, "\\n") : NULL;
	need(size != NULL, "an answer without a checkpoint");
	p->seen = strtoull(size + 2, NULL, 10);
	acknowledged(p);
}

static void on_post_up(struct line *l)
{
	struct pc *p = l->owner;

	if (p->live && !p->live_us)
		p->live_us = clock_boot_us();
	if (p->asked)
		send_due(p); /* it was idle, and the server ended it */
	else
		line_get(l, API_CONSISTENCY "?from=0");
}

static void on_post_lost(struct line *l, bool was_up)
{
	struct pc *p = l->owner;

	if (was_up && p->asked && !p->flight)
		return; /* it was idle: it comes when there is something to post */
	p->fleet->count.broken++;
	p->flight = 0;
	if (was_up)
		line_connect(l);
	else
		line_retry(l, 0);
}

static void wait_now(struct pc *p)
{
	struct fleet *f = p->fleet;
	char target[160];

	snprintf(target, sizeof(target), API_WAIT "?follow=0&checkpoint=0&policy=%llu&above=%llu",
		(unsigned long long)p->policy, (unsigned long long)p->policy);
	line_get(&p->wait, target);
	p->waits = true;
	if (++f->waiting == f->pcs_n && f->phase == COMING && !f->storm)
		phase_over(f);
}

static void on_wait_up(struct line *l)
{
	wait_now(l->owner);
}

static void on_woken(struct line *l, int status, const char *head, struct span body)
{
	struct pc *p = l->owner;
	const char *version;
	char text[256] = "";

	(void)head;
	memcpy(text, body.p, body.n < sizeof(text) ? body.n : sizeof(text) - 1);
	if (status != 200)
		fprintf(stderr, "bench_fleet: %d %s\n", status, text);
	need(status == 200, "may not wait");
	backoff_reset(&l->backoff);
	version = strstr(text, "\"policy\":");
	p->policy = version ? strtoull(version + 9, NULL, 10) : 0;
	p->fleet->waiting--;
	wait_now(p);
}

static void on_wait_lost(struct line *l, bool was_up)
{
	struct pc *p = l->owner;

	(void)was_up;
	p->fleet->waiting -= p->waits;
	p->waits = false;
	p->fleet->count.broken++;
	line_retry(l, 0);
}

/* --- time --- */

/* All up to a moment of the recording is due. */
static void due_until(struct fleet *f, int64_t wall)
{
	for (; f->cursor < f->n && f->entries[f->cursor].due_us < wall; f->cursor++) {
		struct pc *p = &f->pcs[f->entries[f->cursor].pc];

		p->due++;
		send_due(p);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct fleet *f = arg;

	(void)fd;
	(void)what;
	due_until(f, f->since_us + (int64_t)((double)(clock_boot_us() - f->began_us) * f->times));
}

static void on_slice(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell_slice(arg);
}

static void on_live(evutil_socket_t fd, short what, void *arg)
{
	struct fleet *f = arg;
	int64_t now = clock_boot_us();
	unsigned i;

	(void)fd;
	(void)what;
	for (i = 0; i < f->live; i++) {
		struct pc *p = f->live_pcs[i];

		while (p->live_us && p->due < p->n && due_us(p, p->due) <= now)
			p->due++;
		send_due(p);
	}
}

static void every(struct fleet *f, struct event **e, event_callback_fn fn, int64_t us)
{
	struct timeval tv = after(us);

	*e = event_new(f->crowd.base, -1, EV_PERSIST, fn, f);
	need(*e && !event_add(*e, &tv), "no memory");
}

/* All have come: what is from before goes. That is there: the replay begins. All is there. */
static void phase_over(struct fleet *f)
{
	if (f->phase == COMING) {
		tell_all(f, "there");
		f->phase = CATCHING_UP;
		f->left = f->backlog;
		f->began_us = clock_boot_us();
		due_until(f, f->since_us);
		if (f->left)
			return;
	}
	if (f->phase == CATCHING_UP && !f->storm) {
		tell_all(f, "caught up");
		f->phase = REPLAYING;
		f->left = f->n - f->backlog;
		f->answers.n = f->behind.n = 0;
		f->began_us = clock_boot_us();
		begin_slice(f);
		every(f, &f->tick, on_tick, TICK_US);
		every(f, &f->slice, on_slice, (int64_t)(f->slice_s * 1e6));
		if (f->left)
			return;
	}
	if (f->phase == DONE)
		return;
	f->phase = DONE;
	event_del(f->slice);
	tell_all(f, "acknowledged");
}

/* --- start --- */

static const void *map(const char *folder, const char *name, size_t *n)
{
	char path[PATH_MAX];
	struct stat st;
	void *p;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(fd >= 0 && !fstat(fd, &st) && st.st_size > 0, path);
	*n = (size_t)st.st_size;
	p = mmap(NULL, *n, PROT_READ, MAP_PRIVATE, fd, 0);
	need(p != MAP_FAILED, path);
	close(fd);
	return p;
}

/* Each PC's entries, one behind the other. */
static void share_out(struct fleet *f)
{
	uint32_t *at;
	size_t i;

	f->owns = calloc(f->n, sizeof(*f->owns));
	need(f->owns != NULL, "no memory");
	for (i = 0; i < f->n; i++) {
		need(f->entries[i].pc < f->pcs_n, "more PCs were prepared than are to come");
		f->pcs[f->entries[i].pc].n++;
	}
	at = f->owns;
	for (i = 0; i < f->pcs_n; i++) {
		f->pcs[i].own = at;
		at += f->pcs[i].n;
		f->pcs[i].n = 0;
	}
	for (i = 0; i < f->n; i++) {
		struct pc *p = &f->pcs[f->entries[i].pc];

		p->own[p->n++] = (uint32_t)i;
		f->backlog += f->entries[i].due_us < f->since_us;
	}
}

static void pc_ready(struct fleet *f, unsigned i, const char *folder)
{
	struct pc *p = &f->pcs[i];

	p->fleet = f;
	p->wait = (struct line){
		.crowd = &f->crowd, .up = on_wait_up, .answered = on_woken, .lost = on_wait_lost, .owner = p};
	p->post = (struct line){
		.crowd = &f->crowd, .up = on_post_up, .answered = on_taken, .lost = on_post_lost, .owner = p};
	line_identify(&p->wait, folder, i);
	line_identify_as(&p->post, &p->wait);
	line_ready(&p->wait);
	line_ready(&p->post);
}

static int most_first(const void *a, const void *b)
{
	const struct pc *x = *(struct pc *const *)a, *y = *(struct pc *const *)b;

	return x->n > y->n ? -1 : x->n < y->n;
}

/* Who is live, and what the others bring along. */
static void storm(struct fleet *f)
{
	unsigned i;

	f->live_pcs = calloc(f->pcs_n, sizeof(struct pc *));
	need(f->live_pcs != NULL, "no memory");
	for (i = 0; i < f->pcs_n; i++)
		f->live_pcs[i] = &f->pcs[i];
	qsort(f->live_pcs, f->pcs_n, sizeof(struct pc *), most_first);
	for (i = 0; i < f->pcs_n; i++) {
		struct pc *p = f->live_pcs[i];

		p->live = i < f->live;
		p->due = p->live ? 0 : p->n;
		f->left += p->due;
	}
	need(f->left > 0, "there is no backlog");
	f->phase = CATCHING_UP;
	every(f, &f->slice, on_slice, (int64_t)(f->slice_s * 1e6));
	if (f->live)
		every(f, &f->live_tick, on_live, TICK_US);
}

static void run(struct fleet *f, char **argv)
{
	char ca[PATH_MAX];
	unsigned i;
	size_t n;

	f->pcs_n = (unsigned)strtoul(argv[3], NULL, 10);
	need(f->pcs_n && f->pcs_n <= CROWD_MAX && f->live < f->pcs_n, "between 1 and 20000 PCs");
	need(f->slice_s >= 0.1 && f->times > 0, "bounds");
	f->entries = map(argv[4], "index", &n);
	f->n = n / sizeof(*f->entries);
	f->segments = map(argv[4], "segments", &n);
	f->pcs = calloc(f->pcs_n, sizeof(*f->pcs));
	f->body = BUF_INIT(API_SEGMENTS_BODY_MAX);
	need(f->pcs != NULL, "no memory");
	snprintf(ca, sizeof(ca), "%s/ca/ca.crt", argv[2]);
	crowd_open(&f->crowd, argv[0], argv[1], ca, (unsigned)strtoul(argv[5], NULL, 10), 2 * f->pcs_n + 1024);
	share_out(f);
	for (i = 0; i < f->pcs_n; i++)
		pc_ready(f, i, argv[4]);
	f->began_us = clock_boot_us();
	begin_slice(f);
	if (f->storm)
		storm(f);
	for (i = 0; i < f->pcs_n; i++) {
		line_connect(&f->pcs[i].post);
		line_connect(&f->pcs[i].wait);
	}
	event_base_dispatch(f->crowd.base);
}

int main(int argc, char **argv)
{
	static struct fleet f = {.times = 1};

	if ((argc == 7 || argc == 8) && !strcmp(argv[1], "prepare")) {
		unsigned pcs = (unsigned)strtoul(argv[4], NULL, 10);

		need(pcs && pcs <= CROWD_MAX, "between 1 and 20000 PCs");
		prepare(argv[2], argv[3], pcs, argv[5], strtoll(argv[6], NULL, 10), argc == 8 ? argv[7] : NULL);
		return 0;
	}
	if (argc == 11 && !strcmp(argv[1], "replay")) {
		f.since_us = strtoll(argv[8], NULL, 10);
		f.times = strtod(argv[9], NULL);
		f.slice_s = strtod(argv[10], NULL);
		run(&f, argv + 2);
		return 1;
	}
	if (argc == 4 && !strcmp(argv[1], "gaps")) {
		gaps(argv[2], strtoll(argv[3], NULL, 10) * 1000000);
		return 0;
	}
	need(argc == 10 && !strcmp(argv[1], "storm"),
		"usage: bench_fleet prepare STATE FROM N FOLDER UNTIL [STORE] | gaps FROM SECONDS | replay ADDRESS "
		"PORT STATE N FOLDER "
		"AT_ONCE "
		"SINCE TIMES SLICE | storm ADDRESS PORT STATE N FOLDER AT_ONCE LIVE SLICE");
	f.storm = true;
	f.live = (unsigned)strtoul(argv[8], NULL, 10);
	f.slice_s = strtod(argv[9], NULL);
	run(&f, argv + 2);
	return 1;
}

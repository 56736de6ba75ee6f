/*
 * An office's days become segments, sealed as PCs seal them and put into a store as the collector puts them: chains and
 * epochs by producer, the collector's own records of who is enrolled, group commits, the index behind them. See
 * office.h.
 *
 *   office [OPTION]... STATE     makes STATE/store, STATE/log.key and STATE/log.vkey
 */
#include "collector/store/store.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/wire/body.h"
#include "tests/bench/office/office.h"
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <time.h>

#define ORIGIN "office.example/log"
#define COMMIT_EVERY 256u
#define EPOCH_DAYS 2

struct chain {
	unsigned producer;
	struct key *key;
	uint64_t epoch, seq;
	struct digest prev;
	uint8_t boot[16];
	struct buf cert, raw;
	struct body_writer body;
	bool fresh; /* its certificate is to be told */
};

struct pc {
	struct key *device;
	struct digest id;
	int64_t epoch_until, booted;
	struct chain *chains[3]; /* recorder, guard, print */
};

struct filling {
	struct office office;
	struct store *store;
	struct pc *pcs;
	struct pc self; /* the collector */
	struct pc console;
	bool papers;      /* also what papers.c tells of desks */
	bool whole;       /* and of servers */
	struct dice dice; /* of the servers */
	int64_t served;   /* the day of which servers told last */
	struct pc *at;    /* whose burst is being lived */
	struct buf bytes;
	int64_t now, last_commit;
	unsigned waiting;
	int64_t stop;  /* what reaches the collector later is left out; 0: nothing is */
	uint64_t live; /* so many desks tell each burst all the same */
	uint64_t full; /* records that a recorder's segment waits for; 0: each burst is told at once */
	uint64_t segments, records, size;
};

/* The collector's clock: it says which month a leaf lies in. */
static int64_t office_now;

static int64_t now_us(void)
{
	return office_now;
}

static int chain_new(unsigned producer, struct chain **out)
{
	struct chain *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->producer = producer;
	c->cert = BUF_INIT(2048);
	c->raw = BUF_INIT(BODY_RAW_MAX);
	body_begin(&c->body, &c->raw);
	*out = c;
	return 0;
}

static void chain_free(struct chain *c)
{
	if (!c)
		return;
	body_writer_deinit(&c->body);
	key_free(c->key);
	buf_deinit(&c->cert);
	buf_deinit(&c->raw);
	free(c);
}

static int epoch_begin(struct pc *p, struct chain *c, int64_t now, const uint8_t *boot)
{
	struct epoch e = {.host = p->id,
		.producer = c->producer,
		.number = ++c->epoch,
		.not_before_us = now,
		.not_after_us = now + EPOCH_DAYS * OFFICE_DAY_US,
		.has_since = true,
		.since_us = now - p->booted};
	int r;

	if (boot)
		memcpy(c->boot, boot, sizeof(c->boot));
	memcpy(e.boot, c->boot, sizeof(e.boot));
	key_free(c->key);
	c->key = NULL;
	r = key_new(KEY_ED25519, &c->key);
	r = r ? r : key_public_raw(c->key, e.public_key);
	buf_clear(&c->cert);
	r = r ? r : epoch_certify(p->device, &e, &c->cert);
	c->fresh = true;
	return r;
}

/* `producer`: of the one chain of a server; 0: a PC. */
static int pc_new(struct pc *p, unsigned producer)
{
	int r = key_new(KEY_P256, &p->device);

	r = r ? r : key_id(p->device, &p->id);
	r = r ? r : chain_new(producer ? producer : PRODUCER_RECORDER, &p->chains[0]);
	r = r || producer ? r : chain_new(PRODUCER_GUARD, &p->chains[1]);
	return r || producer ? r : chain_new(PRODUCER_PRINT, &p->chains[2]);
}

static void pc_free(struct pc *p)
{
	key_free(p->device);
	chain_free(p->chains[0]);
	chain_free(p->chains[1]);
	chain_free(p->chains[2]);
}

/* Group commit, and as much of the index as came. */
static int commit(struct filling *f)
{
	uint64_t left;
	int r = store_commit(f->store);

	r = r ? r : store_index_step(f->store, f->waiting, &left);
	f->waiting = 0;
	return r > 0 ? -EIO : r;
}

/* What was put becomes a segment in the store. */
static int seal(struct filling *f, struct pc *p, struct chain *c, uint64_t flags)
{
	struct segment_writer w = {.epoch_key = c->key};
	struct header *h = &w.header;
	struct segment s;
	uint64_t index;
	int r;

	*h = (struct header){.host = p->id,
		.producer = c->producer,
		.epoch = c->epoch,
		.seq = c->seq,
		.has_prev = c->seq > 0,
		.prev = c->prev,
		.count = c->body.records,
		.first_us = c->body.records ? c->body.first_wall_us : f->now,
		.last_us = c->body.records ? c->body.last_wall_us : f->now,
		.boot_us = f->now - p->booted,
		.flags = flags,
		.policy = c->producer == PRODUCER_GUARD ? 3 : 0};
	memcpy(h->boot, c->boot, sizeof(h->boot));
	if (c->fresh)
		h->epoch_cert = buf_span(&c->cert);
	buf_clear(&f->bytes);
	r = segment_seal(&w, buf_span(&c->raw), &f->bytes, &c->prev);
	r = r ? r : segment_parse(buf_span(&f->bytes), &s, NULL);
	r = r ? r : store_append(f->store, &s, &index);
	if (r == V_AGAIN) {
		r = commit(f);
		r = r ? r : store_append(f->store, &s, &index);
	}
	if (r)
		return r > 0 ? -EIO : r;
	c->seq++;
	c->fresh = false;
	f->segments++;
	f->records += c->body.records;
	f->size += f->bytes.n;
	body_begin(&c->body, &c->raw);
	return ++f->waiting >= COMMIT_EVERY ? commit(f) : 0;
}

static int put(void *ctx, unsigned teller, const struct record *r)
{
	struct filling *f = ctx;
	struct chain *c = teller == TELLER_COLLECTOR ? f->self.chains[0]
			  : teller == TELLER_CONSOLE ? f->console.chains[0]
						     : f->at->chains[teller];

	f->office.told++;
	return body_put(&c->body, r);
}

/* A PC was switched on: other boot, other keys. */
static int boots(struct desk *d, struct pc *p)
{
	uint8_t boot[16];
	unsigned i;
	int r = random_bytes(boot, sizeof(boot));

	d->booted = p->booted = d->now - 20000000;
	p->epoch_until = d->now + OFFICE_DAY_US;
	for (i = 0; !r && i < ARRAY_SIZE(p->chains); i++)
		r = epoch_begin(p, p->chains[i], d->now, boot);
	return r;
}

/* What waits for a full segment goes before its key does. */
static int flush(struct filling *f, struct pc *p)
{
	struct chain *c = p->chains[0];

	return c->body.records ? seal(f, p, c, 0) : 0;
}

static int live(struct filling *f, struct desk *d, struct pc *p, enum moment what)
{
	uint64_t full = d->number < f->live ? 0 : f->full;
	bool arrives = what == MOMENT_ARRIVE || !p->booted;
	unsigned i;
	int r = 0;

	f->at = p;
	if (arrives || d->now > p->epoch_until)
		r = flush(f, p);
	if (!r && arrives)
		r = boots(d, p);
	else if (!r && d->now > p->epoch_until)
		for (i = 0, p->epoch_until = d->now + OFFICE_DAY_US; !r && i < ARRAY_SIZE(p->chains); i++)
			r = epoch_begin(p, p->chains[i], d->now, NULL);
	if (what == MOMENT_ACT)
		f->office.acts++;
	r = r                       ? r
	    : what == MOMENT_ARRIVE ? desk_arrives(d, put, f)
	    : what == MOMENT_ACT    ? desk_acts(d, put, f)
	    : what == MOMENT_LEAVE  ? desk_leaves(d, put, f)
				    : 0;
	if (!r && f->papers && what == MOMENT_ACT)
		r = desk_papers(d, put, f);
	f->now = d->now;
	if (!r && (what != MOMENT_ACT || p->chains[0]->body.records >= full))
		r = seal(f, p, p->chains[0], what == MOMENT_IDLE ? SF_HEARTBEAT : 0);
	for (i = 1; !r && i < ARRAY_SIZE(p->chains); i++)
		r = p->chains[i]->body.records ? seal(f, p, p->chains[i], SF_URGENT) : 0;
	return r;
}

/* The collector enrols a PC: a record of its own, and a row in the table of PCs. */
static int enrol(struct filling *f, const struct pc *p, const char *name)
{
	static struct record r;
	struct store_host h = {.id = p->id, .state = HOST_ACTIVE, .enrolled_us = f->now, .last_seen_us = f->now};
	_cleanup_buf_ struct buf der = BUF_INIT(sizeof(h.spki));
	int x = key_public_der(p->device, &der);

	if (x)
		return x;
	memcpy(h.spki, der.p, der.n);
	h.spki_len = der.n;
	h.tls_key = p->id;
	snprintf(h.name, sizeof(h.name), "%s", name);
	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_ENROL);
	record_set_int(&r, F_TIME, f->now);
	record_set_int(&r, F_BOOT_TIME, f->now - f->self.booted);
	record_set_span(&r, F_PEER, SPAN(p->id.b, DIGEST_SIZE));
	record_set_str(&r, F_PEER_NAME, h.name);
	record_set_span(&r, F_KEY, buf_span(&der));
	record_set_span(&r, F_HASH, SPAN(h.tls_key.b, DIGEST_SIZE));
	x = body_put(&f->self.chains[0]->body, &r);
	return x ? x : store_host_put(f->store, &h);
}

static int enrol_all(struct filling *f, unsigned pcs)
{
	uint8_t boot[16];
	unsigned i;
	int r = pc_new(&f->self, PRODUCER_COLLECTOR);

	r = r ? r : random_bytes(boot, sizeof(boot));
	f->now = office_now = f->office.begin;
	f->self.booted = f->now - 1000000;
	r = r ? r : epoch_begin(&f->self, f->self.chains[0], f->now, boot);
	r = r ? r : enrol(f, &f->self, "collector");
	if (!r && f->whole) {
		r = pc_new(&f->console, PRODUCER_CONSOLE);
		f->console.booted = f->self.booted;
		r = r ? r : epoch_begin(&f->console, f->console.chains[0], f->now, boot);
		r = r ? r : enrol(f, &f->console, "console");
	}
	for (i = 0; !r && i < pcs; i++) {
		r = pc_new(&f->pcs[i], 0);
		r = r ? r : enrol(f, &f->pcs[i], office_desk(&f->office, i)->pc);
	}
	return r ? r : seal(f, &f->self, f->self.chains[0], SF_URGENT);
}

/* The servers' words of a day, at its noon. */
static int serve(struct filling *f, unsigned pcs, int64_t day)
{
	unsigned i = dice_under(&f->dice, pcs);
	int64_t noon = day + OFFICE_DAY_US / 2, now = f->now;
	int r = office_console(&f->dice, noon, put, f);

	f->served = day;
	f->now = noon;
	r = r ? r : office_collector(&f->dice, noon, f->pcs[i].id.b, office_desk(&f->office, i)->pc, put, f);
	r = r ? r : epoch_begin(&f->console, f->console.chains[0], noon, NULL);
	r = r || !f->console.chains[0]->body.records ? r : seal(f, &f->console, f->console.chains[0], SF_URGENT);
	if (!r && f->self.chains[0]->body.records) {
		r = epoch_begin(&f->self, f->self.chains[0], noon, NULL);
		r = r ? r : seal(f, &f->self, f->self.chains[0], SF_URGENT);
	}
	f->now = now;
	return r;
}

static int log_key(const char *state, struct key **out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	char path[PATH_MAX];
	int r = key_new(KEY_ED25519, out);

	snprintf(path, sizeof(path), "%s/log.key", state);
	r = r ? r : key_save(*out, path, 0600);
	r = r ? r : verifier_encode(ORIGIN, *out, &text);
	r = r ? r : buf_puts(&text, "\n");
	snprintf(path, sizeof(path), "%s/log.vkey", state);
	return r ? r : file_replace(path, buf_span(&text), 0644);
}

static int fill(struct filling *f, unsigned pcs)
{
	struct desk *d;
	enum moment what;
	int64_t reaches;
	uint64_t left = 1;
	unsigned i;
	int r = enrol_all(f, pcs);

	while (!r && !(r = office_next(&f->office, &d, &what, &reaches))) {
		if (f->stop && reaches >= f->stop)
			break;
		if (reaches > office_now)
			office_now = reaches;
		if (f->whole && f->office.day != f->served)
			r = serve(f, pcs, f->office.day);
		r = r ? r : live(f, d, &f->pcs[d->number], what);
	}
	r = r == V_END ? 0 : r;
	for (i = 0; !r && i < pcs; i++)
		r = flush(f, &f->pcs[i]);
	r = r ? r : commit(f);
	while (!r && left)
		r = store_index_step(f->store, COMMIT_EVERY, &left);
	return r;
}

static bool number_of(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

/* The last midnight in Japan. */
static int64_t today(void)
{
	return (clock_wall_us() + OFFICE_JST_US) / OFFICE_DAY_US * OFFICE_DAY_US - OFFICE_JST_US;
}

static const char usage[] =
	"usage: office [OPTION]... STATE\n"
	"Makes STATE, a collector's folder with a store in it, full of an office's days.\n"
	"  --pcs N      PCs (20)\n  --days N     days, the last one before --until (31)\n"
	"  --records N  about so many records (100000)\n  --seed N     other people, other days (1)\n"
	"  --until DAY  2026-04-01: the days before it (today)\n"
	"  --stop HOUR  the last day ends at this hour (0: it does not)\n"
	"  --full N     a recorder's segment waits for N records, as after a morning without network (0: for none)\n"
	"  --live N     but those of the first N PCs do not wait (0)\n"
	"  --papers     prints, denials, losses too\n"
	"  --whole      and what servers tell: gaps, policies, the console's access log\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {{"pcs", required_argument, NULL, 'p'},
		{"days", required_argument, NULL, 'd'}, {"records", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'}, {"until", required_argument, NULL, 'u'},
		{"full", required_argument, NULL, 'f'}, {"stop", required_argument, NULL, 'S'},
		{"live", required_argument, NULL, 'l'}, {"papers", no_argument, NULL, 'P'},
		{"whole", no_argument, NULL, 'w'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	_cleanup_(key_freep) struct key *log = NULL;
	struct filling f = {.bytes = BUF_INIT(SEGMENT_MAX)};
	struct store_options o = {.origin = ORIGIN, .now_us = now_us};
	uint64_t pcs = 20, days = 31, records = 100000, seed = 1, stop = 0, *number;
	int64_t until = today();
	struct why why = {""};
	char dir[PATH_MAX];
	struct tm day;
	unsigned i;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		number = c == 'p'   ? &pcs
			 : c == 'd' ? &days
			 : c == 'r' ? &records
			 : c == 'f' ? &f.full
			 : c == 'S' ? &stop
			 : c == 'l' ? &f.live
				    : &seed;
		if (c == 'h')
			return printf("%s", usage) < 0;
		if (c == 'w' || c == 'P') {
			f.papers = true;
			f.whole |= c == 'w';
			continue;
		}
		memset(&day, 0, sizeof(day));
		if (c == 'u' && strptime(optarg, "%Y-%m-%d", &day))
			until = (int64_t)timegm(&day) * 1000000 - OFFICE_JST_US;
		else if (c == 'u' || c == '?' || !number_of(optarg, number))
			return fprintf(stderr, "%s", usage), 2;
	}
	if (optind + 1 != argc || !pcs || pcs > 20000 || !days || days > 4000 || f.full > 1000 || stop > 24) {
		fprintf(stderr, "%s", usage);
		return 2;
	}
	snprintf(dir, sizeof(dir), "%s/store", argv[optind]);
	f.pcs = calloc(pcs, sizeof(*f.pcs));
	r = f.pcs ? dir_make(argv[optind], 0755) : -ENOMEM;
	r = r ? r : log_key(argv[optind], &log);
	o.dir = dir;
	o.log_key = log;
	r = r ? r : office_open(&f.office, seed, (unsigned)pcs, (unsigned)days, records, until);
	office_now = f.office.begin;
	f.stop = stop ? f.office.end - (24 - (int64_t)stop) * INT64_C(3600000000) : 0;
	f.dice.state = seed + 77;
	f.served = -1;
	r = r ? r : store_open(&o, &f.store, &why);
	r = r ? r : fill(&f, (unsigned)pcs);
	if (r)
		fprintf(stderr, "office: %s\n",
			why.text[0] ? why.text
			: r < 0     ? strerror(-r)
				    : "not made: is it there already?");
	else
		printf("{\"pcs\": %u, \"segments\": %llu, \"records\": %llu, \"bytes_a_record\": %.1f}\n",
			(unsigned)pcs, (unsigned long long)f.segments, (unsigned long long)f.records,
			(double)f.size / (double)f.records);
	for (i = 0; f.pcs && i < pcs; i++)
		pc_free(&f.pcs[i]);
	free(f.pcs);
	pc_free(&f.self);
	pc_free(&f.console);
	buf_deinit(&f.bytes);
	office_close(&f.office);
	store_close(f.store);
	return r ? 1 : 0;
}

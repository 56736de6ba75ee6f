/*
 * Puts segments into a store as the collector would, without a network: fill-store DIR NAME DEVICE.PUB SEGMENT... makes
 * or goes on with DIR/store (its log key beside it, and the log's name in log.vkey), enrols the PC under NAME, takes
 * the segments in order, commits after each third. FILL_MONTH=YYYY-MM in the environment: taken in then, and in no
 * other month.
 */
#include "collector/store/store.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include <limits.h>
#include <time.h>

#define ORIGIN "sekisho.test/log"
#define COMMIT_EVERY 3

/* The middle of FILL_MONTH. */
static int64_t month_now(void)
{
	const char *month = getenv("FILL_MONTH");
	struct tm tm = {.tm_mday = 15};
	unsigned year = 0, mon = 0;

	if (!month || sscanf(month, "%4u-%2u", &year, &mon) != 2 || !mon)
		return clock_wall_us();
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)mon - 1;
	return timegm(&tm) * INT64_C(1000000);
}

static int log_key(const char *dir, struct key **out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/log.key", dir);
	r = key_load(path, out, NULL);
	if (r != V_NOT_FOUND)
		return r;
	r = key_new(KEY_ED25519, out);
	r = r ? r : key_save(*out, path, 0600);
	r = r ? r : verifier_encode(ORIGIN, *out, &text);
	r = r ? r : buf_puts(&text, "\n");
	snprintf(path, sizeof(path), "%s/log.vkey", dir);
	return r ? r : file_replace(path, buf_span(&text), 0644);
}

/* The name of a log that is there already. */
static int log_name(const char *dir, struct verifier *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/log.vkey", dir);
	r = file_read(path, &text);
	while (!r && text.n && text.p[text.n - 1] == '\n')
		text.n--;
	return r ? r : verifier_decode(buf_span(&text), out, NULL);
}

static int enrol(struct store *s, const char *name, const char *device)
{
	_cleanup_(key_freep) struct key *k = NULL;
	_cleanup_buf_ struct buf spki = BUF_INIT(1024);
	struct store_host h = {.state = HOST_ACTIVE, .enrolled_us = clock_wall_us(), .last_seen_us = clock_wall_us()};
	int r = file_read(device, &spki);

	r = r ? r : key_from_public_der(buf_span(&spki), &k, NULL);
	r = r ? r : key_id(k, &h.id);
	if (r || spki.n > sizeof(h.spki))
		return r ? r : V_BAD;
	snprintf(h.name, sizeof(h.name), "%s", name);
	memcpy(h.spki, spki.p, spki.n);
	h.spki_len = spki.n;
	return store_host_put(s, &h);
}

static int take(struct store *s, const char *path)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(SEGMENT_MAX);
	struct segment seg;
	uint64_t index;
	int r = file_read(path, &bytes);

	r = r ? r : segment_parse(buf_span(&bytes), &seg, NULL);
	r = r ? r : store_append(s, &seg, &index);
	return r == V_EXISTS ? 0 : r;
}

int main(int argc, char **argv)
{
	_cleanup_(store_closep) struct store *s = NULL;
	_cleanup_(key_freep) struct key *log = NULL;
	struct store_options o = {.origin = NULL, .now_us = month_now};
	struct verifier log_verifier = {.name = ""};
	struct why why = {""};
	char dir[PATH_MAX];
	uint64_t left = 1;
	int i, r;

	if (argc < 4 || snprintf(dir, sizeof(dir), "%s/store", argv[1]) >= (int)sizeof(dir))
		return 2;
	r = dir_make(dir, 0755);
	r = r ? r : log_key(argv[1], &log);
	r = r ? r : log_name(argv[1], &log_verifier);
	o.origin = log_verifier.name;
	o.dir = dir;
	o.log_key = log;
	r = r ? r : store_open(&o, &s, &why);
	r = r ? r : enrol(s, argv[2], argv[3]);
	for (i = 4; !r && i < argc; i++) {
		r = take(s, argv[i]);
		if (!r && i % COMMIT_EVERY == 0)
			r = store_commit(s);
	}
	r = r ? r : store_commit(s);
	while (!r && left)
		r = store_index_step(s, 1000, &left);
	if (r)
		fprintf(stderr, "fill-store: %d %s\n", r, why.text);
	verifier_deinit(&log_verifier);
	return r ? 1 : 0;
}

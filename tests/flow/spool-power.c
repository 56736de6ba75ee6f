/*
 * A producer for the test of power cuts (parts/spool_power.py): spool-power SPOOL KEY FIRST COUNT [away] seals COUNT
 * records, numbered from FIRST on, with the sealer that all producers have, and tells on standard output what it was
 * promised. With `away` the key is in a token that is not there: nothing can be sealed.
 *
 *   put N HEX       record N was taken; the open segment holds these bytes now
 *   sealed N        all records up to N are in segments
 *   cut | whole     said first: may something of the run before be lost?
 */
#include "policy/base/file.h"
#include "policy/trust/keeper.h"
#include "policy/wire/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#define SNAPSHOT_MAX 65536

static int failed(const char *what, int r)
{
	fprintf(stderr, "spool-power: %s: %d\n", what, r);
	return 1;
}

/* What of the open segment matters, read beside the mapping. */
static int tell_put(const char *spool, unsigned n)
{
	static uint8_t b[SNAPSHOT_MAX];
	char path[300];
	_cleanup_close_ int fd = -1;
	ssize_t got, i;

	snprintf(path, sizeof(path), "%s/recorder.own/open", spool);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, b, sizeof(b));
	if (got < 0)
		return -errno;
	while (got && !b[got - 1])
		got--;
	printf("put %u ", n);
	for (i = 0; i < got; i++)
		printf("%02x", b[i]);
	printf("\n");
	return fflush(stdout) ? -errno : 0;
}

static int tell_sealed(struct sealer *s, unsigned n, uint64_t *seq)
{
	struct sealer_stats stats;

	sealer_stats(s, &stats);
	if (stats.seq == *seq)
		return 0;
	*seq = stats.seq;
	printf("sealed %u\n", n);
	return fflush(stdout) ? -errno : 0;
}

static int run(struct sealer *s, const char *spool, unsigned first, unsigned count)
{
	static struct record r;
	struct sealer_stats stats;
	char path[64];
	uint64_t seq;
	unsigned n;
	int x = 0;

	sealer_stats(s, &stats);
	seq = stats.seq;
	printf("%s\n", stats.cut ? "cut" : "whole");
	fflush(stdout);
	for (n = first; !x && n < first + count; n++) {
		record_reset(&r);
		record_set_uint(&r, F_KIND, KIND_FILE);
		record_set_uint(&r, F_PID, 1);
		record_set_uint(&r, F_COUNT, n);
		snprintf(path, sizeof(path), "/home/taro/a-file-that-has-number-%08u", n);
		record_set_str(&r, F_PATH, path);
		x = sealer_put(s, &r, n % 11 == 7);
		if (!x)
			x = tell_put(spool, n);
		/* Some segments hold more than one page of the open file. */
		if (!x && n % 150 == 149)
			x = sealer_flush(s, false);
		if (!x && n % 50 == 11 && n % 11 != 7)
			x = sealer_flush(s, false);
		x = x ? x : tell_sealed(s, n, &seq);
	}
	return x;
}

/* The same key, as if a token had it. No keeper answers. */
static int take_away(struct key **key)
{
	static const uint8_t id[KEEPER_ID_SIZE] = {1};
	_cleanup_buf_ struct buf spki = BUF_INIT(512), file = BUF_INIT(4096);
	struct key *held;
	int r = key_public_der(*key, &spki);

	/* RFC 5480: the point is what the structure ends with. */
	r = r ? r : keeper_token_write(spki.p + spki.n - KEEPER_POINT_SIZE, id, &file);
	r = r ? r : key_read_held(buf_span(&file), &held);
	if (r)
		return r;
	key_free(*key);
	*key = held;
	return 0;
}

int main(int argc, char **argv)
{
	static char lines[4 * SNAPSHOT_MAX];
	_cleanup_(sealer_freep) struct sealer *s = NULL;
	_cleanup_(key_freep) struct key *device = NULL;
	struct sealer_options o = {.producer = PRODUCER_RECORDER, .floor = 1, .epoch_us = 3600000000ull};
	struct why why = {""};
	unsigned first, count;
	int r;

	if (argc != 5 && (argc != 6 || strcmp(argv[5], "away") != 0))
		return failed("usage: SPOOL KEY FIRST COUNT [away]", 2);
	/* A line is one write: by those its place among the calls is known. */
	setvbuf(stdout, lines, _IOFBF, sizeof(lines));
	first = (unsigned)strtoul(argv[3], NULL, 10);
	count = (unsigned)strtoul(argv[4], NULL, 10);
	r = key_load(argv[2], &device, &why);
	r = r || argc == 5 ? r : take_away(&device);
	if (r)
		return failed(argv[2], r);
	o.spool_dir = argv[1];
	o.device = device;
	r = sealer_new(&o, &s, &why);
	if (r)
		return failed(why.text, r);
	r = run(s, argv[1], first, count);
	r = r ? r : sealer_flush(s, true);
	return r ? failed("sealing", r) : 0;
}

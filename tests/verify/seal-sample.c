/*
 * Seals samples with the very sealer that the producers use, for the outside verifier to judge: seal-sample DIR [guard]
 * makes DIR/device.pub and DIR/spool. Three runs of a recorder (or a guard) (each with an epoch of its own), all fields
 * with extreme values, losses. SAMPLE_MONTH=YYYY-MM in the environment: this machine's clock then says so.
 */
#include "policy/base/file.h"
#include "policy/wire/spool.h"
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RUNS 3
#define STORM 3000u

static struct record r;

/* In place of libc's: the wall clock, moved to the 15th of the month that is asked for. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	const char *month = getenv("SAMPLE_MONTH");
	struct tm tm = {.tm_mday = 15};
	unsigned year, mon;
	int x = (int)syscall(SYS_clock_gettime, id, ts);

	if (!x && id == CLOCK_REALTIME && month && sscanf(month, "%4u-%2u", &year, &mon) == 2 && mon) {
		tm.tm_year = (int)year - 1900;
		tm.tm_mon = (int)mon - 1;
		ts->tv_sec = timegm(&tm) + ts->tv_sec % 86400;
	}
	return x;
}

/* Every field of the table, with the `n`-th of its type's awkward values. */
static void fill(unsigned n)
{
	static const char *const names[] = {"", "/home/花子/給与.txt", "\xff\xfe/\x80", "a\nb\tc\"\\\x01", "=1+1"};
	static const uint64_t uints[] = {0, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, 1ull << 32, UINT64_MAX};
	static const int64_t ints[] = {0, -1, -24, -25, -256, -257, INT32_MIN, INT64_MAX, INT64_MIN};
	/* Years 1000 to 9999: what both sides can write as a date. */
	static const int64_t times[] = {0, -1, 1, -30610224000000000, 253402300799999999};
	unsigned f;

	record_reset(&r);
	for (f = 1; f <= FIELD_MAX; f++) {
		if (!field_table[f].name || f == F_TIME || f == F_BOOT_TIME)
			continue;
		switch (field_table[f].type) {
		case T_UINT:
			record_set_uint(&r, f, f == F_MODE ? 0644 : uints[(n + f) % ARRAY_SIZE(uints)]);
			break;
		case T_ENUM:
			record_set_uint(&r, f, 1 + (n + f) % 120);
			break;
		case T_TIME:
			record_set_int(&r, f, times[(n + f) % ARRAY_SIZE(times)]);
			break;
		case T_INT:
		case T_DURATION:
			record_set_int(&r, f, ints[(n + f) % ARRAY_SIZE(ints)]);
			break;
		case T_NAME:
		case T_BYTES:
			record_set_str(&r, f, names[(n + f) % ARRAY_SIZE(names)]);
			break;
		case T_NONE:
			break;
		}
	}
}

static int run(const struct sealer_options *o, unsigned n)
{
	_cleanup_(sealer_freep) struct sealer *s = NULL;
	struct why why = {""};
	unsigned i;
	int x = sealer_new(o, &s, &why);

	for (i = 0; !x && i < 10; i++) {
		fill(n * 10 + i);
		x = sealer_put(s, &r, i == 3);
	}
	sealer_lost(s, CAUSE_RING_FULL, 17 + n);
	x = x ? x : sealer_flush(s, false);
	/* Many small ones from many processes: subjects that repeat. */
	for (i = 0; !x && i < STORM; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/tmp/file-%u", i);
		record_reset(&r);
		record_set_uint(&r, F_KIND, KIND_FILE);
		record_set_uint(&r, F_PID, 1000 + i % 37);
		record_set_str(&r, F_PROGRAM, i % 2 ? "/usr/bin/cc1" : "/usr/bin/as");
		record_set_str(&r, F_PATH, path);
		record_set_uint(&r, F_WRITTEN, i);
		x = sealer_put(s, &r, false);
	}
	x = x ? x : sealer_flush(s, true);
	if (x)
		fprintf(stderr, "seal-sample: %d %s\n", x, why.text);
	return x;
}

int main(int argc, char **argv)
{
	_cleanup_(key_freep) struct key *device = NULL;
	_cleanup_buf_ struct buf spki = BUF_INIT(1024);
	struct sealer_options o = {.producer = PRODUCER_RECORDER, .floor = 1};
	char spool[PATH_MAX - 16], path[PATH_MAX];
	unsigned i;
	int x;

	if (argc == 3 && !strcmp(argv[2], "guard"))
		o.producer = PRODUCER_GUARD;
	else if (argc != 2)
		return 2;
	if (snprintf(spool, sizeof(spool), "%s/spool", argv[1]) >= (int)sizeof(spool))
		return 2;
	snprintf(path, sizeof(path), "%s/device.pub", argv[1]);
	x = dir_make(spool, 0755);
	x = x ? x : key_new(KEY_P256, &device);
	x = x ? x : key_public_der(device, &spki);
	x = x ? x : file_replace(path, buf_span(&spki), 0644);
	o.spool_dir = spool;
	o.device = device;
	for (i = 0; !x && i < RUNS; i++)
		x = run(&o, i);
	return x ? 1 : 0;
}

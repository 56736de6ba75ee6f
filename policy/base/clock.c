/*
 * The clocks. See clock.h.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <time.h>

static int64_t now_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

int64_t clock_boot_us(void)
{
	return now_us(CLOCK_BOOTTIME);
}

int64_t clock_awake_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

int clock_boot_id(uint8_t id[16])
{
	_cleanup_buf_ struct buf b = BUF_INIT(128);
	char digits[33];
	size_t i, n = 0;
	int r = file_read("/proc/sys/kernel/random/boot_id", &b);

	if (r)
		return r < 0 ? r : -EIO;
	for (i = 0; i < b.n && n < 32; i++)
		if (b.p[i] != '-')
			digits[n++] = (char)b.p[i];
	digits[n] = 0;
	return hex_decode(digits, id, 16) ? -EIO : 0;
}

/*
 * A PC that sleeps, for one program: loaded before it (LD_PRELOAD), it moves the boot clock ahead of the monotonic one,
 * as the kernel does where the PC was suspended, and cancels the timers that want to know when the wall clock is set,
 * as waking up does.
 *
 *   SLEEPER_CLOCK   a file of one int64_t: for how many microseconds the PC has slept
 *   SLEEPER_WAKES   a FIFO: a byte in it is a wake-up
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define FDS 1024

static const volatile int64_t *asleep_us;
static int wakes = -1;
static int clock_of[FDS];
static int (*real_create)(int, int);
static int (*real_settime)(int, int, const struct itimerspec *, struct itimerspec *);

static void add(struct timespec *ts, int64_t us)
{
	int64_t ns = ts->tv_nsec + us % 1000000 * 1000;

	ts->tv_sec += us / 1000000;
	if (ns >= 1000000000 || ns < 0) {
		ts->tv_sec += ns < 0 ? -1 : 1;
		ns += ns < 0 ? 1000000000 : -1000000000;
	}
	ts->tv_nsec = ns;
}

__attribute__((constructor)) static void prepare(void)
{
	const char *clock = getenv("SLEEPER_CLOCK"), *fifo = getenv("SLEEPER_WAKES");
	int fd = clock ? open(clock, O_RDONLY | O_CLOEXEC) : -1;

	*(void **)&real_create = dlsym(RTLD_NEXT, "timerfd_create");
	*(void **)&real_settime = dlsym(RTLD_NEXT, "timerfd_settime");
	wakes = fifo ? open(fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
	asleep_us = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*asleep_us), PROT_READ, MAP_SHARED, fd, 0);
	if (asleep_us == MAP_FAILED || wakes < 0 || !real_create || !real_settime)
		_exit(99);
	close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);

	/* A sanitizer that is part of the program asks before anything is prepared. */
	if (!r && clock == CLOCK_BOOTTIME && asleep_us)
		add(ts, *asleep_us);
	return r;
}

int timerfd_create(int clock, int flags)
{
	int fd = real_create(clock, flags);

	if (fd >= 0 && fd < FDS)
		clock_of[fd] = clock;
	return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *old)
{
	struct itimerspec real = *when;

	if (flags & TFD_TIMER_CANCEL_ON_SET)
		return dup3(wakes, fd, O_CLOEXEC) < 0 ? -1 : 0;
	/* What is asked of the boot clock that we show is told to the one that the kernel has. */
	if ((flags & TFD_TIMER_ABSTIME) && fd >= 0 && fd < FDS && clock_of[fd] == CLOCK_BOOTTIME &&
		(real.it_value.tv_sec || real.it_value.tv_nsec > 1)) {
		add(&real.it_value, -*asleep_us);
		if (real.it_value.tv_sec < 0)
			real.it_value = (struct timespec){.tv_nsec = 1};
	}
	return real_settime(fd, flags, &real, old);
}

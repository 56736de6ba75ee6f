/*
 * A raster, whatever its bytes: what is stamped can be stamped once more, and nothing else happens.
 */
#include "agent/print/stamp_raster.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static void rewind_file(int fd)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int in, out, again;

	if (size > 65536 || !raster_is(data, size))
		return 0;
	in = file();
	out = file();
	again = file();
	if (write(in, data, size) != (ssize_t)size)
		abort();
	rewind_file(in);
	if (!raster_stamp(in, out, "taro  #1")) {
		rewind_file(out);
		if (raster_stamp(out, again, "taro  #1"))
			abort();
	}
	close(in);
	close(out);
	close(again);
	return 0;
}

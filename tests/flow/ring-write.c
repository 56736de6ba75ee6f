/*
 * Opens a path for writing and writes to it through io_uring alone, in one chain: for scenarios of the lab. Exit status
 * 0 where it was written.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

#define SLOT 0 /* of the ring's own files: no descriptor of the process */

/* What the last of `n` requests came to; -errno of the first that failed. */
static int submit(struct io_uring *ring, unsigned n)
{
	struct io_uring_cqe *cqe;
	int got = 0;
	unsigned i;

	if (io_uring_submit(ring) < 0)
		return -EIO;
	for (i = 0; i < n; i++) {
		if (io_uring_wait_cqe(ring, &cqe))
			return -EIO;
		if (got >= 0)
			got = cqe->res;
		io_uring_cqe_seen(ring, cqe);
	}
	return got;
}

/* Opened into the ring's own table and written to without a word in between (Linux 5.15). */
static int in_one_chain(struct io_uring *ring, const char *path, const void *block, unsigned n)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_openat_direct(sqe, AT_FDCWD, path, O_RDWR, 0, SLOT);
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(ring);
	io_uring_prep_write(sqe, SLOT, block, n, 0);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(ring);
	io_uring_prep_fsync(sqe, SLOT, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	return submit(ring, 3);
}

static int one_by_one(struct io_uring *ring, const char *path, const void *block, unsigned n)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	int fd;

	io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDWR, 0);
	fd = submit(ring, 1);
	if (fd < 0)
		return fd;
	sqe = io_uring_get_sqe(ring);
	io_uring_prep_write(sqe, fd, block, n, 0);
	sqe->flags |= IOSQE_IO_LINK;
	io_uring_prep_fsync(io_uring_get_sqe(ring), fd, 0);
	return submit(ring, 2);
}

int main(int argc, char **argv)
{
	static char block[4096] __attribute__((aligned(4096))) = "leak";
	struct io_uring ring;
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: ring-write PATH\n");
		return 2;
	}
	r = io_uring_queue_init(8, &ring, 0);
	if (!r)
		r = io_uring_register_files_sparse(&ring, 4) ? one_by_one(&ring, argv[1], block, sizeof(block))
							     : in_one_chain(&ring, argv[1], block, sizeof(block));
	if (r < 0)
		fprintf(stderr, "ring-write: %s\n", strerror(-r));
	return r < 0;
}

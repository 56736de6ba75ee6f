/*
 * The bits of the field "flags". Apart from record.h, since the kernel programs set them too.
 */
#ifndef SEKISHO_WIRE_FLAGS_H
#define SEKISHO_WIRE_FLAGS_H

/* Bits of F_FLAGS. Append only. */
enum {
	RF_CREATED = 1 << 0,         /* the file came into being by this */
	RF_WROTE = 1 << 1,           /* bytes went into it */
	RF_READ = 1 << 2,            /* bytes were read from it */
	RF_MMAP_WRITE = 1 << 3,      /* mapped shared and writable: bytes written through the map are not counted */
	RF_IO_URING = 1 << 4,        /* used through io_uring */
	RF_SPLICE = 1 << 5,          /* splice, sendfile or copy_file_range moved bytes */
	RF_CLONE = 1 << 6,           /* reflink: the file took another's extents */
	RF_GUESSED = 1 << 7,         /* counts come from file sizes, not from calls */
	RF_PATH_CUT = 1 << 8,        /* the path was longer than the bound: its tail is kept */
	RF_ARGS_CUT = 1 << 9,        /* so was the argument list */
	RF_UNLINKED = 1 << 10,       /* had no name any more when it was told */
	RF_HELD_OPEN = 1 << 11,      /* still open: told after a bounded time, more may follow */
	RF_NOT_LAST_CLOSE = 1 << 12, /* end of use was inferred (process ended, sweep), not seen */
	RF_OPEN_AT_START = 1 << 13,  /* was open before recording started */
	RF_TMPFILE = 1 << 14,        /* opened without a name (O_TMPFILE) */
	RF_TRUNCATED = 1 << 15,      /* opened with O_TRUNC and cut */
	RF_MEMFD = 1 << 16,          /* lives in memory only, without a name in any directory */
	RF_EXCHANGE = 1 << 17,       /* rename exchanged the two names */
	RF_DIRECT_BLOCK = 1 << 18,   /* a block device itself was opened */
	RF_OWN_NAME = 1 << 19,       /* by a name in a mount namespace of its own: it has none in the PC's */
};

#endif

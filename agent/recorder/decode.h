/*
 * The kernel's events, taken apart: bytes of the ring buffer to numbers and spans, with every length checked. The bytes
 * come from our own programs in the kernel; a version of them that does not match ours must not become a wrong record.
 */
#ifndef SEKISHO_RECORDER_DECODE_H
#define SEKISHO_RECORDER_DECODE_H

#include "policy/base/buf.h"
#include "policy/base/why.h"

/* One event. Numbers that an event does not have are 0, strings empty. Spans borrow from the event's bytes. */
struct seen {
	unsigned kind;       /* KIND_* */
	uint32_t flags;      /* RF_* */
	int64_t boot_us;     /* when */
	int64_t duration_us; /* from first to last */
	int result;

	/* who */
	uint32_t pid, ppid;
	uint64_t start_ns, pstart_ns; /* with the number, what a process is known by */
	uint32_t uid, real_uid, login_uid, session;
	uint32_t mnt_ns;
	struct span comm;

	/* what */
	struct span path, path2, fs;
	bool has_object;
	uint32_t dev_major, dev_minor;
	uint64_t inode, size, read, written;
	uint32_t mode, owner_uid, owner_gid, open_flags;
	bool has_mode, has_owner, has_size, has_open_flags;
	uint32_t count;
	unsigned refused; /* what was: KIND_*, REFUSED_* of event.h; 0: an open */
	unsigned how;     /* by what means bytes came from another file, REASON_*; 0: none did */
	uint32_t from_major, from_minor;
	uint64_t from_inode, copied; /* that file, and how many bytes of it */
	bool relative, relative2;    /* path, path2: as the caller wrote it, see decode_tidy */

	/* programs */
	struct span program, script, args, cwd; /* args: each ended by a NUL */
	uint32_t exit_code, signal;
};

/* 0, or V_BAD with the reason: counted by the caller, never half a record. */
int decode(struct span bytes, struct seen *out, struct why *why);

/*
 * A path as the caller wrote it, behind the folder that it began in ("/home/ann//../bob/./x"), without empty, "." and
 * ".." components: by the text alone, symbolic links are not asked. Its length in `out`, where it is cut to `size`.
 */
size_t decode_tidy(struct span path, char *out, size_t size);

/*
 * Arguments with NULs between (one behind the last is passed over) to arguments with newlines between; a newline within
 * an argument becomes backslash and n. Its length in `out`, where it is cut to `size`.
 */
size_t decode_args(struct span args, char *out, size_t size);

#endif

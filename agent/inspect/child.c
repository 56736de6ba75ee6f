/*
 * One document, in a process of its own. What comes before the document is met: its descriptor and the report's only,
 * limits, no new privileges, Landlock, seccomp. The SHA-256 goes out before the first byte is judged. See serve.h.
 */
#include "agent/inspect/known.h"
#include "agent/inspect/look.h"
#include "agent/inspect/ocr.h"
#include "agent/inspect/pdf_text.h"
#include "agent/inspect/serve.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define DOCUMENT_FD 3
#define REPORT_FD 4
#define FIRST_FREE_FD 5
#define DRAIN_STEP (64u << 10)
/* A hash of this many bytes takes a second of the slowest machine that we think of. */
#define HASH_PER_SECOND (100ull << 20)
/* A page of OCR_PIXELS_MAX, in copies of it that are turned and made smaller. */
#define OCR_MEMORY (768ull << 20)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void tell(struct look *l, enum inspect_what about)
{
	_cleanup_buf_ struct buf b = BUF_INIT(REPORT_FRAME_MAX);

	if (report_write(&b, l->facts, about))
		_exit(CHILD_NO_ROOM);
	/* The pipe is as large as all that may be told; one that nobody empties, or reads, ends this. */
	if (write(l->report, b.p, b.n) != (ssize_t)b.n)
		_exit(CHILD_NO_ROOM);
}

/* Fingerprints that were asked for, before the last word. */
static void tell_prints(struct look *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT(REPORT_FRAME_MAX);
	uint8_t prints[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE];
	unsigned n = 0;

	prints_end(l->prints, prints, &n);
	if (n && (report_write_prints(&b, prints, n) || write(l->report, b.p, b.n) != (ssize_t)b.n))
		_exit(CHILD_NO_ROOM);
}

__attribute__((noreturn)) static void finish(struct look *l)
{
	if (l->makes_prints)
		tell_prints(l);
	l->facts->complete = true;
	tell(l, INSPECT_ABOUT_ALL);
	_exit(CHILD_DONE);
}

/* Nothing but the two descriptors, at places of their own; and no handler, so that the end says what it was. */
static void keep_two(int document, int report)
{
	int i;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int d = fcntl(document, F_DUPFD, FIRST_FREE_FD), r = fcntl(report, F_DUPFD, FIRST_FREE_FD);

	if (null < 0 || d < 0 || r < 0 || dup2(d, DOCUMENT_FD) < 0 || dup2(r, REPORT_FD) < 0 || dup2(null, 0) < 0 ||
		dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(CHILD_UNCONFINED);
	if (close_range(FIRST_FREE_FD, ~0u, 0))
		_exit(CHILD_UNCONFINED);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
}

static int limit(int what, uint64_t value)
{
	struct rlimit l = {.rlim_cur = value, .rlim_max = value};

	return setrlimit(what, &l);
}

/* Pages of address space that this process has, in bytes. */
static uint64_t space_used(void)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		_exit(CHILD_UNCONFINED);
	text[n] = '\0';
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* `room`: what gzip may become, and so be mapped. AddressSanitizer needs terabytes of address space: no bound there. */
static void confine(const struct question *q, uint64_t bytes, uint64_t room, const struct ocr_use *ocr)
{
	static const char *const none[] = {NULL}, *const maps[] = {PDF_TEXT_DATA, NULL};
	uint64_t ms = (uint64_t)(q->time_ms ? q->time_ms : INSPECT_TIME_MS) + (ocr ? ocr->left_ms : 0);
	uint64_t seconds = (ms + 999) / 1000 + bytes / HASH_PER_SECOND + 1;
	bool reads = false;
	int r;

	if (!SANITIZED && limit(RLIMIT_AS, space_used() + (q->memory ? q->memory : INSPECT_MEMORY) + room +
						   (ocr ? OCR_MEMORY : 0)))
		_exit(CHILD_UNCONFINED);
	if (limit(RLIMIT_CPU, seconds) || limit(RLIMIT_FSIZE, room) || limit(RLIMIT_CORE, 0) ||
		limit(RLIMIT_NPROC, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(CHILD_UNCONFINED);
	r = confine_paths(q->text ? maps : none);
	if (r && r != V_NOT_FOUND)
		_exit(CHILD_UNCONFINED);
	/* Without Landlock nothing can be opened, and text in old Japanese encodings has a gap. */
	reads = q->text && !r;
	if (confine_syscalls(CONFINE_PARSE | (reads ? CONFINE_READS : 0)))
		_exit(CHILD_UNCONFINED);
}

/* A pipe or a socket, into memory that has a descriptor. Answers it, or -1 where there is a gap. */
static int drain(struct look *l, int fd, uint64_t max)
{
	_cleanup_free_ uint8_t *part = malloc(DRAIN_STEP);
	_cleanup_close_ int out = memfd_create("document", MFD_CLOEXEC);
	uint64_t all = 0;

	if (!part || out < 0)
		_exit(CHILD_NO_ROOM);
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n = read(fd, part, DRAIN_STEP);

		if (n == 0)
			return steal_fd(&out);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			poll(&p, 1, -1);
			continue;
		}
		if (n < 0) {
			look_gap(l, INSPECT_ABOUT_ALL, INSPECT_NOT_READABLE, "%s", strerrordesc_np(errno));
			return -1;
		}
		all += (uint64_t)n;
		if (all > max) {
			look_gap(l, INSPECT_ABOUT_ALL, INSPECT_TOO_BIG, "more than %llu bytes from a pipe",
				(unsigned long long)max);
			return -1;
		}
		if (write_all(out, part, (size_t)n))
			_exit(CHILD_NO_ROOM);
	}
}

/* The bytes of an open file, where they are. False where there is a gap. */
static bool map_file(struct look *l, int fd, uint64_t size, struct span *out)
{
	void *p;

	*out = SPAN("", 0);
	if (size == 0)
		return true;
	p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		look_gap(l, INSPECT_ABOUT_ALL, errno == ENOMEM ? INSPECT_TOO_BIG : INSPECT_NOT_READABLE, "%s",
			strerrordesc_np(errno));
		return false;
	}
	*out = SPAN(p, (size_t)size);
	return true;
}

static bool map_document(struct look *l, uint64_t max, struct span *doc)
{
	struct stat st;
	int fd = DOCUMENT_FD;

	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		fd = drain(l, fd, max);
		if (fd < 0)
			return false;
	}
	if (fstat(fd, &st)) {
		look_gap(l, INSPECT_ABOUT_ALL, INSPECT_NOT_READABLE, "%s", strerrordesc_np(errno));
		return false;
	}
	return map_file(l, fd, (uint64_t)st.st_size, doc);
}

static void unpack(struct look *l, int into, uint64_t max, struct span *doc)
{
	struct inspect_facts *f = l->facts;
	uint64_t written = 0;
	bool cut = false;
	size_t more = 0;
	int r;

	f->flags |= INSPECT_GZIP;
	tell(l, INSPECT_ABOUT_ALL);
	r = unpack_gzip(*doc, into, max, &written, &cut, &more);
	if (r == V_FULL)
		look_gap(l, INSPECT_ABOUT_ALL, INSPECT_TOO_BIG, "gzip becomes more than %llu bytes",
			(unsigned long long)max);
	else if (r == V_BAD)
		look_gap(l, INSPECT_ABOUT_ALL, INSPECT_BROKEN, "gzip");
	else if (r < 0)
		_exit(CHILD_NO_ROOM);
	if (cut)
		f->flags |= INSPECT_TRUNCATED;
	else if (more)
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT, "%zu bytes behind the end of gzip", more);
	if (r || !map_file(l, into, written, doc))
		finish(l);
	f->plain_bytes = doc->n;
	digest_span(&f->plain_hash, *doc);
}

static void know_file(struct look *l, struct span doc)
{
	if (!l->prints)
		return;
	prints_file(l->prints, doc);
	prints_tell(l->prints, l->facts);
}

/* The patterns of a question are the policy's: they were checked by whoever asks. */
static void make_patterns(struct look *l, const struct question *q)
{
	const char *list[INSPECT_PATTERNS_MAX];
	struct why why;
	unsigned i;

	for (i = 0; i < q->patterns; i++)
		list[i] = q->pattern[i];
	if (patterns_make(list, q->patterns, &l->patterns, &why))
		_exit(CHILD_NO_ROOM);
}

/* The daemon's own bytes, which nobody can change any more: read before the document is met. */
static void make_prints(struct look *l, int known, const struct question *q)
{
	struct span table;
	struct why why;
	struct stat st;

	l->makes_prints = q->makes_prints;
	if (q->makes_prints && prints_make(q->key, &l->prints))
		_exit(CHILD_NO_ROOM);
	if (q->makes_prints || known < 0)
		return;
	if (fstat(known, &st) || st.st_size <= 0 || st.st_size > KNOWN_TABLE_MAX)
		_exit(CHILD_NO_ROOM);
	table = SPAN(mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, known, 0), (size_t)st.st_size);
	if (table.p == MAP_FAILED || prints_find(table, &l->prints, &why))
		_exit(CHILD_NO_ROOM);
}

void child_run(int document, int report, int known, const struct question *q, struct ocr_use *ocr)
{
	struct inspect_facts facts = {0};
	struct look l = {.facts = &facts, .text = q->text, .ocr = ocr, .tell = tell, .report = REPORT_FD};
	uint64_t max = q->unpacked ? q->unpacked : INSPECT_UNPACKED;
	struct span doc;
	bool packed, there;
	int into = -1;

	l.room = max;
	make_prints(&l, known, q);
	keep_two(document, report);
	if (l.text)
		make_patterns(&l, q);
	there = map_document(&l, max, &doc);
	packed = there && span_starts(doc, "\x1f\x8b", 2);
	if (packed && (into = memfd_create("unpacked", MFD_CLOEXEC)) < 0)
		_exit(CHILD_NO_ROOM);
	/* What is unpacked into memory counts as twice itself while it grows. */
	confine(q, doc.n, (packed ? max : 0) + (l.text ? 2 * max : 0), ocr);
	if (!there)
		finish(&l);
	facts.bytes = facts.plain_bytes = doc.n;
	digest_span(&facts.hash, doc);
	facts.plain_hash = facts.hash;
	facts.has_hash = true;
	know_file(&l, doc);
	tell(&l, INSPECT_ABOUT_ALL);
	if (packed) {
		unpack(&l, into, max, &doc);
		know_file(&l, doc);
	}
	look_document(&l, doc);
	finish(&l);
}

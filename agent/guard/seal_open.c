/*
 * A sealed file made readable again, by an order. See seal.h for what holds throughout.
 *
 * What lies on a medium is anybody's bytes: what takes them apart is a child without any power, to which they come
 * through a mapping and from which the document leaves through one descriptor.
 */
#include "agent/guard/seal_parts.h"
#include "policy/base/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct opening {
	const struct seal_work *w;
	struct seal_result *out;
	struct stat st;
	int copy, to;
	struct span file; /* the copy, mapped: nobody else changes it */
};

struct opened {
	int r;
	struct digest hash;
	struct why why;
};

__attribute__((noreturn)) static void open_apart(
	struct span envelope, const struct sealed_order *order, int document, int answer, pid_t parent)
{
	struct opened o;

	/* It ends with its parent, which ends with the guard: the next guard's would write to the same file. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(EXIT_FAILURE);
	o = (struct opened){.r = confine_capset(0)};
	o.r = o.r ? o.r : confine_syscalls(CONFINE_COMPUTE);
	o.r = o.r ? o.r : envelope_open_key(envelope, order->secret.key, document, &o.hash, &o.why);
	_exit(write(answer, &o, sizeof(o)) != sizeof(o));
}

/* `document` below 0: it is only proven that it is the one of the order. 0; V_BAD, V_DENIED; -errno. */
static int decrypt(struct opening *s, struct span envelope, int document, struct why *why)
{
	struct opened o = {.r = -EPIPE};
	pid_t parent = getpid(), pid;
	int ends[2], r;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		open_apart(envelope, s->w->order, document, ends[1], parent);
	close(ends[1]);
	n = pid < 0 ? -1 : read(ends[0], &o, sizeof(o));
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	r = n == sizeof(o) ? o.r : why_set(why, V_BAD, "it took its reader along");
	if (n == sizeof(o) && r > 0)
		why_set(why, r, "%.*s", WHY_SIZE - 1, o.why.text);
	if (!r && !digest_eq(&o.hash, &s->w->order->secret.hash))
		r = why_set(why, V_DENIED, "not the file that the order is for");
	return r;
}

/* All of it to this PC, durable: what is on the medium is overwritten then. */
static int copy_it(struct opening *s)
{
	void *p;
	int r = seal_copy_begin(s->w, (uint64_t)s->st.st_size, &s->copy);

	r = r ? r : seal_move(s->w->file, s->copy, 0, (uint64_t)s->st.st_size);
	r = r ? r : seal_copy_keep(s->w, s->copy);
	if (r)
		return r;
	p = mmap(NULL, (size_t)s->st.st_size, PROT_READ, MAP_PRIVATE, s->copy, 0);
	if (p == MAP_FAILED)
		return -errno;
	s->file = SPAN(p, s->st.st_size);
	return 0;
}

/* Nothing of the file has been touched. */
static void refuse(struct opening *s, int r, const struct why *why)
{
	seal_copy_drop(s->w);
	seal_say(s->out, SEAL_REFUSED, "%.150s",
		r == V_FULL           ? "no room for a copy on the PC"
		: why && why->text[0] ? why->text
				      : strerror(r < 0 ? -r : EINVAL));
}

static int write_back(struct opening *s, struct span envelope, struct why *why)
{
	uint64_t size = s->w->order->secret.bytes;
	struct digest got;
	int r = decrypt(s, envelope, s->to, why);

	if (!r && (ftruncate(s->to, (off_t)size) || fsync(s->to)))
		r = -errno;
	r = r ? r : seal_hash(s->to, size, true, &got);
	return r || digest_eq(&got, &s->w->order->secret.hash) ? r : -EIO;
}

static void steps(struct opening *s)
{
	struct why why = {""};
	struct span envelope, capsule;
	int lease = seal_lease(s->w->file), r;

	if (lease == V_AGAIN) {
		seal_say(s->out, SEAL_BUSY, "it is open for writing");
		return;
	}
	r = fstat(s->w->file, &s->st) ? -errno : 0;
	if (!r && (uint64_t)s->st.st_size > SEAL_OPEN_MAX)
		r = why_set(&why, V_BAD, "larger than a guard opens: sekishoctl evidence open does");
	if (!r && s->st.st_size < (off_t)SEALED_FOOT_SIZE)
		r = why_set(&why, V_BAD, "no sealed file");
	r = r ? r : copy_it(s);
	r = r ? r : sealed_tail_find(s->file, &envelope, &capsule, &why);
	r = r ? r : decrypt(s, envelope, -1, &why);
	seal_unlease(s->w->file);
	if (!r && (s->to = seal_writable(s->w->file)) < 0)
		r = s->to;
	if (r) {
		refuse(s, r, &why);
		return;
	}
	r = write_back(s, envelope, &why);
	if (r) {
		s->out->kept = true;
		seal_say(s->out, SEAL_BROKEN, "the medium: %s; the sealed file is in the copy on the PC",
			r < 0 ? strerror(-r) : why.text);
		return;
	}
	s->out->hash = s->w->order->secret.hash;
	s->out->bytes = s->w->order->secret.bytes;
	seal_rename(s->to, s->w->path, false, s->out);
	seal_copy_drop(s->w);
}

void seal_open(const struct seal_work *w, struct seal_result *out)
{
	struct opening s = {.w = w, .out = out, .copy = -1, .to = -1, .file = SPAN(NULL, 0)};

	memset(out, 0, sizeof(*out));
	signal(SIGIO, SIG_IGN);
	steps(&s);
	if (s.file.n)
		munmap((void *)s.file.p, s.file.n);
	seal_end(s.to, out);
	closep(&s.copy);
	closep(&s.to);
}

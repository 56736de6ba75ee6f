/*
 * The word that a file was written to a cloud folder: see cloud.h. Numbers are in the PC's own order: it never leaves
 * the PC.
 */
#include "agent/service/cloud.h"
#include "agent/service/word.h"
#include "policy/base/why.h"
#include <string.h>

#define TEXT_MAX 4096u
#define FLAG_MOVED 1u

/* Before the texts: the path, the program. */
struct head {
	uint32_t flags, dev_major, dev_minor, pid, uid, login_uid;
	uint64_t inode;
	uint32_t path_n, program_n;
};

int cloud_put(const struct cloud_word *w, struct buf *out)
{
	struct head h = {.flags = w->moved ? FLAG_MOVED : 0,
		.dev_major = w->dev_major,
		.dev_minor = w->dev_minor,
		.pid = w->pid,
		.uid = w->uid,
		.login_uid = w->login_uid,
		.inode = w->inode,
		.path_n = (uint32_t)w->path.n,
		.program_n = (uint32_t)w->program.n};
	int r;

	if (!w->path.n || w->path.n > TEXT_MAX || w->path.p[0] != '/' || w->program.n > TEXT_MAX)
		return V_BAD;
	out->n = 0;
	r = buf_put(out, &h, sizeof(h));
	r = r ? r : buf_put(out, w->path.p, w->path.n);
	return r || !w->program.n ? r : buf_put(out, w->program.p, w->program.n);
}

int cloud_get(struct span bytes, struct cloud_word *out)
{
	struct head h;
	const uint8_t *text = bytes.p + sizeof(h);

	if (bytes.n < sizeof(h))
		return V_BAD;
	memcpy(&h, bytes.p, sizeof(h));
	if (h.flags & ~FLAG_MOVED || !h.path_n || h.path_n > TEXT_MAX || h.program_n > TEXT_MAX ||
		bytes.n != sizeof(h) + h.path_n + h.program_n || text[0] != '/' || memchr(text, 0, bytes.n - sizeof(h)))
		return V_BAD;
	*out = (struct cloud_word){.dev_major = h.dev_major,
		.dev_minor = h.dev_minor,
		.inode = h.inode,
		.pid = h.pid,
		.uid = h.uid,
		.login_uid = h.login_uid,
		.moved = h.flags & FLAG_MOVED,
		.path = SPAN(text, h.path_n),
		.program = SPAN(text + h.path_n, h.program_n)};
	return 0;
}

int cloud_sender(int *out)
{
	return word_sender(out);
}

int cloud_send(int fd, const struct cloud_word *w)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CLOUD_WORD_MAX);
	int r = cloud_put(w, &b);

	return r ? r : word_send(fd, CLOUD_PATH, buf_span(&b));
}

bool cloud_heard(void)
{
	return word_heard(CLOUD_PATH);
}

int cloud_listen(gid_t gid, int *out)
{
	return word_listen(CLOUD_PATH, gid, out);
}

void cloud_unname(void)
{
	word_unname(CLOUD_PATH);
}

void cloud_unlisten(int *fd)
{
	word_unlisten(CLOUD_PATH, fd);
}

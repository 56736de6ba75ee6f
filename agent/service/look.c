/* What the guard tells of a file that it looked into: see look.h. In the PC's own order: it never leaves the PC. */
#include "agent/service/look.h"
#include "agent/service/word.h"
#include "policy/base/why.h"
#include <string.h>

#define FLAG_HASH 1u

struct bytes {
	uint32_t flags, dev_major, dev_minor, zero;
	uint64_t inode, size;
	int64_t begun_us, ended_us;
	uint8_t hash[DIGEST_SIZE];
};

_Static_assert(sizeof(struct bytes) == LOOK_WORD_SIZE, "no holes");

void look_put(const struct look_word *w, uint8_t out[LOOK_WORD_SIZE])
{
	struct bytes b = {.flags = w->has_hash ? FLAG_HASH : 0,
		.dev_major = w->dev_major,
		.dev_minor = w->dev_minor,
		.inode = w->inode,
		.size = w->size,
		.begun_us = w->begun_us,
		.ended_us = w->ended_us};

	if (w->has_hash)
		memcpy(b.hash, w->hash.b, DIGEST_SIZE);
	memcpy(out, &b, sizeof(b));
}

int look_get(struct span bytes, struct look_word *out)
{
	struct bytes b;

	if (bytes.n != sizeof(b))
		return V_BAD;
	memcpy(&b, bytes.p, sizeof(b));
	if (b.flags & ~FLAG_HASH || b.zero || b.begun_us < 0 || b.ended_us < b.begun_us)
		return V_BAD;
	*out = (struct look_word){.dev_major = b.dev_major,
		.dev_minor = b.dev_minor,
		.inode = b.inode,
		.size = b.size,
		.begun_us = b.begun_us,
		.ended_us = b.ended_us,
		.has_hash = b.flags & FLAG_HASH};
	memcpy(out->hash.b, b.hash, DIGEST_SIZE);
	return 0;
}

int look_send(int fd, const struct look_word *w)
{
	uint8_t room[LOOK_WORD_SIZE];

	look_put(w, room);
	return word_send(fd, LOOK_PATH, SPAN(room, sizeof(room)));
}

int look_listen(int *out)
{
	return word_listen(LOOK_PATH, (gid_t)-1, out);
}

void look_unlisten(int *fd)
{
	word_unlisten(LOOK_PATH, fd);
}

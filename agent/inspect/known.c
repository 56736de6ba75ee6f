/*
 * The table of known documents. See known.h.
 */
#include "agent/inspect/known.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#define MAGIC "SKD1"
#define MAGIC_SIZE 4

struct inspect_known {
	int fd;
};

static int put_document(struct buf *b, const struct inspect_known_document *d)
{
	uint8_t head[1 + DIGEST_SIZE + 4] = {d->has_hash};
	int r;

	if (d->has_hash)
		memcpy(head + 1, d->hash.b, DIGEST_SIZE);
	put_be32(head + 1 + DIGEST_SIZE, (uint32_t)(d->prints.n / INSPECT_PRINT_SIZE));
	if (d->prints.n % INSPECT_PRINT_SIZE || d->prints.n > INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE)
		return V_BAD;
	r = buf_put(b, head, sizeof(head));
	return r || !d->prints.n ? r : buf_put_span(b, d->prints);
}

int inspect_known_new(const uint8_t key[INSPECT_KEY_SIZE], const struct inspect_known_document *list, unsigned n,
	struct inspect_known **out)
{
	_cleanup_buf_ struct buf b = BUF_INIT(KNOWN_TABLE_MAX);
	_cleanup_close_ int fd = -1;
	uint8_t count = (uint8_t)n;
	unsigned i;
	int r;

	if (n > INSPECT_KNOWN_MAX)
		return V_BAD;
	if ((r = buf_puts(&b, MAGIC)) || (r = buf_put(&b, key, INSPECT_KEY_SIZE)) || (r = buf_put(&b, &count, 1)))
		return r;
	for (i = 0; i < n && !r; i++)
		r = put_document(&b, &list[i]);
	if (r)
		return r;
	fd = memfd_create("known", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = write_all(fd, b.p, b.n);
	if (r)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		return -errno;
	*out = malloc(sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->fd = steal_fd(&fd);
	return 0;
}

void inspect_known_free(struct inspect_known *known)
{
	if (!known)
		return;
	close(known->fd);
	free(known);
}

int inspect_known_fd(const struct inspect_known *known)
{
	return known->fd;
}

/* --- reading --- */

static bool take(struct span *s, size_t n, struct span *out)
{
	if (s->n < n)
		return false;
	*out = SPAN(s->p, n);
	*s = SPAN(s->p + n, s->n - n);
	return true;
}

static bool take_document(struct span *s, struct inspect_known_document *d)
{
	struct span head;
	uint32_t n;

	if (!take(s, 1 + DIGEST_SIZE + 4, &head) || head.p[0] > 1)
		return false;
	n = get_be32(head.p + 1 + DIGEST_SIZE);
	d->has_hash = head.p[0];
	memcpy(d->hash.b, head.p + 1, DIGEST_SIZE);
	return n <= INSPECT_PRINTS_MAX && take(s, n * INSPECT_PRINT_SIZE, &d->prints);
}

int known_read(struct span table, struct known *out, struct why *why)
{
	struct known k = {.n = 0};
	struct span magic, key, count;
	unsigned n;

	if (!take(&table, MAGIC_SIZE, &magic) || memcmp(magic.p, MAGIC, MAGIC_SIZE) != 0 ||
		!take(&table, INSPECT_KEY_SIZE, &key) || !take(&table, 1, &count) || count.p[0] > INSPECT_KNOWN_MAX)
		return why_set(why, V_BAD, "no table of known documents");
	memcpy(k.key, key.p, INSPECT_KEY_SIZE);
	for (n = count.p[0]; k.n < n; k.n++)
		if (!take_document(&table, &k.document[k.n]))
			return why_set(why, V_BAD, "known document %u ends before its end", k.n + 1);
	if (table.n)
		return why_set(why, V_BAD, "bytes behind the known documents");
	*out = k;
	return 0;
}

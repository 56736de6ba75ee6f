/*
 * What stands beside the checkpoint: log/cosigned, the newest one that PCs have cosigned, and log/witnesses, whose keys
 * these are. Neither is needed to go on: without them nothing is lost but what others said of the log.
 */
#include "collector/store/store_parts.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/cosign.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

static void path_of(const struct store *s, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/log/%s", s->dir, name);
}

int files_cosign(struct store *s, struct span note)
{
	char path[PATH_MAX];

	if (!s->writable)
		return -EROFS;
	path_of(s, "cosigned", path);
	return file_replace(path, note, 0644);
}

int files_cosigned(const struct store *s, struct buf *note, uint64_t *size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint c;
	char path[PATH_MAX];
	int r;

	path_of(s, "cosigned", path);
	r = file_read(path, &b);
	if (r)
		return r == V_FULL ? V_NOT_FOUND : r;
	/* One that is damaged, or ahead of what this reader has seen, is none. */
	if (log_peek(buf_span(&b), &c, NULL) || c.size > s->head.size)
		return V_NOT_FOUND;
	r = buf_put_span(note, buf_span(&b));
	if (!r)
		*size = c.size;
	return r;
}

int store_note(const struct store *s, uint64_t leaves, struct buf *note, uint64_t *size)
{
	int r = store_cosigned(s, note, size);

	if (!r && *size >= leaves)
		return 0;
	if (r < 0)
		return r;
	buf_clear(note);
	*size = store_size(s);
	return buf_put_span(note, store_checkpoint(s));
}

int files_witness_add(struct store *s, struct span line)
{
	_cleanup_buf_ struct buf b = BUF_INIT(WITNESS_LINE_MAX + 1);
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], last = '\n';
	off_t end;
	int r;

	if (!s->writable)
		return -EROFS;
	path_of(s, "witnesses", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	end = lseek(fd, 0, SEEK_END);
	if (end < 0 || (end && pread(fd, &last, 1, end - 1) != 1))
		return -EIO;
	/* What a crash cut off stays a line of its own, which nobody can read. */
	r = last == '\n' ? 0 : buf_puts(&b, "\n");
	r = r ? r : buf_put_span(&b, line);
	r = r ? r : buf_puts(&b, "\n");
	if (r)
		return r < 0 ? r : -EINVAL;
	if (write(fd, b.p, b.n) != (ssize_t)b.n || fdatasync(fd))
		return errno ? -errno : -ENOSPC;
	return 0;
}

struct picking {
	struct cosignatures of;
	struct buf *out;
};

/* "name+hash+key proof": is it of one of the note's lines? */
static int pick(void *ctx, struct span line)
{
	struct picking *p = ctx;
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < p->of.n; i++) {
		const struct cosignature *c = &p->of.at[i];
		char head[NOTE_NAME_MAX + 2 * NOTE_KEY_HASH + 3], hex[2 * NOTE_KEY_HASH + 1];
		int n = snprintf(head, sizeof(head), "%s+%s+", c->name, hex_encode(hex, c->hash, NOTE_KEY_HASH));

		if (line.n < (size_t)n || memcmp(line.p, head, (size_t)n) != 0)
			continue;
		r = buf_put_span(p->out, line);
		r = r ? r : buf_puts(p->out, "\n");
		break;
	}
	return r;
}

int store_witnesses_of(const struct store *s, struct span note, struct buf *lines)
{
	struct picking p = {.out = lines};
	int r = cosignatures_read(note, NULL, &p.of, NULL);

	return r ? r : store_witness_each(s, pick, &p);
}

int files_witness_each(const struct store *s, store_witness_fn fn, void *ctx)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[PATH_MAX], line[WITNESS_LINE_MAX + 2];
	int r = 0;

	path_of(s, "witnesses", path);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (!r && fgets(line, sizeof(line), f)) {
		size_t n = strcspn(line, "\n");

		r = line[n] ? fn(ctx, SPAN(line, n)) : 0;
	}
	return r == V_END ? 0 : r;
}

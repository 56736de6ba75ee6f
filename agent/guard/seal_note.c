/*
 * The note beside a sealed copy, while its medium is written to. See seal.h.
 */
#include "agent/guard/seal_parts.h"
#include "policy/base/cbor.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>

#define NOTE_MAX (SEAL_PATH_SIZE + 1024u)
#define NOTE_VERSION 1u
#define NOTE_ITEMS 7u

#define NAME_SIZE (SEAL_NAME_MAX + 8u)

static void name_note(const char *copy, bool done, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%s%s", copy, done ? SEAL_DONE_SUFFIX : SEAL_NOTE_SUFFIX);
}

int seal_note_write(int folder, const char *copy, const struct seal_note *note)
{
	_cleanup_buf_ struct buf b = BUF_INIT(NOTE_MAX);
	char name[NAME_SIZE];
	int r = cbor_put_array(&b, NOTE_ITEMS);

	r = r ? r : cbor_put_uint(&b, NOTE_VERSION);
	r = r ? r : cbor_put_bytes(&b, SPAN_STR(note->path));
	r = r ? r : cbor_put_uint(&b, note->mount_n);
	r = r ? r : cbor_put_bytes(&b, SPAN_STR(note->drive));
	r = r ? r : cbor_put_bytes(&b, SPAN_STR(note->rule));
	r = r ? r : cbor_put_bytes(&b, SPAN(note->hash.b, DIGEST_SIZE));
	r = r ? r : cbor_put_uint(&b, note->bytes);
	name_note(copy, false, name);
	r = r ? r : file_replace_at(folder, name, buf_span(&b), 0600);
	return r > 0 ? -EMSGSIZE : r;
}

static int get_string(struct cbor_reader *c, const char *what, char *out, size_t size)
{
	struct cbor_item i;
	int r = cbor_expect(c, CBOR_BYTES, what, &i, NULL);

	if (r)
		return r;
	if (i.s.n >= size || memchr(i.s.p, 0, i.s.n))
		return V_BAD;
	memcpy(out, i.s.p, i.s.n);
	out[i.s.n] = 0;
	return 0;
}

int seal_note_read(int folder, const char *copy, struct seal_note *out)
{
	_cleanup_buf_ struct buf b = BUF_INIT(NOTE_MAX);
	char name[NAME_SIZE];
	struct cbor_reader c;
	struct cbor_item i;
	uint64_t version = 0;
	int r;

	memset(out, 0, sizeof(*out));
	name_note(copy, false, name);
	r = file_read_at(folder, name, &b);
	if (r == V_NOT_FOUND) {
		name_note(copy, true, name);
		r = file_read_at(folder, name, &b);
		out->done = true;
	}
	if (r)
		return r == V_FULL ? V_BAD : r;
	c = cbor_reader(buf_span(&b));
	r = cbor_expect(&c, CBOR_ARRAY, "a note", &i, NULL);
	r = r ? r : cbor_expect_uint(&c, "its version", &version, NULL);
	if (!r && (i.u != NOTE_ITEMS || version != NOTE_VERSION))
		r = V_BAD;
	r = r ? r : get_string(&c, "path", out->path, sizeof(out->path));
	r = r ? r : cbor_expect_uint(&c, "the mount's part of it", &out->mount_n, NULL);
	r = r ? r : get_string(&c, "drive", out->drive, sizeof(out->drive));
	r = r ? r : get_string(&c, "rule", out->rule, sizeof(out->rule));
	r = r ? r : cbor_expect_bytes_n(&c, "SHA-256", out->hash.b, DIGEST_SIZE, NULL);
	r = r ? r : cbor_expect_uint(&c, "size", &out->bytes, NULL);
	/* Behind the mount's part there is a name. */
	if (!r && (!cbor_at_end(&c) || out->mount_n + 1 >= strlen(out->path) || out->path[out->mount_n] != '/'))
		r = V_BAD;
	return r;
}

void seal_note_done(int folder, const char *copy)
{
	char name[NAME_SIZE], done[NAME_SIZE];

	name_note(copy, false, name);
	name_note(copy, true, done);
	if (!renameat(folder, name, folder, done))
		fsync(folder);
}

void seal_note_drop(int folder, const char *copy)
{
	char name[NAME_SIZE];

	name_note(copy, false, name);
	unlinkat(folder, name, 0);
	name_note(copy, true, name);
	unlinkat(folder, name, 0);
}

/*
 * Bytes of the ring buffer to struct seen. See decode.h. Called for every event. The head is copied out, never pointed
 * into: the bytes need not be aligned, and their lengths are looked at once.
 */
#include "agent/recorder/decode.h"
#include "agent/probe/event.h"
#include "policy/wire/record.h"

static int64_t us_of(uint64_t ns)
{
	return (int64_t)(ns / 1000);
}

/* The strings behind the head, in order; they must end where the event ends. */
static int strings(struct span bytes, const struct event *h, struct span out[EVENT_STRINGS], struct why *why)
{
	size_t at = sizeof(*h);
	unsigned i;

	for (i = 0; i < EVENT_STRINGS; i++) {
		if (h->len[i] > bytes.n - at)
			return why_set(why, V_BAD, "string %u is longer than the event", i);
		out[i] = SPAN(bytes.p + at, h->len[i]);
		at += h->len[i];
	}
	return 0;
}

static void numbers(const struct event *h, struct seen *s)
{
	s->kind = h->kind;
	s->flags = h->flags;
	s->boot_us = us_of(h->boot_ns);
	s->duration_us = h->first_ns && h->first_ns <= h->boot_ns ? us_of(h->boot_ns - h->first_ns) : 0;
	s->result = h->result;
	s->pid = h->pid;
	s->ppid = h->ppid;
	s->start_ns = h->start_ns;
	s->pstart_ns = h->pstart_ns;
	s->uid = h->uid;
	s->real_uid = h->real_uid;
	s->login_uid = h->login_uid;
	s->session = h->session;
	s->mnt_ns = h->mnt_ns;
	s->has_object = h->has & EH_OBJECT;
	s->dev_major = h->dev >> 20;
	s->dev_minor = h->dev & 0xfffff;
	s->inode = h->inode;
	s->has_size = h->has & EH_SIZE;
	s->size = h->file_size;
	s->read = h->bytes_read;
	s->written = h->bytes_written;
	s->has_mode = h->has & EH_MODE;
	s->mode = h->mode & 07777;
	s->has_owner = h->has & EH_OWNER;
	s->owner_uid = h->new_uid;
	s->owner_gid = h->new_gid;
	s->has_open_flags = h->has & EH_OPEN_FLAGS;
	s->open_flags = h->open_flags;
	s->relative = h->has & EH_RELATIVE;
	s->relative2 = h->has & EH_RELATIVE2;
	s->how = h->how;
	s->from_major = h->from_dev >> 20;
	s->from_minor = h->from_dev & 0xfffff;
	s->from_inode = h->from_inode;
	s->copied = h->copied;
	s->count = h->count;
	s->refused = h->refused;
	s->exit_code = h->exit_code;
	s->signal = h->signal;
}

int decode(struct span bytes, struct seen *out, struct why *why)
{
	struct span s[EVENT_STRINGS];
	struct event h;
	int r;

	if (bytes.n < sizeof(h))
		return why_set(why, V_BAD, "an event of %zu bytes", bytes.n);
	memcpy(&h, bytes.p, sizeof(h));
	if (h.version != EVENT_VERSION)
		return why_set(why, V_BAD, "an event of version %u", h.version);
	if (h.size < sizeof(h) || h.size > bytes.n)
		return why_set(why, V_BAD, "an event that claims %u of %zu bytes", h.size, bytes.n);
	if (!enum_by_value(F_KIND, h.kind))
		return why_set(why, V_BAD, "an event of kind %u", h.kind);
	r = strings(SPAN(bytes.p, h.size), &h, s, why);
	if (r)
		return r;
	*out = (struct seen){0};
	numbers(&h, out);
	out->comm = SPAN(bytes.p + offsetof(struct event, comm), strnlen(h.comm, sizeof(h.comm)));
	out->path = s[EVENT_PATH];
	out->path2 = s[EVENT_PATH2];
	out->program = s[EVENT_PROGRAM];
	out->args = s[EVENT_ARGS];
	out->cwd = s[EVENT_CWD];
	out->fs = s[EVENT_FS];
	if (h.kind == KIND_EXEC || h.kind == KIND_RUNNING) {
		out->script = out->path;
		out->path = SPAN(NULL, 0);
	}
	return 0;
}

size_t decode_tidy(struct span path, char *out, size_t size)
{
	size_t n = 0, at = 0;

	while (at < path.n) {
		const uint8_t *slash;
		size_t len;

		if (path.p[at] == '/') {
			at++;
			continue;
		}
		slash = memchr(path.p + at, '/', path.n - at);
		len = slash ? (size_t)(slash - (path.p + at)) : path.n - at;
		if (len == 2 && path.p[at] == '.' && path.p[at + 1] == '.') {
			while (n && out[--n] != '/')
				;
		} else if (!(len == 1 && path.p[at] == '.')) {
			if (n + 1 + len > size)
				break;
			out[n++] = '/';
			memcpy(out + n, path.p + at, len);
			n += len;
		}
		at += len;
	}
	if (!n && size)
		out[n++] = '/';
	return n;
}

size_t decode_args(struct span args, char *out, size_t size)
{
	size_t n = 0, i;

	if (args.n && args.p[args.n - 1] == 0)
		args.n--;
	for (i = 0; i < args.n && n + 2 <= size; i++) {
		uint8_t c = args.p[i];

		if (c == '\n')
			out[n++] = '\\';
		out[n++] = c == 0 ? '\n' : c == '\n' ? 'n' : (char)c;
	}
	return n;
}

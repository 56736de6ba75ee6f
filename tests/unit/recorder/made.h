/* Events made by hand, as the kernel programs would write them. */
#ifndef SEKISHO_TESTS_RECORDER_MADE_H
#define SEKISHO_TESTS_RECORDER_MADE_H

#include "agent/probe/event.h"
#include "policy/base/buf.h"
#include "policy/wire/record.h"
#include <stdio.h>

#define MADE_NS 4026531840u

struct made {
	struct event e;
	const char *s[EVENT_STRINGS];
	uint8_t bytes[sizeof(struct event) + EVENT_TAIL_MAX];
};

static inline struct made made(unsigned kind, uint32_t pid, uint64_t start_ns)
{
	struct made m = {.e = {.version = EVENT_VERSION,
				 .kind = (uint16_t)kind,
				 .boot_ns = 5000000,
				 .pid = pid,
				 .start_ns = start_ns,
				 .uid = 1000,
				 .real_uid = 1000,
				 .login_uid = UINT32_MAX,
				 .session = UINT32_MAX,
				 .mnt_ns = MADE_NS}};

	return m;
}

static inline void made_file(struct made *m, const char *path, uint32_t major, uint32_t minor)
{
	m->s[EVENT_PATH] = path;
	m->e.has |= EH_OBJECT;
	m->e.dev = major << 20 | minor;
	m->e.inode = 77;
}

/* The bytes, strings behind the head. */
static inline struct span made_bytes(struct made *m)
{
	size_t at = sizeof(m->e);
	unsigned i;

	for (i = 0; i < EVENT_STRINGS; i++) {
		size_t n = m->s[i] ? strlen(m->s[i]) : 0;

		m->e.len[i] = (uint16_t)n;
		if (n)
			memcpy(m->bytes + at, m->s[i], n);
		at += n;
	}
	m->e.size = (uint32_t)at;
	memcpy(m->bytes, &m->e, sizeof(m->e));
	return SPAN(m->bytes, at);
}

#endif

/*
 * Stated purposes, kept in a file. See purposes.h. What must never happen here: a file that cannot be read being taken
 * for a purpose.
 */
#include "agent/service/purposes.h"
#include "policy/base/cleanup.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

#define FILE_MAX (PURPOSES_MAX * (POLICY_NAME_SIZE + 40u))

void purposes_init(struct purposes *p, const char *policy)
{
	const char *slash = strrchr(policy, '/');

	*p = (struct purposes){.n = 0};
	snprintf(p->path, sizeof(p->path), "%.*s" PURPOSES_FILE, (int)(slash ? slash - policy : 0), policy);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool read_one(struct span line, struct purpose *out)
{
	char text[POLICY_NAME_SIZE + 40];
	int at = 0;

	text_copy(text, sizeof(text), line);
	if (sscanf(text, "%" SCNd64 " %" SCNu32 " %n", &out->until_boot_us, &out->uid, &at) != 2 || !at ||
		strlen(text + at) >= sizeof(out->area))
		return false;
	snprintf(out->area, sizeof(out->area), "%s", text + at);
	return true;
}

static void read_all(struct purposes *p)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FILE_MAX);
	uint8_t boot[16];
	char hex[2 * sizeof(boot) + 1];
	struct span rest, line;

	p->n = 0;
	if (file_read(p->path, &text) || clock_boot_id(boot))
		return;
	rest = buf_span(&text);
	hex_encode(hex, boot, sizeof(boot));
	if (!text_line(&rest, &line) || !span_eq(line, SPAN_STR(hex)))
		return;
	while (p->n < PURPOSES_MAX && text_line(&rest, &line))
		p->n += read_one(line, &p->v[p->n]);
}

static struct purpose *find(struct purposes *p, const char *area, uint32_t uid)
{
	unsigned i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].uid == uid && !strcmp(p->v[i].area, area))
			return &p->v[i];
	return NULL;
}

int64_t purposes_until(struct purposes *p, const char *area, uint32_t uid, int64_t now)
{
	const struct purpose *one = find(p, area, uid);
	struct stat st;

	if (one && now < one->until_boot_us)
		return one->until_boot_us;
	if (stat(p->path, &st))
		st = (struct stat){.st_ino = 0};
	if (is_same(&st, &p->seen))
		return 0;
	/* Before the file: what is laid while it is read is read the next time. */
	p->seen = st;
	read_all(p);
	one = find(p, area, uid);
	return one && now < one->until_boot_us ? one->until_boot_us : 0;
}

bool purposes_lack(struct purposes *p, const struct policy *policy, unsigned i, uint32_t uid, int64_t now)
{
	return policy_area_purpose_s(policy, i) && !purposes_until(p, policy_area_name(policy, i), uid, now);
}

static int keep(struct purposes *p)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FILE_MAX);
	uint8_t boot[16];
	char line[POLICY_NAME_SIZE + 40];
	unsigned i;
	int r = clock_boot_id(boot);

	if (r)
		return r;
	r = buf_puts(&text, hex_encode(line, boot, sizeof(boot)));
	r = r ? r : buf_puts(&text, "\n");
	for (i = 0; i < p->n && !r; i++) {
		snprintf(line, sizeof(line), "%" PRId64 " %" PRIu32 " %s\n", p->v[i].until_boot_us, p->v[i].uid,
			p->v[i].area);
		r = buf_puts(&text, line);
	}
	/* It has to outlive the guard, not the boot. */
	return r ? r : file_replace_volatile(p->path, buf_span(&text), 0640);
}

int purposes_room(struct purposes *p, const char *area, uint32_t uid, int64_t now)
{
	unsigned i = 0;

	/* What is kept by now, where this is the first one after a start. */
	purposes_until(p, area, uid, now);
	while (i < p->n)
		if (p->v[i].until_boot_us <= now)
			p->v[i] = p->v[--p->n];
		else
			i++;
	return p->n < PURPOSES_MAX || find(p, area, uid) ? 0 : V_FULL;
}

int purposes_add(struct purposes *p, const char *area, uint32_t uid, int64_t until, int64_t now)
{
	struct purpose *one, before = {.uid = 0};
	int r = purposes_room(p, area, uid, now);

	if (r)
		return r;
	one = find(p, area, uid);
	if (one)
		before = *one;
	else
		one = &p->v[p->n++];
	*one = (struct purpose){.until_boot_us = until, .uid = uid};
	snprintf(one->area, sizeof(one->area), "%s", area);
	r = keep(p);
	if (!r)
		return 0;
	if (before.area[0])
		*one = before;
	else
		p->n--;
	return r;
}

/*
 * A file of settings, whatever its bytes, as each section's program reads it and as one without sections: what is taken
 * lies within its bounds, and what is found by name is what was taken.
 */
#include "policy/base/conf.h"
#include "policy/base/file.h"
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
	char name[16];
	uint64_t n, size, time, months;
	bool on;
};

#define KEY_(...) CONF_KEY(struct settings, __VA_ARGS__)

static const struct conf_key keys[] = {
	KEY_("name", CONF_STR, name, 16, 0, 0, ""),
	KEY_("n", CONF_UINT, n, 0, 1, 9, ""),
	KEY_("size", CONF_SIZE, size, 0, 1, 1u << 20, ""),
	KEY_("time", CONF_TIME, time, 0, 1, 60000000, ""),
	KEY_("months", CONF_MONTHS, months, 0, 1, 120, ""),
	KEY_("on", CONF_BOOL, on, 0, 0, 0, ""),
	{NULL, CONF_STR, 0, 0, 0, 0, NULL},
};

static const char *const all[] = {"collector", "console", NULL};

static void read_part(const char *path, const struct conf_part *part)
{
	struct settings s = {.n = 1, .size = 1, .time = 1, .months = 1};
	struct conf_given given = {.line = {0}};
	struct why why = {""};
	char found[16];
	int r = conf_load_part(path, part, keys, &s, &given, &why);

	if (r < 0 || (r && !why.text[0]))
		abort();
	if (r)
		return;
	if (s.n < 1 || s.n > 9 || s.size < 1 || s.size > 1u << 20 || s.time < 1 || s.time > 60000000 || !s.months ||
		(s.months > 120 && s.months != CONF_FOREVER))
		abort();
	r = conf_find(path, part, "name", found, sizeof(found), NULL);
	if (given.path[0] ? r || strcmp(found, s.name) != 0 : r != V_NOT_FOUND)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	struct conf_part part = {.all = all};
	unsigned i;

	if (!path[0])
		snprintf(path, sizeof(path), "/dev/shm/sekisho-fuzz-settings-%d", (int)getpid());
	if (file_replace_volatile(path, SPAN(data, size), 0600))
		abort();
	read_part(path, NULL);
	for (i = 0; i < 4; i++) {
		part.section = all[i % 2];
		part.own = i / 2;
		read_part(path, &part);
	}
	unlink(path);
	return 0;
}

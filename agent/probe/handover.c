/*
 * What records is replaced while a recorder works (an upgrade): the new set goes on with what the old one was told, so
 * that what happens until the next recorder has its filter is told too, and waits in the new ring buffer. Called by
 * load.c, when the new set is proven and pinned, just before the old one goes: in between both tell.
 */
#include "agent/probe/load.h"
#include "policy/base/cleanup.h"
#include <errno.h>

static int old_map(const char *name)
{
	char path[PINS_PATH_SIZE];

	snprintf(path, sizeof(path), PROBE_PIN_DIR "/%s", name);
	return bpf_obj_get(path);
}

/* Of another build, a map may have another form: then nothing is taken from it. */
static bool same_form(int a, int b)
{
	struct bpf_map_info x = {.type = 0}, y = {.type = 0};
	uint32_t n = sizeof(x), m = sizeof(y);

	return !bpf_obj_get_info_by_fd(a, &x, &n) && !bpf_obj_get_info_by_fd(b, &y, &m) && x.type == y.type &&
	       x.key_size == y.key_size && x.value_size == y.value_size;
}

/* From one table into another of the same form, whose keys and values have room in those that are given. */
static int copy_table(int from, int to, void *key, void *next, size_t key_size, void *value)
{
	bool more = !bpf_map_get_next_key(from, NULL, next);

	while (more) {
		memcpy(key, next, key_size);
		more = !bpf_map_get_next_key(from, key, next);
		if (bpf_map_lookup_elem(from, key, value))
			return -errno;
		if (bpf_map_update_elem(to, key, value, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int copy_prefixes(int from, int to)
{
	struct probe_prefix key, next;
	uint32_t level;

	return copy_table(from, to, &key, &next, sizeof(key), &level);
}

/* An older build has none. */
static int copy_points(int to)
{
	_cleanup_close_ int from = old_map("points");
	struct probe_part key, next;
	struct probe_point point;

	return from < 0 || !same_form(from, to) ? 0 : copy_table(from, to, &key, &next, sizeof(key), &point);
}

int load_hand_over(int control, int prefixes, int points)
{
	_cleanup_close_ int was_control = old_map("control"), was_prefixes = old_map("prefixes");
	struct probe_control was, now;
	uint32_t zero = 0;
	int r;

	if (was_control < 0 || was_prefixes < 0 || !same_form(was_control, control) ||
		!same_form(was_prefixes, prefixes))
		return 0;
	if (bpf_map_lookup_elem(was_control, &zero, &was) || bpf_map_lookup_elem(control, &zero, &now))
		return -errno;
	if (was.version != now.version || !was.active)
		return 0;
	r = copy_prefixes(was_prefixes, prefixes);
	r = r ? r : copy_points(points);
	if (r)
		return r;
	memcpy(now.skip_pid, was.skip_pid, sizeof(now.skip_pid));
	now.kinds = was.kinds;
	now.level_all = was.level_all;
	now.level_max = was.level_max;
	now.hold_ns = was.hold_ns;
	now.host_mnt_ns = was.host_mnt_ns;
	now.generation++;
	now.active = 1;
	return bpf_map_update_elem(control, &zero, &now, BPF_ANY) ? -errno : 0;
}

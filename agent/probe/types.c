/*
 * The kernel's own types (BTF), read once for all that a loader asks of them: which functions there are, and what a
 * tracepoint's arguments are. Reading takes 20 ms of a boot, and looking for one name among 130,000 another: so names
 * of functions are sorted into buckets in one go.
 */
#include "agent/probe/load.h"
#include <stdlib.h>
#include <string.h>

#define BUCKETS (1u << 14)

static struct {
	bool read;
	struct btf *btf;
	uint32_t *first, *next; /* ids of functions: of each bucket, and behind an id; 0 ends it */
} types;

static uint32_t bucket_of(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h % BUCKETS;
}

static const char *name_of(uint32_t id, const struct btf_type **type)
{
	*type = btf__type_by_id(types.btf, id);
	return *type ? btf__name_by_offset(types.btf, (*type)->name_off) : NULL;
}

static void sort_functions(void)
{
	uint32_t n = btf__type_cnt(types.btf), id;

	types.first = calloc(BUCKETS, sizeof(*types.first));
	types.next = calloc(n, sizeof(*types.next));
	for (id = 1; types.first && types.next && id < n; id++) {
		const struct btf_type *type;
		const char *name = name_of(id, &type);
		uint32_t b;

		if (!name || !btf_is_func(type))
			continue;
		b = bucket_of(name);
		types.next[id] = types.first[b];
		types.first[b] = id;
	}
}

const struct btf *load_types(void)
{
	if (!types.read) {
		types.read = true;
		types.btf = btf__load_vmlinux_btf();
		if (libbpf_get_error(types.btf))
			types.btf = NULL;
		else
			sort_functions();
	}
	return types.btf;
}

bool load_in_kernel(const char *function)
{
	const struct btf_type *type;
	uint32_t id;

	if (!load_types() || !types.first || !types.next)
		return false;
	for (id = types.first[bucket_of(function)]; id; id = types.next[id]) {
		const char *name = name_of(id, &type);

		if (name && !strcmp(name, function))
			return true;
	}
	return false;
}

const struct btf_type *load_prototype(const char *tracepoint)
{
	const struct btf *btf = load_types();
	int id = btf ? btf__find_by_name_kind(btf, tracepoint, BTF_KIND_TYPEDEF) : -1;
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	/* typedef -> pointer -> prototype: (void *data, first argument, ...) */
	type = type ? btf__type_by_id(btf, type->type) : NULL;
	type = type ? btf__type_by_id(btf, type->type) : NULL;
	return type && btf_is_func_proto(type) ? type : NULL;
}

/*
 * The kernel's own types (BTF), read once for all that a loader asks of them: which functions there are, and what a
 * tracepoint's arguments are. Reading takes 20 ms of a boot, and looking for one name among 130,000 another: so what is
 * asked for by its name is sorted into buckets in one go.
 */
#include "agent/probe/load.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS (1u << 14)

static struct {
	bool read;
	struct btf *btf;
	uint32_t *first, *next; /* ids: of each bucket, and behind an id; 0 ends it */
} types;

static uint32_t bucket_of(const char *name, size_t n)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (uint8_t)name[i]) * 16777619u;
	return h % BUCKETS;
}

static const char *name_of(uint32_t id, const struct btf_type **type)
{
	*type = btf__type_by_id(types.btf, id);
	return *type ? btf__name_by_offset(types.btf, (*type)->name_off) : NULL;
}

static bool is_structure(const struct btf_type *type)
{
	return btf_is_composite(type) || btf_is_any_enum(type);
}

/* struct file___ref is struct file, in one of the forms that kernels have had: libbpf's rule. */
static size_t without_form(const char *name)
{
	size_t n = strlen(name), i;

	for (i = n; i-- > 1;)
		if (!strncmp(name + i, "___", 3) && name[i - 1] != '_' && name[i + 3] && name[i + 3] != '_')
			return i;
	return n;
}

static void sort_by_name(void)
{
	uint32_t n = btf__type_cnt(types.btf), id;

	types.first = calloc(BUCKETS, sizeof(*types.first));
	types.next = calloc(n, sizeof(*types.next));
	for (id = 1; types.first && types.next && id < n; id++) {
		const struct btf_type *type;
		const char *name = name_of(id, &type);
		uint32_t b;

		if (!name || !*name || !(btf_is_func(type) || btf_is_typedef(type) || is_structure(type)))
			continue;
		b = bucket_of(name, is_structure(type) ? without_form(name) : strlen(name));
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
			sort_by_name();
	}
	return types.btf;
}

static uint32_t first_of(const char *name, size_t n)
{
	return load_types() && types.first && types.next ? types.first[bucket_of(name, n)] : 0;
}

static uint32_t find(const char *name, unsigned kind)
{
	const struct btf_type *type;
	uint32_t id;

	for (id = first_of(name, strlen(name)); id; id = types.next[id]) {
		const char *other = name_of(id, &type);

		if (other && btf_kind(type) == kind && !strcmp(other, name))
			return id;
	}
	return 0;
}

bool load_in_kernel(const char *function)
{
	return find(function, BTF_KIND_FUNC) != 0;
}

int load_each_structure(const char *name, int (*fn)(void *ctx, uint32_t id), void *ctx)
{
	const struct btf_type *type;
	size_t n = without_form(name);
	uint32_t id;
	int r = load_types() && types.first && types.next ? 0 : -ENOMEM;

	for (id = first_of(name, n); id && !r; id = types.next[id]) {
		const char *other = name_of(id, &type);

		if (other && is_structure(type) && without_form(other) == n && !strncmp(other, name, n))
			r = fn(ctx, id);
	}
	return r;
}

const struct btf_type *load_prototype(const char *tracepoint)
{
	const struct btf *btf = load_types();
	uint32_t id = find(tracepoint, BTF_KIND_TYPEDEF);
	const struct btf_type *type = id ? btf__type_by_id(btf, id) : NULL;

	/* typedef -> pointer -> prototype: (void *data, first argument, ...) */
	type = type ? btf__type_by_id(btf, type->type) : NULL;
	type = type ? btf__type_by_id(btf, type->type) : NULL;
	return type && btf_is_func_proto(type) ? type : NULL;
}

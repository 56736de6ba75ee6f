/*
 * An excerpt of the kernel's types, for one object: the structures that its programs name, and what these consist of.
 * For each structure that a program looks into libbpf goes through all types that it is given; through the kernel's,
 * 130,000, that was more than a quarter of what loading the gate took (Linux 6.1).
 *
 * Where something is a pointer to is left out: programs name both ends of a pointer that they follow.
 */
#include "agent/probe/load.h"
#include "policy/base/buf.h"
#include "policy/base/cleanup.h"
#include "policy/base/file.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define EXCERPT_MAX (16u << 20)

struct making {
	const struct btf *kernel;
	uint32_t *ids;   /* in the excerpt, by those of the kernel; 0: not in it */
	uint32_t *taken; /* those of the kernel, in the excerpt's order */
	uint32_t taken_n;
	struct buf types, names;
};

static int take(void *ctx, uint32_t id)
{
	struct making *m = ctx;

	if (!id || m->ids[id])
		return 0;
	m->taken[m->taken_n++] = id;
	m->ids[id] = m->taken_n;
	return 0;
}

/* What follows a type: how many bytes; -EINVAL for a kind that no structure consists of. */
static int size_behind(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_FLOAT:
		return 0;
	case BTF_KIND_INT:
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return btf_vlen(t) * (int)sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return btf_vlen(t) * (int)sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return btf_vlen(t) * (int)sizeof(struct btf_enum64);
	default:
		return -EINVAL;
	}
}

/* The number in the excerpt of a type that is a part of one there. */
static uint32_t part(struct making *m, uint32_t id)
{
	take(m, id);
	return m->ids[id];
}

/* *offset: of a name among the kernel's, and then of the same in the excerpt. */
static int put_name(struct making *m, uint32_t *offset)
{
	const char *name = btf__name_by_offset(m->kernel, *offset);

	if (!*offset || !name)
		return 0;
	*offset = (uint32_t)m->names.n;
	return buf_put(&m->names, name, strlen(name) + 1);
}

static int put_members(struct making *m, struct btf_type *t)
{
	uint32_t i, n = btf_vlen(t);
	int r = 0;

	if (btf_is_array(t)) {
		struct btf_array *a = btf_array(t);

		a->type = part(m, a->type);
		a->index_type = part(m, a->index_type);
	}
	for (i = 0; i < n && !r && btf_is_composite(t); i++) {
		btf_members(t)[i].type = part(m, btf_members(t)[i].type);
		r = put_name(m, &btf_members(t)[i].name_off);
	}
	for (i = 0; i < n && !r && btf_is_enum(t); i++)
		r = put_name(m, &btf_enum(t)[i].name_off);
	for (i = 0; i < n && !r && btf_is_enum64(t); i++)
		r = put_name(m, &btf_enum64(t)[i].name_off);
	return r;
}

static int put_type(struct making *m, uint32_t id)
{
	const struct btf_type *from = btf__type_by_id(m->kernel, id);
	size_t at = m->types.n;
	struct btf_type *t;
	int behind, r;

	if (!from)
		return -EINVAL;
	behind = size_behind(from);
	r = behind < 0 ? behind : buf_put(&m->types, from, sizeof(*from) + (size_t)behind);
	if (r)
		return r;
	t = (struct btf_type *)(void *)(m->types.p + at);
	if (btf_is_ptr(t))
		t->type = 0;
	else if (btf_is_mod(t) || btf_is_typedef(t) || btf_kind(t) == BTF_KIND_TYPE_TAG)
		t->type = part(m, t->type);
	r = put_name(m, &t->name_off);
	return r ? r : put_members(m, t);
}

static int put_all(struct making *m, const struct btf *object)
{
	uint32_t n = btf__type_cnt(object), i;
	int r;

	r = buf_put(&m->names, "", 1);
	for (i = 1; i < n && !r; i++) {
		const struct btf_type *t = btf__type_by_id(object, i);
		const char *name = btf__name_by_offset(object, t->name_off);

		if (name && *name && (btf_is_composite(t) || btf_is_any_enum(t)))
			r = load_each_structure(name, take, m);
	}
	/* What each consists of is taken while it is put, and put behind it. */
	for (i = 0; i < m->taken_n && !r; i++)
		r = put_type(m, m->taken[i]);
	return r;
}

static int write_out(int fd, const struct making *m)
{
	const struct btf_header h = {.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(h),
		.type_len = (uint32_t)m->types.n,
		.str_off = (uint32_t)m->types.n,
		.str_len = (uint32_t)m->names.n};
	int r = write_all(fd, &h, sizeof(h));

	r = r ? r : write_all(fd, m->types.p, m->types.n);
	return r ? r : write_all(fd, m->names.p, m->names.n);
}

static int excerpt_write(int fd, const struct btf *kernel, const struct btf *object)
{
	struct making m = {.kernel = kernel, .types = BUF_INIT(EXCERPT_MAX), .names = BUF_INIT(EXCERPT_MAX)};
	uint32_t n = btf__type_cnt(kernel);
	int r;

	m.ids = calloc(n, sizeof(*m.ids));
	m.taken = calloc(n, sizeof(*m.taken));
	r = m.ids && m.taken ? put_all(&m, object) : -ENOMEM;
	r = r ? r : write_out(fd, &m);
	free(m.ids);
	free(m.taken);
	buf_deinit(&m.types);
	buf_deinit(&m.names);
	return r;
}

const struct bpf_object_open_opts *excerpt_begin(struct excerpt *x)
{
	memset(&x->opts, 0, sizeof(x->opts));
	x->opts.sz = sizeof(x->opts);
	x->fd = load_types() ? memfd_create("types", MFD_CLOEXEC) : -1;
	snprintf(x->path, sizeof(x->path), "/proc/self/fd/%d", x->fd);
	if (x->fd >= 0 && access(x->path, R_OK))
		closep(&x->fd);
	if (x->fd >= 0)
		x->opts.btf_custom_path = x->path;
	return &x->opts;
}

int excerpt_fill(struct excerpt *x, const struct bpf_object *object)
{
	const void *all;
	uint32_t n;

	if (x->fd < 0 || !excerpt_write(x->fd, load_types(), bpf_object__btf(object)))
		return 0;
	/* All of them: libbpf was told already that they are there. */
	all = btf__raw_data(load_types(), &n);
	if (!all || ftruncate(x->fd, 0) || lseek(x->fd, 0, SEEK_SET))
		return -EIO;
	return write_all(x->fd, all, n);
}

void excerpt_end(struct excerpt *x)
{
	closep(&x->fd);
}

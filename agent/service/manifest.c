/*
 * See manifest.h. Whoever can write these files is root; still nothing in them is trusted to be well formed.
 */
#include "agent/service/manifest.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#define MAGIC "sekisho-manifest 1 "
#define PACKAGES_MAX 16
#define MODE_MAX 07777u

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct manifest_file *)a)->path, ((const struct manifest_file *)b)->path);
}

/* A merged /usr has one folder under two names. */
static int path_of(struct span s, char **out)
{
	static const char lib[] = "/lib/";
	bool merged = s.n > sizeof(lib) - 1 && !memcmp(s.p, lib, sizeof(lib) - 1);
	char path[PATH_MAX];

	if (!s.n || s.n > PATH_MAX - 8 || s.p[0] != '/' || memchr(s.p, 0, s.n))
		return V_BAD;
	snprintf(path, sizeof(path), "%s%.*s", merged ? "/usr" : "", (int)s.n, (const char *)s.p);
	*out = strdup(path);
	return *out ? 0 : -ENOMEM;
}

/* "HEX MODE PATH" */
static int file_of(struct span line, struct manifest_file *f)
{
	char text[PATH_MAX + 80], *end;
	unsigned long mode;

	if (line.n >= sizeof(text) || line.n < 2 * DIGEST_SIZE + 4 || memchr(line.p, 0, line.n))
		return V_BAD;
	memcpy(text, line.p, line.n);
	text[line.n] = 0;
	if (text[2 * DIGEST_SIZE] != ' ')
		return V_BAD;
	text[2 * DIGEST_SIZE] = 0;
	if (hex_decode(text, f->hash.b, DIGEST_SIZE))
		return V_BAD;
	mode = strtoul(text + 2 * DIGEST_SIZE + 1, &end, 8);
	if (end == text + 2 * DIGEST_SIZE + 1 || *end != ' ' || mode > MODE_MAX)
		return V_BAD;
	f->mode = (unsigned)mode;
	return path_of(SPAN_STR(end + 1), &f->path);
}

static void drop(struct manifest *m, unsigned n)
{
	while (m->files_n > n)
		free(m->files[--m->files_n].path);
}

static int add_line(struct manifest *m, struct span line)
{
	struct manifest_file f = {.path = NULL}, *more;
	int r = m->files_n == MANIFEST_FILES_MAX ? V_BAD : file_of(line, &f);

	if (r)
		return r;
	more = reallocarray(m->files, m->files_n + 1, sizeof(*more));
	if (!more) {
		free(f.path);
		return -ENOMEM;
	}
	m->files = more;
	m->files[m->files_n++] = f;
	return 0;
}

int manifest_add(struct manifest *m, struct span text)
{
	unsigned had = m->files_n;
	struct span rest = text, line;
	char version[MANIFEST_VERSION_SIZE];
	int r = 0;

	if (!text.n || text.p[text.n - 1] != '\n' || !text_line(&rest, &line) || line.n <= sizeof(MAGIC) - 1 ||
		memcmp(line.p, MAGIC, sizeof(MAGIC) - 1) != 0 || line.n - (sizeof(MAGIC) - 1) >= sizeof(version))
		return V_BAD;
	text_escape_to(version, sizeof(version), SPAN(line.p + sizeof(MAGIC) - 1, line.n - (sizeof(MAGIC) - 1)));
	while (!r && text_line(&rest, &line))
		r = add_line(m, line);
	if (r) {
		drop(m, had);
		return r;
	}
	if (!m->version[0])
		memcpy(m->version, version, sizeof(version));
	if (m->files_n)
		qsort(m->files, m->files_n, sizeof(*m->files), by_path);
	return 0;
}

/* By name, so that the hash of all is one. */
static int take(const struct dirent *d)
{
	return d->d_name[0] != '.' && !strchr(d->d_name, '~');
}

static int read_one(struct manifest *m, int dirfd, const char *name, struct digesting *hash)
{
	_cleanup_buf_ struct buf b = BUF_INIT(MANIFEST_BYTES_MAX);
	int r = file_read_plain_at(dirfd, name, FILE_ANYBODY, &b);

	r = r ? r : manifest_add(m, buf_span(&b));
	if (!r)
		digesting_put(hash, buf_span(&b));
	return r < 0 ? r : 0;
}

static int read_all(struct manifest *m, int dirfd, struct dirent **names, int n)
{
	struct digesting *hash;
	int i, r = digesting_new(&hash);

	if (r)
		return r;
	for (i = 0; i < n && i < PACKAGES_MAX && !r; i++)
		r = read_one(m, dirfd, names[i]->d_name, hash);
	digesting_end(hash, &m->hash);
	if (!m->files_n)
		memset(&m->hash, 0, sizeof(m->hash));
	return r;
}

int manifest_read(const char *root, struct manifest *m)
{
	struct dirent **names = NULL;
	_cleanup_close_ int dirfd = -1;
	char dir[PATH_MAX];
	int n, r;

	if ((size_t)snprintf(dir, sizeof(dir), "%s" MANIFEST_DIR, root) >= sizeof(dir))
		return -ENAMETOOLONG;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	n = scandir(dir, &names, take, alphasort);
	if (n < 0)
		return -errno;
	r = read_all(m, dirfd, names, n);
	while (n)
		free(names[--n]);
	free(names);
	return r;
}

const struct manifest_file *manifest_find(const struct manifest *m, const char *path)
{
	const struct manifest_file key = {.path = (char *)(uintptr_t)path};

	return m->files_n ? bsearch(&key, m->files, m->files_n, sizeof(*m->files), by_path) : NULL;
}

void manifest_deinit(struct manifest *m)
{
	drop(m, 0);
	free(m->files);
	*m = (struct manifest){.files_n = 0};
}

/*
 * The page: files that are read once, at the start, into a table. What a request names is looked up there and nowhere
 * else: no path of the file system is ever made of one.
 */
#include "collector/console/console.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#define FILES_MAX 256u
#define BYTES_MAX (16u << 20)
#define DEPTH_MAX 4u
#define PATH_SIZE 256

struct page {
	unsigned n;
	size_t bytes;
	struct page_file {
		char path[PATH_SIZE]; /* "/assets/index-abc.js" */
		const char *type;
		char etag[20];
		struct buf body;
	} v[FILES_MAX];
};

static const struct {
	const char *ending, *type;
} types[] = {{".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"}, {".svg", "image/svg+xml"}, {".png", "image/png"}, {".ico", "image/x-icon"},
	{".woff2", "font/woff2"}, {".json", "application/json"}, {".txt", "text/plain; charset=utf-8"},
	{".webmanifest", "application/manifest+json"}};

static const char *type_of(const char *name)
{
	size_t n = strlen(name), i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (n > strlen(types[i].ending) && !strcmp(name + n - strlen(types[i].ending), types[i].ending))
			return types[i].type;
	return NULL;
}

static bool plain(const char *name)
{
	return *name != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(name);
}

static int add(struct page *p, const char *file, const char *path, const char *type, struct why *why)
{
	struct page_file *f = &p->v[p->n];
	struct digest d;
	int r;

	if (p->n == FILES_MAX)
		return why_set(why, V_FULL, "%s: more than %u files", file, FILES_MAX);
	f->body = BUF_INIT(BYTES_MAX - p->bytes);
	r = file_read(file, &f->body);
	if (r == V_FULL)
		return why_set(why, V_FULL, "%s: more than %u bytes in all", file, BYTES_MAX);
	if (r)
		return r;
	snprintf(f->path, sizeof(f->path), "%s", path);
	f->type = type;
	digest_span(&d, buf_span(&f->body));
	f->etag[0] = '"';
	hex_encode(f->etag + 1, d.b, 8);
	f->etag[17] = '"';
	p->bytes += f->body.n;
	p->n++;
	return 0;
}

static int walk(struct page *p, const char *dir, const char *path, unsigned depth, struct why *why)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (!d)
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	while (!r && (e = readdir(d))) {
		char file[PATH_MAX], below[PATH_SIZE];
		const char *type = type_of(e->d_name);
		struct stat st;

		if (!plain(e->d_name) ||
			(size_t)snprintf(file, sizeof(file), "%s/%s", dir, e->d_name) >= sizeof(file) ||
			(size_t)snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >= sizeof(below) ||
			lstat(file, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			r = walk(p, file, below, depth + 1, why);
		else if (S_ISREG(st.st_mode) && type)
			r = add(p, file, below, type, why);
	}
	return r;
}

int page_load(const struct config *c, struct page **out, struct why *why)
{
	struct page *p = calloc(1, sizeof(*p));
	int r = p ? 0 : -ENOMEM;

	if (!r && c->page[0])
		r = walk(p, c->page, "", 0, why);
	if (r == V_NOT_FOUND)
		r = 0;
	if (r) {
		page_free(p);
		return r;
	}
	*out = p;
	return 0;
}

void page_free(struct page *p)
{
	unsigned i;

	for (i = 0; p && i < p->n; i++)
		buf_deinit(&p->v[i].body);
	free(p);
}

bool page_get(struct console *c, struct ask *a)
{
	/* An OpenID provider sends people back to /oidc: the page takes it from there. */
	bool front = !strcmp(a->path, "/") || !strcmp(a->path, "/oidc");
	const char *path = front ? "/index.html" : a->path, *have = ask_header(a, "If-None-Match");
	unsigned i;

	for (i = 0; i < c->page->n; i++) {
		const struct page_file *f = &c->page->v[i];

		if (strcmp(f->path, path) != 0)
			continue;
		answer_header(a->req, "ETag", f->etag);
		if (have && !strcmp(have, f->etag)) {
			answer_send(a->req, 304, "", SPAN("", 0));
			return true;
		}
		answer_bytes(a->req, f->type, !strncmp(path, "/assets/", 8), buf_span(&f->body));
		return true;
	}
	return false;
}

/*
 * The one line of cups-files.conf that the gate is about. See tree.h.
 */
#include "agent/print/tree.h"
#include "policy/base/file.h"
#include <ctype.h>
#include <errno.h>

#define CONF_MAX (1u << 20)

/* The value of a `ServerBin` line, or NULL. cupsd reads names without their case; the last line counts. */
static const char *server_bin_of(const char *line, size_t n, size_t *length)
{
	static const char name[] = "ServerBin";
	size_t at = 0;

	while (at < n && isspace((unsigned char)line[at]))
		at++;
	if (n - at <= sizeof(name) || strncasecmp(line + at, name, sizeof(name) - 1) != 0 ||
		!isspace((unsigned char)line[at + sizeof(name) - 1]))
		return NULL;
	at += sizeof(name) - 1;
	while (at < n && isspace((unsigned char)line[at]))
		at++;
	while (n > at && isspace((unsigned char)line[n - 1]))
		n--;
	*length = n - at;
	return line + at;
}

static const char *next_line(struct span s, size_t *at, size_t *n)
{
	const char *line = (const char *)s.p + *at, *end;

	if (*at >= s.n)
		return NULL;
	end = memchr(line, '\n', s.n - *at);
	*n = end ? (size_t)(end - line) : s.n - *at;
	*at += *n + (end != NULL);
	return line;
}

int tree_server_bin(const char *conf, char out[PATH_MAX])
{
	_cleanup_buf_ struct buf text = BUF_INIT(CONF_MAX);
	int r = file_read(conf, &text);
	size_t at = 0, n, length;
	const char *line, *value;

	if (r)
		return r;
	snprintf(out, PATH_MAX, "%s", TREE_STOCK);
	while ((line = next_line(buf_span(&text), &at, &n))) {
		value = server_bin_of(line, n, &length);
		if (value && length && length < PATH_MAX)
			snprintf(out, PATH_MAX, "%.*s", (int)length, value);
	}
	return 0;
}

int tree_conf(struct span stock, const char *server_bin, struct buf *out)
{
	size_t at = 0, n, length;
	const char *line;
	int r = 0;

	while (!r && (line = next_line(stock, &at, &n))) {
		if (server_bin_of(line, n, &length))
			r = buf_puts(out, "# ");
		r = r ? r : buf_put(out, line, n);
		r = r ? r : buf_puts(out, "\n");
	}
	return r ? r : buf_putf(out, "# the print gate: see sekisho-print(8)\nServerBin %s\n", server_bin);
}

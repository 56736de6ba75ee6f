/*
 * The one line of cups-files.conf that the gate is about, and the ports of cupsd.conf. See tree.h.
 */
#include "agent/print/tree.h"
#include "policy/base/file.h"
#include <ctype.h>
#include <errno.h>

#define CONF_MAX (1u << 20)

/* The value of the line, if it has that name; else NULL. cupsd reads names without their case. */
static const char *value_of(const char *line, size_t n, const char *name, size_t *length)
{
	size_t at = 0, name_n = strlen(name);

	while (at < n && isspace((unsigned char)line[at]))
		at++;
	if (n - at <= name_n + 1 || strncasecmp(line + at, name, name_n) != 0 ||
		!isspace((unsigned char)line[at + name_n]))
		return NULL;
	at += name_n;
	while (at < n && isspace((unsigned char)line[at]))
		at++;
	while (n > at && isspace((unsigned char)line[n - 1]))
		n--;
	*length = n - at;
	return line + at;
}

/* ... The last line counts. */
static const char *server_bin_of(const char *line, size_t n, size_t *length)
{
	return value_of(line, n, "ServerBin", length);
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

/* "631", "localhost:631", "[::1]:631", "*:631"; 0: not a port ("/run/cups/cups.sock", "localhost"). */
static unsigned port_of(const char *value, size_t n)
{
	unsigned port = 0;
	size_t at = n;

	while (at && isdigit((unsigned char)value[at - 1]))
		at--;
	if (at == n || n - at > 5 || (at && value[at - 1] != ':'))
		return 0;
	for (; at < n; at++)
		port = port * 10 + (unsigned)(value[at] - '0');
	return port <= UINT16_MAX ? port : 0;
}

unsigned tree_ports(struct span conf, uint16_t *ports, unsigned max)
{
	static const char *const names[] = {"Port", "Listen", "SSLPort", "SSLListen"};
	size_t at = 0, n, length, i;
	const char *line, *value;
	unsigned found = 0;

	while ((line = next_line(conf, &at, &n)))
		for (i = 0; i < ARRAY_SIZE(names); i++) {
			unsigned port;

			value = value_of(line, n, names[i], &length);
			port = value ? port_of(value, length) : 0;
			if (port && found < max)
				ports[found++] = (uint16_t)port;
		}
	return found;
}

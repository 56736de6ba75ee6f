/*
 * What names say of files. See copies_kin.h. Pure.
 */
#include "agent/recorder/copies_kin.h"
#include "policy/wire/record.h"
#include <strings.h>

#define SUFFIX_MAX 8u
#define ALIKE_MIN 3u

static const struct {
	const char *suffix;
	enum kin kin;
} suffixes[] = {
	{"zip", KIN_ARCHIVE},
	{"tar", KIN_ARCHIVE},
	{"gz", KIN_ARCHIVE},
	{"tgz", KIN_ARCHIVE},
	{"bz2", KIN_ARCHIVE},
	{"tbz2", KIN_ARCHIVE},
	{"xz", KIN_ARCHIVE},
	{"txz", KIN_ARCHIVE},
	{"zst", KIN_ARCHIVE},
	{"tzst", KIN_ARCHIVE},
	{"7z", KIN_ARCHIVE},
	{"rar", KIN_ARCHIVE},
	{"lzh", KIN_ARCHIVE},
	{"lz4", KIN_ARCHIVE},
	{"cab", KIN_ARCHIVE},
	{"jar", KIN_ARCHIVE},
	{"cpio", KIN_ARCHIVE},
	{"iso", KIN_ARCHIVE},
	{"gpg", KIN_ARCHIVE},
	{"age", KIN_ARCHIVE},
	{"doc", KIN_TEXT},
	{"docx", KIN_TEXT},
	{"docm", KIN_TEXT},
	{"odt", KIN_TEXT},
	{"rtf", KIN_TEXT},
	{"txt", KIN_TEXT},
	{"jtd", KIN_TEXT},
	{"xls", KIN_SHEET},
	{"xlsx", KIN_SHEET},
	{"xlsm", KIN_SHEET},
	{"xlsb", KIN_SHEET},
	{"ods", KIN_SHEET},
	{"csv", KIN_SHEET},
	{"ppt", KIN_SLIDES},
	{"pptx", KIN_SLIDES},
	{"pptm", KIN_SLIDES},
	{"odp", KIN_SLIDES},
	{"odg", KIN_DRAWING},
	{"svg", KIN_DRAWING},
	{"dxf", KIN_DRAWING},
	{"dwg", KIN_DRAWING},
	{"png", KIN_PICTURE},
	{"jpg", KIN_PICTURE},
	{"jpeg", KIN_PICTURE},
	{"tif", KIN_PICTURE},
	{"tiff", KIN_PICTURE},
	{"bmp", KIN_PICTURE},
	{"webp", KIN_PICTURE},
	{"xcf", KIN_PICTURE},
	{"psd", KIN_PICTURE},
	{"pdf", KIN_PDF},
};

struct span kin_name(struct span path)
{
	const uint8_t *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? SPAN(slash + 1, path.n - (size_t)(slash + 1 - path.p)) : path;
}

enum kin kin_of(struct span path)
{
	struct span name = kin_name(path);
	const uint8_t *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;
	size_t n = dot ? name.n - (size_t)(dot + 1 - name.p) : 0, i;

	if (!n || n > SUFFIX_MAX || dot == name.p)
		return KIN_NONE;
	for (i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (strlen(suffixes[i].suffix) == n && !strncasecmp((const char *)dot + 1, suffixes[i].suffix, n))
			return suffixes[i].kin;
	return KIN_NONE;
}

unsigned kin_made(enum kin from, enum kin to)
{
	if (from <= KIN_ARCHIVE || to <= KIN_ARCHIVE)
		return 0;
	if (from == to)
		return REASON_SAVE_AS;
	return to == KIN_PDF ? REASON_EXPORT : 0;
}

bool kin_alike(struct span from, struct span to)
{
	from = kin_name(from);
	to = kin_name(to);
	return from.n >= ALIKE_MIN && memmem(to.p, to.n, from.p, from.n);
}

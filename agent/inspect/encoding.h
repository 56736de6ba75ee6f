/*
 * Text in the encodings that Japanese offices keep it in, as UTF-8. Used by the child. The converters are glibc's
 * (iconv(3)): they are opened before the child is confined, because opening loads their tables from files.
 */
#ifndef SEKISHO_INSPECT_ENCODING_H
#define SEKISHO_INSPECT_ENCODING_H

#include "policy/base/buf.h"

enum encoding {
	ENCODING_UTF8, /* ASCII too */
	ENCODING_UTF16LE,
	ENCODING_UTF16BE,
	ENCODING_UTF32LE,
	ENCODING_UTF32BE,
	ENCODING_CP932, /* Shift_JIS as Windows has it */
	ENCODING_EUC_JP,
	ENCODING_ISO2022_JP, /* of mail: also half-width kana */
	ENCODING_UNKNOWN,    /* none of these fits */
	ENCODINGS,
};

/* Opens the converters. To be called once, before there is a document. Those that this machine lacks are known as such.
 */
void encoding_prepare(void);

/*
 * Which it is: by its mark, else by what it can be without an error (UTF-8, ISO-2022-JP), else by which of CP932 and
 * EUC-JP reads as Japanese: kana and common characters against half-width kana and rare ones.
 */
enum encoding encoding_of(struct span text);

/*
 * Appends it as UTF-8; what is no character becomes U+FFFD. 0; V_NOT_FOUND where this machine has no converter for it;
 * V_FULL past the buffer's bound; -ENOMEM. `lost` (may be NULL): how many bytes were no characters.
 */
int encoding_to_utf8(enum encoding from, struct span text, struct buf *out, uint64_t *lost);

/* "utf-8", "cp932", ...; never NULL. */
const char *encoding_name(enum encoding e);

#endif

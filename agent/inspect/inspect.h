/*
 * Facts about a document that is to be printed: how many pages, in colour, for which paper, made by what, with personal
 * numbers in it or not. Asked by the print daemon; found by sekisho-inspect (main.c), which stands beside the program
 * that asks.
 *
 * A document is hostile. It is read by a child that was forked for it alone, has no file but the document and its
 * report, no network, no rights, bounded memory and processor time, and is ended when its time is up. What the child
 * says is checked like any bytes from outside. What it could not find out it says (struct inspect_gap); silence cannot
 * happen: whoever gets no facts gets a gap instead.
 *
 * The SHA-256 and the size are sent before anything of the document is looked into, so that a document that takes the
 * child over cannot change them.
 */
#ifndef SEKISHO_INSPECT_INSPECT_H
#define SEKISHO_INSPECT_INSPECT_H

#include "agent/inspect/find.h"
#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/trust/digest.h"

#define INSPECT_NAME_MAX 128    /* bytes of a generator or of a medium's name, escaped */
#define INSPECT_GAPS_MAX 8      /* more of them are counted, not kept */
#define INSPECT_PATTERNS_MAX 32 /* patterns of one question */
#define INSPECT_PATTERN_MAX 256 /* bytes of one */
#define INSPECT_KNOWN_MAX 64    /* known documents of one question */
#define INSPECT_KEY_SIZE 16     /* bytes of the key of fingerprints */
#define INSPECT_PRINT_SIZE 5    /* bytes of a fingerprint */
#define INSPECT_PRINTS_MAX 512  /* of one document */

/* What the bytes are, behind gzip and behind a PJL header. */
enum inspect_format {
	INSPECT_UNKNOWN,
	INSPECT_PDF,
	INSPECT_POSTSCRIPT,
	INSPECT_PWG_RASTER,
	INSPECT_CUPS_RASTER,
	INSPECT_APPLE_RASTER, /* image/urf */
	INSPECT_PCL,          /* PCL 3 to 5 */
	INSPECT_PCLXL,        /* PCL 6: not looked into */
	INSPECT_ESCP,         /* ESC/P, ESC/P-R: not looked into */
	INSPECT_ZJS,          /* ZjStream, XQX and their like (GDI printers): not looked into */
	INSPECT_JPEG,
	INSPECT_PNG,
	INSPECT_TIFF,
	INSPECT_TEXT,
	INSPECT_HTML,
	INSPECT_RTF,
	INSPECT_DOCX,
	INSPECT_XLSX,
	INSPECT_PPTX,
	INSPECT_OPENDOCUMENT,
	INSPECT_DOC, /* Word, Excel, PowerPoint of 1997 to 2003 */
	INSPECT_XLS,
	INSPECT_PPT,
	INSPECT_OLE,  /* another compound file: a message of Outlook, a locked office document */
	INSPECT_MAIL, /* RFC 5322 */
	INSPECT_ZIP,
	INSPECT_ARCHIVE,      /* 7z, tar, rar, cab, lha, and single files by gzip, bzip2, xz, zstd, lz4 */
	INSPECT_CUPS_COMMAND, /* maintenance of the printer, no document */
	INSPECT_EMPTY,
	INSPECT_FORMATS, /* how many there are */
};

enum inspect_color {
	INSPECT_COLOR_UNKNOWN,
	INSPECT_GREY,     /* nothing but black, white and grey was seen, everywhere */
	INSPECT_COLOR,    /* colour was seen */
	INSPECT_COLOR_OK, /* a colour space that can hold colour, what is in it was not looked at (photographs) */
};

enum inspect_duplex {
	INSPECT_DUPLEX_UNKNOWN, /* the document does not say */
	INSPECT_ONE_SIDED,
	INSPECT_LONG_EDGE,
	INSPECT_SHORT_EDGE,
};

enum inspect_flag {
	INSPECT_GZIP = 1 << 0,       /* was compressed; format and pages are those of what was inside */
	INSPECT_PJL = 1 << 1,        /* began with a PJL header */
	INSPECT_ENCRYPTED = 1 << 2,  /* protected, but can be read without a password */
	INSPECT_PASSWORD = 1 << 3,   /* cannot be read without one */
	INSPECT_IMAGE_ONLY = 1 << 4, /* has pages, none with a letter of text: a scan, or text made into a picture */
	INSPECT_DAMAGED = 1 << 5,    /* had to be repaired to be read; facts are those of the repaired document */
	INSPECT_TRUNCATED = 1 << 6,  /* ends before its end */
	INSPECT_CLAIMED = 1 << 7,    /* the pages are what the document says of itself, they could not be counted */
	INSPECT_MIXED = 1 << 8,      /* pages of several sizes; media and size are those of the first */
	INSPECT_TEXT_READ = 1 << 9,  /* the counts of text are of all pages (else a gap says why not) */
	INSPECT_OCR = 1 << 10,       /* text was read from pictures: all that are in it, where no gap is about them */
	INSPECT_FLAGS_END = 1 << 11,
};

/* What could not be found out, and why. */
enum inspect_what {
	INSPECT_ABOUT_ALL, /* nothing more than what stands in the other facts */
	INSPECT_ABOUT_PAGES,
	INSPECT_ABOUT_COLOR,
	INSPECT_ABOUT_TEXT,
	INSPECT_ABOUT_PICTURES, /* text in them, where it was asked for */
	INSPECT_WHATS,
};

enum inspect_cause {
	INSPECT_TOO_LONG = 1, /* the time was up */
	INSPECT_TOO_BIG,      /* memory, unpacked size or count of things went past the bound */
	INSPECT_DIED,         /* the child was ended by a signal or left without a word */
	INSPECT_NEEDS_PASSWORD,
	INSPECT_BROKEN,        /* the document is, so that it cannot be read on */
	INSPECT_NOT_LOOKED_AT, /* a format of which nothing but its name is known here */
	INSPECT_NOT_SAID,      /* the format does not tell (pages of a plain text) */
	INSPECT_NOT_READABLE,  /* the descriptor could not be read */
	INSPECT_BUSY,          /* too many documents at once; this one had to be left out */
	INSPECT_GONE,          /* the inspector is not there any more */
	INSPECT_CAUSES,
};

struct inspect_gap {
	enum inspect_what what;
	enum inspect_cause cause;
	char detail[96]; /* in words, escaped; may be empty */
};

/* How much of a known document is there. */
struct inspect_known_found {
	uint16_t prints; /* how many of its fingerprints */
	bool exact;      /* the very file, or one in an archive or a mail */
};

struct inspect_facts {
	uint64_t bytes; /* as they lie in the file; 0 with has_hash false where it could not be read */
	bool has_hash;
	struct digest hash;   /* of these bytes */
	uint64_t plain_bytes; /* after gunzip; otherwise the same */
	struct digest plain_hash;

	enum inspect_format format;
	unsigned flags; /* enum inspect_flag */
	bool has_pages;
	uint64_t pages;       /* that the document describes, once, before its own copies */
	uint64_t blank_pages; /* of these, pages without a mark: filters pad so (told by rasters only) */
	uint32_t copies;      /* that the document itself asks for; 0: it does not say */
	enum inspect_duplex duplex;
	enum inspect_color color;
	char media[INSPECT_NAME_MAX]; /* of the first page: a PWG name, or what the document calls it; may be empty */
	uint32_t width_um, height_um; /* of the first page, micrometres; 0: not known */
	char generator[INSPECT_NAME_MAX]; /* program that made it, as the document says; may be empty */

	bool my_number_named;                   /* the words for it (個人番号, マイナンバー, ...) are there */
	struct finding found[FIND_KINDS];       /* numbers of people and accounts */
	uint64_t matches[INSPECT_PATTERNS_MAX]; /* of each pattern of the question */
	struct inspect_known_found known[INSPECT_KNOWN_MAX]; /* of each known document of the question */

	unsigned gaps; /* how many there were; the first INSPECT_GAPS_MAX are kept */
	struct inspect_gap gap[INSPECT_GAPS_MAX];
	bool complete; /* nothing more will come */
};

/* A document that is known. Fingerprints are made by inspect_prints(). */
struct inspect_known_document {
	bool has_hash;
	struct digest hash;
	struct span prints; /* INSPECT_PRINT_SIZE bytes each; INSPECT_PRINTS_MAX at most; may be empty */
};
struct inspect_known;
/* For many questions, and all of their children. `n` up to INSPECT_KNOWN_MAX; nothing is kept of `list`. 0; V_BAD;
 * -errno. */
int inspect_known_new(const uint8_t key[INSPECT_KEY_SIZE], const struct inspect_known_document *list, unsigned n,
	struct inspect_known **out);
void inspect_known_free(struct inspect_known *known);
/* Of `prints` fingerprints so much was found, in percent: 100 for all, and for the very file. */
unsigned inspect_known_share(const struct inspect_known_found *found, size_t prints);

/*
 * Text in pictures, by tesseract, where its module is installed (ocr_engine.h). One inspector has so much time of a
 * processor for it, whoever asks: what is over it has a gap BUSY.
 */
struct inspect_ocr {
	uint32_t document_ms; /* for the pictures of one document, beyond its time_ms; 0: none is read */
	uint32_t hour_ms;     /* of processor time in an hour, for all of them together */
};

/* What is to be looked for, by policy. Zeroes ask for the facts without the text. */
struct inspect_ask {
	bool text;         /* look for personal numbers and patterns in the text */
	unsigned patterns; /* Perl-compatible expressions (pcre2pattern(3)), matched without regard to case */
	const char *const *pattern;
	const struct inspect_known *known; /* documents to be found; may be NULL */
	const uint8_t *prints_key; /* fingerprints of this document are to be made (inspect_prints); else NULL */
	struct inspect_ocr ocr;    /* only with `text` */
	uint32_t time_ms;          /* 0: 10,000. The child is ended after that; what it had found by then stands */
	uint64_t memory;           /* bytes that the child may use beside the document; 0: 512 MiB */
	uint64_t unpacked;         /* bytes that gzip may become; 0: 256 MiB */
};

struct inspect;
struct inspect_job;

/*
 * Starts the inspector: a process that waits, and forks for each document. To be called BEFORE the program takes its
 * keys and gives up its rights (it needs exec, and root to become the user sekisho-inspect). `path` is the program's;
 * NULL: sekisho-inspect beside the calling program. 0; V_NOT_FOUND where there is no such program or user; V_BAD where
 * it did not come up; -errno.
 */
int inspect_start(const char *path, struct inspect **out, struct why *why);
/* Ends it, and with it what is still being inspected. NULL is fine. */
void inspect_stop(struct inspect *in);
/* Has it ended by itself, or was it killed? Nothing will be looked into any more then. */
bool inspect_is_gone(const struct inspect *in);

/*
 * Says that questions with `ocr` will come: the model is loaded now, and not while the first document waits for it.
 * Once is enough, more does no harm. Never waits; where it cannot be said the first question loads it.
 */
void inspect_prepare_ocr(struct inspect *in);

/*
 * Begins with a document: any open descriptor that can be read, at any offset (a file is mapped, from its start to its
 * end; a pipe is drained up to `unpacked` bytes). The caller keeps it and may close it at once. Never waits.
 * 0; V_FULL where too many wait already (facts with the gap BUSY can be had from inspect_nothing); V_BAD where a
 * pattern is none (`why` says where); -EPIPE where the inspector is gone: the program should end and be started again.
 */
int inspect_begin(
	struct inspect *in, int document, const struct inspect_ask *ask, struct inspect_job **out, struct why *why);
/* To be waited for with poll(2), POLLIN; belongs to the job. */
int inspect_job_fd(const struct inspect_job *job);
/* Takes in what has come. 0: the facts are complete; V_AGAIN: more will come. Never fails: see gaps. */
int inspect_job_step(struct inspect_job *job);
/* What is known so far; changes with each step, belongs to the job. */
const struct inspect_facts *inspect_job_facts(const struct inspect_job *job);
/* Ends the job; the child too if it is not done. NULL is fine. */
void inspect_job_free(struct inspect_job *job);

/* All of it at once, for who can wait. `facts` are always filled. 0, V_FULL, V_BAD, -EPIPE as above. */
int inspect_document(
	struct inspect *in, int document, const struct inspect_ask *ask, struct inspect_facts *facts, struct why *why);

/*
 * Makes the fingerprints of a document's text, with INSPECT_KEY_SIZE bytes of key: appends INSPECT_PRINT_SIZE bytes
 * each to `prints`, none where it has too little text. As inspect_document otherwise.
 */
int inspect_prints(struct inspect *in, int document, const uint8_t *key, uint32_t time_ms, struct buf *prints,
	struct inspect_facts *facts, struct why *why);

/* Facts of which nothing is known but why. */
void inspect_nothing(struct inspect_facts *facts, enum inspect_cause cause, const char *detail);

/* "pdf", "pwg-raster", ... for records; "grey", "color", ...; MIME type; never NULL. */
const char *inspect_format_name(enum inspect_format format);
const char *inspect_color_name(enum inspect_color color);
const char *inspect_duplex_name(enum inspect_duplex duplex); /* as IPP's sides; "" where not known */
/* Was all of its text read, that of its pictures included where it is nothing else? */
bool inspect_text_read(const struct inspect_facts *facts);
/* Flags and gaps in one line, for the record's note: "image-only, damaged; pages: not-said (plain text)". */
int inspect_findings(const struct inspect_facts *facts, struct buf *out);
/* Numbers that were found: "my-number 30 (**********18), card 0 to 1": what is sure, one of them masked, what it may
 * be. */
int inspect_numbers(const struct inspect_facts *facts, struct buf *out);

DEFINE_CLEANUP(struct inspect *, inspect_stop)
DEFINE_CLEANUP(struct inspect_job *, inspect_job_free)
DEFINE_CLEANUP(struct inspect_known *, inspect_known_free)

#endif

/*
 * Text in pictures, for the parsers: they say where a picture is, and what is read in it goes where all text goes
 * (look_counts). Every picture that was not read to its end is a gap about pictures. The module that reads is another's
 * (ocr_engine.h); it is opened by the inspector (serve.c), once.
 */
#ifndef SEKISHO_INSPECT_OCR_H
#define SEKISHO_INSPECT_OCR_H

#include "agent/inspect/look.h"
#include "agent/inspect/ocr_engine.h"

/* What the inspector and a child share, so that time that a killed child took is counted too. Microseconds. */
struct ocr_meter {
	uint64_t used; /* processor time of pictures that are done */
	uint64_t from; /* of the child, when the present picture began, and 1; 0: there is none */
};

/* Of one document. */
struct ocr_use {
	uint32_t left_ms;
	bool busy; /* none was granted: others had it */
	struct ocr_meter *meter;
};

/*
 * Opens the module and loads its model, at the first call; answers the same from then on. 0; V_NOT_FOUND where it is
 * not installed, or cannot be used: then each picture is a gap that says so. Opens files, which a child cannot.
 */
int ocr_prepare(void);

/* A file: PNG, JPEG, TIFF with all its pages. `name`: where it is, in words; ours, or escaped. */
void ocr_file(struct look *l, struct span file, const char *name);
/* 8 bits a dot, 255 is white. */
void ocr_grey(struct look *l, const uint8_t *dots, uint32_t width, uint32_t height, size_t stride, const char *name);
/* One that is there and cannot be shown to the module. */
void ocr_missed(struct look *l, enum inspect_cause cause, const char *name);

#endif

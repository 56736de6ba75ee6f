/*
 * Answers of CUPS as JSON: attributes become members by their names, several values one text with commas, text that is
 * not UTF-8 is escaped, what is no number, text or boolean is left out. Used by ipp.c only.
 */
#ifndef SEKISHO_PRINT_IPP_JSON_H
#define SEKISHO_PRINT_IPP_JSON_H

#include <cups/cups.h>
#include <jansson.h>

/* Calls `fn`, which owns what it gets, for each group of that kind in the answer. How many. */
int ipp_each_group(ipp_t *answer, ipp_tag_t group, int (*fn)(void *ctx, json_t *o), void *ctx);

#endif

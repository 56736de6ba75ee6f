/*
 * What the writer and the readers of index/<month>.db agree on.
 */
#ifndef SEKISHO_STORE_MONTH_H
#define SEKISHO_STORE_MONTH_H

#include <stdint.h>

#define MONTH_VERSION 5
/* Until then names were not found by their last component. Such a file is read and written on as it is. */
#define MONTH_VERSION_LEAST 4
#define MONTHS_MAX 240u
/* Segments that span more time are few, and are looked at for every question about time. */
#define MONTH_LONG_US UINT64_C(86400000000)
/* So many leaves (a power of two) are a zone: between which times its records lie stands in one row. */
#define ZONE_BITS 8
/* A row's number: its leaf, then its place in the segment, from 1. */
#define ROW_BITS 15
#define ROW_OF(leaf, i) ((uint64_t)(leaf) << ROW_BITS | ((uint64_t)(i) + 1))

/* The months that have an index file, ascending. 0, -errno. */
int months_list(const char *dir, char out[MONTHS_MAX][8], unsigned *n);

#endif

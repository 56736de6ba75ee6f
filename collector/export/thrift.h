/*
 * Apache Thrift's compact protocol (thrift-compact-protocol.md), as far as Parquet's metadata need it, written only.
 * The first failure stays in `r`, and everything after it does nothing, so that a caller asks once, at the end.
 */
#ifndef SEKISHO_EXPORT_THRIFT_H
#define SEKISHO_EXPORT_THRIFT_H

#include "policy/base/buf.h"

#define THRIFT_DEPTH_MAX 8u

/* Types of elements of lists, and of fields. */
enum thrift_type { THRIFT_I32 = 5, THRIFT_I64 = 6, THRIFT_BINARY = 8, THRIFT_LIST = 9, THRIFT_STRUCT = 12 };

/* Zero but for `out`, which is borrowed; it stands within a struct, the outermost one, which thrift_end ends. */
struct thrift {
	struct buf *out;
	unsigned last[THRIFT_DEPTH_MAX], depth; /* number of the field before, in each struct that is open */
	int r;                                  /* 0; V_FULL, -ENOMEM */
};

/* A field of the struct that is open; `id` is larger than that of the field before. */
void thrift_bool(struct thrift *t, unsigned id, bool v);
void thrift_i8(struct thrift *t, unsigned id, int8_t v);
void thrift_i32(struct thrift *t, unsigned id, int32_t v);
void thrift_i64(struct thrift *t, unsigned id, int64_t v);
void thrift_binary(struct thrift *t, unsigned id, struct span s);
void thrift_struct(struct thrift *t, unsigned id); /* until thrift_end */
void thrift_list(struct thrift *t, unsigned id, enum thrift_type of, size_t n);

/* An element of a list that was begun. */
void thrift_item_i32(struct thrift *t, int32_t v);
void thrift_item_binary(struct thrift *t, struct span s);
void thrift_item_struct(struct thrift *t); /* until thrift_end */

void thrift_end(struct thrift *t);

#endif

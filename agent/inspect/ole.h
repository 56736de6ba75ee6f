/*
 * Text of the streams of Office 97 to 2003. Used by ole.c. All read by the formats as Microsoft publishes them; a
 * stream that does not keep to them is a gap ("broken").
 */
#ifndef SEKISHO_INSPECT_OLE_H
#define SEKISHO_INSPECT_OLE_H

#include "agent/inspect/container.h"
#include "agent/inspect/encoding.h"

/* MS-DOC: "0Table" or "1Table", as the head of the main stream says. */
const char *doc_table_name(struct span main);
/* Its pieces of text. 0; V_DENIED where it is locked by a password. */
int doc_read(struct look *l, struct span main, struct span table);
/* MS-XLS: rows of all sheets. 0; V_DENIED. */
int xls_read(struct look *l, struct span book);
/* MS-PPT: atoms of text. */
void ppt_read(struct look *l, struct span slides);

#endif

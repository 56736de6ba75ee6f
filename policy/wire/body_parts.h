/*
 * Numbers that the writer and the reader of bodies share. They travel: never reuse one.
 */
#ifndef SEKISHO_WIRE_BODY_PARTS_H
#define SEKISHO_WIRE_BODY_PARTS_H

#define ITEM_KEY 0 /* what an item is, where it is no record */
#define ITEM_CLOCK 1
#define ITEM_SUBJECT 2
#define CLOCK_WALL 1
#define CLOCK_BOOT 2
#define KEY_SUBJECT 9 /* number of the subject, in a record item */

#define SUBJECT_FIRST 10
#define SUBJECT_LAST 29

#endif

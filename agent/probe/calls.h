/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a system call is to the tracepoint set: the loader writes these into a table by the call's number on this
 * architecture (calls.c), the kernel programs read them. The low byte is the KIND_* of the record, where there is one.
 */
#ifndef SEKISHO_PROBE_CALLS_H
#define SEKISHO_PROBE_CALLS_H

#define CALL_NONE 0
#define CALL_KIND 0xffu
#define CALL_AT 0x100u    /* takes a folder's descriptor before the name */
#define CALL_FLAGS 0x200u /* renameat2: has flags */
#define CALL_FD 0x400u    /* is about an open file, and takes no name */
/* Calls that need no kind. */
#define CALL_SENDFILE 0x10000u
#define CALL_SPLICE 0x20000u
#define CALL_FTRUNCATE 0x30000u
#define CALL_FALLOCATE 0x40000u
#define CALL_MOUNT 0x50000u
#define CALL_UMOUNT 0x60000u
#define CALL_MOVE_MOUNT 0x70000u
#define CALL_PIVOT 0x80000u
/* Where the flags of open(2) are. */
#define CALL_OPEN 0x90000u
#define CALL_OPENAT 0xa0000u
#define CALL_OPENAT2 0xb0000u
#define CALL_CREAT 0xc0000u
#define CALL_COPY_RANGE 0xd0000u
#define CALL_OPEN_HANDLE 0xe0000u

#endif

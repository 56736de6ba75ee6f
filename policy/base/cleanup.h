/*
 * Scope-bound ownership: what a variable owns is released where the variable ends.
 *
 * Used by every room. A pointer that owns is declared with _cleanup_(x_freep) at its declaration and set to NULL or to
 * a value at once; ownership leaves the scope only through STEAL(). Destructors accept NULL and half-built objects.
 */
#ifndef SEKISHO_BASE_CLEANUP_H
#define SEKISHO_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Defines `func##p`, which releases a pointer variable of type `type` by `func`, for use with _cleanup_. */
#define DEFINE_CLEANUP(type, func)          \
	static inline void func##p(type *v) \
	{                                   \
		if (*v) {                   \
			func(*v);           \
			*v = NULL;          \
		}                           \
	}

/* Takes the value out of an owning variable: the variable becomes NULL, the caller becomes the owner. */
#define STEAL(v)                             \
	__extension__({                      \
		__typeof__(v) stolen_ = (v); \
		(v) = NULL;                  \
		stolen_;                     \
	})

/* The same for a file descriptor; the variable becomes -1. */
static inline int steal_fd(int *fd)
{
	int r = *fd;
	*fd = -1;
	return r;
}

static inline void freep(void *v)
{
	free(*(void **)v);
	*(void **)v = NULL;
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

DEFINE_CLEANUP(FILE *, fclose)
DEFINE_CLEANUP(DIR *, closedir)

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)
#define _cleanup_closedir_ _cleanup_(closedirp)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif

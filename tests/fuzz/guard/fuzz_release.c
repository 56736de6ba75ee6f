/* The file that the guard keeps of releases, whatever it holds: read or laid aside, and what is kept then is read again
 * as it is. */
#include "agent/guard/release.h"
#include "policy/base/file.h"
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory: each input is flushed several times. */
static char folder[] = "/dev/shm/sekisho-fuzz-release-XXXXXX";
static char path[64], aside[64];
static struct key *pc;

static void leave(void)
{
	unlink(path);
	unlink(aside);
	rmdir(folder);
	key_free(pc);
}

static bool nobody(void *ctx, uint64_t plugging)
{
	(void)ctx;
	(void)plugging;
	return false;
}

static void on_end(void *ctx, const struct release_grant *g, bool here)
{
	(void)ctx;
	(void)here;
	if (strlen(g->code) >= sizeof(g->code) || g->access > ACCESS_READ_WRITE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct release *r = NULL;
	struct why why = {""};

	if (!pc) {
		if (!mkdtemp(folder) || key_new(KEY_P256, &pc))
			abort();
		snprintf(path, sizeof(path), "%s/release", folder);
		snprintf(aside, sizeof(aside), "%s/release.bad", folder);
		atexit(leave);
	}
	if (file_replace_volatile(path, SPAN(data, size), 0600) || release_new(folder, pc, &r, &why))
		abort();
	release_expire(r, 1, nobody, on_end, NULL);
	release_free(r);
	r = NULL;
	why.text[0] = 0;
	/* Whatever it was: it is whole from then on. */
	if (release_new(folder, pc, &r, &why) || why.text[0])
		abort();
	release_free(r);
	return 0;
}

/*
 * The main of a fuzz target where no fuzzer is built in: runs every file of a corpus folder through it, and each of its
 * truncations and some single-bit changes, so that an ordinary test run covers the neighbourhood of every known input.
 */
#include "policy/base/file.h"
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A fresh heap copy of exact size: a read past its end is then seen by AddressSanitizer and valgrind. */
static void run(const uint8_t *p, size_t n)
{
	_cleanup_free_ uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	if (n)
		memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
}

int main(int argc, char **argv)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	unsigned files = 0;

	if (argc != 2 || !(dir = opendir(argv[1]))) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	while ((e = readdir(dir))) {
		_cleanup_buf_ struct buf b = BUF_INIT(16u << 20);
		size_t step, i;

		if (e->d_name[0] == '.')
			continue;
		if (file_read_at(dirfd(dir), e->d_name, &b)) {
			fprintf(stderr, "%s/%s: cannot be read\n", argv[1], e->d_name);
			return 1;
		}
		run(b.p, b.n);
		step = b.n / 512 + 1;
		for (i = 0; i < b.n; i += step) {
			run(b.p, i);
			b.p[i] ^= (uint8_t)(1u << (i % 8));
			run(b.p, b.n);
			b.p[i] ^= (uint8_t)(1u << (i % 8));
		}
		files++;
	}
	printf("%u files replayed\n", files);
	return files ? 0 : 1;
}

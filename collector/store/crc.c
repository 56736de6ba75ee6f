/*
 * CRC-32C by the processor's own instruction where there is one, by a table of 256 elsewhere. Called for every frame
 * that is written to or read from a pack.
 */
#include "collector/store/crc.h"

#define POLYNOMIAL 0x82f63b78u /* reflected */

static uint32_t by_table(uint32_t crc, const uint8_t *p, size_t n)
{
	static uint32_t table[256];
	size_t i;

	if (!table[1])
		for (i = 0; i < ARRAY_SIZE(table); i++) {
			uint32_t v = (uint32_t)i;
			unsigned bit;

			for (bit = 0; bit < 8; bit++)
				v = v >> 1 ^ (v & 1 ? POLYNOMIAL : 0);
			table[i] = v;
		}
	while (n--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t crc, const uint8_t *p, size_t n)
{
	uint64_t v = crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		v = __builtin_ia32_crc32di(v, word);
	}
	crc = (uint32_t)v;
	while (n--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#endif

uint32_t crc32c(struct span s)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~by_processor(~0u, s.p, s.n);
#endif
	return ~by_table(~0u, s.p, s.n);
}

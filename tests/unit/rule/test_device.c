/*
 * Devices by their descriptors: fingerprints that another program computed in another language
 * (tests/verify/fingerprints.py), kinds by interface classes.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/rule/device.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

static size_t unhex(const char *hex, uint8_t *out, size_t room)
{
	size_t n = strcmp(hex, "-") != 0 ? strlen(hex) / 2 : 0;

	assert_true(n <= room);
	if (n)
		assert_int_equal(hex_decode(hex, out, n), 0);
	return n;
}

static void text(const char *hex, char out[DEVICE_TEXT_SIZE])
{
	out[unhex(hex, (uint8_t *)out, DEVICE_TEXT_SIZE - 1)] = 0;
}

static void fingerprints_are_those_of_another_program(void **state)
{
	struct buf golden = BUF_INIT(1 << 20);
	char *line, *save = NULL, *part[5], *inner = NULL;
	unsigned good = 0, malformed = 0, i;

	(void)state;
	assert_int_equal(file_read(TEST_DATA "/fingerprints", &golden), 0);
	assert_non_null(buf_str(&golden));
	for (line = strtok_r((char *)golden.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint8_t raw[2048];
		struct device d = {.usb = true}, before;
		struct digest want;
		struct why why;
		size_t n;
		int r;

		for (i = 0; i < 5; i++)
			assert_non_null(part[i] = strtok_r(i ? NULL : line, " ", &inner));
		n = unhex(part[0], raw, sizeof(raw));
		text(part[1], d.vendor_name);
		text(part[2], d.product_name);
		text(part[3], d.serial);
		before = d;
		r = device_read_descriptors(&d, SPAN(raw, n), &why);
		if (!strcmp(part[4], "malformed")) {
			assert_int_equal(r, V_BAD);
			assert_memory_equal(&d, &before, sizeof(d));
			malformed++;
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(hex_decode(part[4], want.b, DIGEST_SIZE), 0);
		if (!d.has_fingerprint || !digest_eq(&d.fingerprint, &want))
			fail_msg("another fingerprint: %s", part[0]);
		good++;
	}
	assert_true(good > 150 && malformed > 10);
	buf_deinit(&golden);
}

static void kinds_are_what_interfaces_say(void **state)
{
	static const struct {
		struct device_interface i;
		unsigned kind;
	} cases[] = {
		{{.class = 8, .subclass = 6, .protocol = 0x50}, DEVICE_KIND_STORAGE},
		{{.class = 8, .subclass = 6, .protocol = 0x62}, DEVICE_KIND_STORAGE},
		{{.class = 3, .subclass = 1, .protocol = 1}, DEVICE_KIND_HID},
		{{.class = 9}, DEVICE_KIND_HUB},
		{{.class = 6, .subclass = 1, .protocol = 1}, DEVICE_KIND_PHONE},
		{{.class = 0xff, .subclass = 0x42, .protocol = 1}, DEVICE_KIND_PHONE},
		{{.class = 0xff, .subclass = 0xfe, .protocol = 2}, DEVICE_KIND_PHONE},
		{{.class = 2, .subclass = 6}, DEVICE_KIND_NETWORK},
		{{.class = 2, .subclass = 0x0d}, DEVICE_KIND_NETWORK},
		{{.class = 2, .subclass = 2, .protocol = 1}, DEVICE_KIND_SERIAL},
		{{.class = 0xe0, .subclass = 1, .protocol = 3}, DEVICE_KIND_NETWORK},
		{{.class = 0xef, .subclass = 4, .protocol = 1}, DEVICE_KIND_NETWORK},
		{{.class = 0xe0, .subclass = 1, .protocol = 1}, DEVICE_KIND_BLUETOOTH},
		{{.class = 7}, DEVICE_KIND_PRINTER},
		{{.class = 1}, DEVICE_KIND_AUDIO},
		{{.class = 0x0e}, DEVICE_KIND_VIDEO},
		{{.class = 0x0b}, DEVICE_KIND_SMARTCARD},
		{{.class = 0xff}, DEVICE_KIND_VENDOR},
		{{.class = 0xfe}, DEVICE_KIND_OTHER},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(device_kinds_of(&cases[i].i) == 1ull << cases[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fingerprints_are_those_of_another_program),
		cmocka_unit_test(kinds_are_what_interfaces_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Seals what a guard tells of devices that are plugged in, by the sealer and with the facts that the guard uses, for
 * stores of tests:
 *
 *   plugs DEVICE.KEY SPOOL <LINES    a line: usb id, maker, product, serial, interfaces, user; separated by bars
 *
 * A line that begins with "kind=" is a record of any kind instead: NAME=VALUE by the names of the field table, values
 * without a name as numbers, times in microseconds (`time=`; else it is now).
 */
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/spool.h"
#include <stdio.h>
#include <stdlib.h>

static void set_named(struct record *r, char *cell)
{
	const char *name = strsep(&cell, "=");
	unsigned f = field_by_name(name);
	const struct enum_info *e = f && cell && field_table[f].type == T_ENUM ? enum_by_name(f, cell) : NULL;

	if (!f || !cell || (field_table[f].type == T_ENUM && !e && (*cell < '0' || *cell > '9'))) {
		fprintf(stderr, "plugs: %s\n", name);
		exit(2);
	}
	if (e)
		record_set_uint(r, f, e->value);
	else if (field_table[f].type == T_UINT || field_table[f].type == T_ENUM)
		record_set_uint(r, f, strtoull(cell, NULL, 10));
	else if (field_table[f].type == T_TIME)
		record_set_int(r, f, strtoll(cell, NULL, 10));
	else
		record_set_str(r, f, cell);
}

static int seal_named(struct sealer *s, char *line)
{
	struct record r;
	char *cell;

	record_reset(&r);
	record_set_int(&r, F_TIME, clock_wall_us());
	record_set_int(&r, F_BOOT_TIME, clock_boot_us());
	while ((cell = strsep(&line, "|")))
		set_named(&r, cell);
	return sealer_put(s, &r, false);
}

static int seal(struct sealer *s, char *line)
{
	static const unsigned fields[] = {F_USB_ID, F_MAKER, F_PRODUCT, F_SERIAL, F_INTERFACES, F_USER};
	struct digest fingerprint;
	struct record r;
	char *cell;
	size_t i;

	line[strcspn(line, "\n")] = 0;
	if (!strncmp(line, "kind=", strlen("kind=")))
		return seal_named(s, line);
	digest_span(&fingerprint, SPAN_STR(line));
	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_PLUG);
	record_set_int(&r, F_TIME, clock_wall_us());
	record_set_int(&r, F_BOOT_TIME, clock_boot_us());
	record_set_span(&r, F_FINGERPRINT, SPAN(fingerprint.b, DIGEST_SIZE));
	for (i = 0; i < ARRAY_SIZE(fields) && (cell = strsep(&line, "|")); i++)
		if (*cell)
			record_set_str(&r, fields[i], cell);
	return sealer_put(s, &r, false);
}

int main(int argc, char **argv)
{
	_cleanup_(key_freep) struct key *device = NULL;
	_cleanup_(sealer_freep) struct sealer *s = NULL;
	struct sealer_options o = {.producer = PRODUCER_GUARD,
		.bound = 256u << 20,
		.idle_us = 900000000,
		.seal_us = 15000000,
		.epoch_us = 86400000000};
	struct why why = {""};
	char line[1024];
	int r;

	if (argc != 3)
		return 2;
	o.spool_dir = argv[2];
	r = key_load(argv[1], &device, &why);
	o.device = device;
	r = r ? r : sealer_new(&o, &s, &why);
	while (!r && fgets(line, sizeof(line), stdin))
		r = seal(s, line);
	r = r ? r : sealer_flush(s, true);
	if (r)
		fprintf(stderr, "plugs: %d %s\n", r, why.text);
	return r != 0;
}

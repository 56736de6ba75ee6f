/*
 * What a decision costs with a large ledger, beside a plain scan of the same rows in the same run: bench_policy ROWS
 * DECISIONS. One line of JSON: microseconds a decision for a device that is listed, one that is not, and the scan;
 * milliseconds to load and to check.
 */
#include "policy/base/clock.h"
#include "policy/rule/policy.h"
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

static struct device stick(unsigned i)
{
	struct device d = {
		.usb = true, .vendor = 0x0951, .product = (uint16_t)(i % 50), .kinds = 1u << DEVICE_KIND_STORAGE};

	snprintf(d.serial, sizeof(d.serial), "60A44C413E%08u", i);
	return d;
}

/* The peer: every row, one after the other, as a first program would do it. */
static unsigned scan(const struct policy *p, const struct device *d)
{
	unsigned i, access = 0, n = policy_rows_n(p);
	struct ledger_row row;

	for (i = 0; i < n; i++) {
		policy_row(p, i, &row);
		if ((row.has_vendor && row.vendor != d->vendor) || (row.has_product && row.product != d->product))
			continue;
		if (row.serial[0] && fnmatch(row.serial, d->serial, 0) != 0)
			continue;
		access = !access || row.access < access ? row.access : access;
	}
	return access;
}

static double decide(const struct policy *p, unsigned first, unsigned of, unsigned n, unsigned *sum)
{
	static const char *const nobody[] = {NULL};
	const struct device_user who = {.groups = nobody, .host = "ws-1", .wall_us = clock_wall_us()};
	int64_t begin = clock_boot_us();
	unsigned i;

	for (i = 0; i < n; i++) {
		struct device d = stick(first + i * 7919 % of);
		struct decision out;

		policy_decide(p, &d, DEVICE_KIND_STORAGE, &who, &out);
		*sum += out.access;
	}
	return (double)(clock_boot_us() - begin) / n;
}

int main(int argc, char **argv)
{
	unsigned rows = argc > 1 ? (unsigned)atoi(argv[1]) : POLICY_ROWS_MAX,
		 n = argc > 2 ? (unsigned)atoi(argv[2]) : 20000;
	struct buf csv = BUF_INIT(POLICY_CSV_MAX);
	struct policy *p = NULL;
	struct why why = {""};
	unsigned i, sum = 0, plain = 0, scans = n / 100 + 1;
	double listed, unlisted, scanned;
	int64_t begin, loaded, checked;

	if (buf_puts(&csv, "vendor,product,serial,access\n"))
		return 1;
	for (i = 0; i < rows; i++)
		if (buf_putf(&csv, "0951,%04x,60A44C413E%08u,%s\n", i % 50, i, i % 3 ? "read-write" : "deny"))
			return 1;
	begin = clock_boot_us();
	if (policy_load(SPAN_STR("version: 1\n"), buf_span(&csv), &p, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	loaded = clock_boot_us() - begin;
	begin = clock_boot_us();
	policy_check(p, clock_wall_us(), NULL, NULL);
	checked = clock_boot_us() - begin;
	listed = decide(p, 0, rows, n, &sum);
	unlisted = decide(p, rows, rows, n, &sum);
	begin = clock_boot_us();
	for (i = 0; i < scans; i++) {
		struct device d = stick(i * 7919 % rows);

		plain += scan(p, &d);
	}
	scanned = (double)(clock_boot_us() - begin) / scans;
	printf("{\"rows\": %u, \"decision_listed_us\": %.3f, \"decision_unlisted_us\": %.3f, \"plain_scan_us\": %.3f, "
	       "\"load_ms\": %.1f, \"check_ms\": %.1f}\n",
		rows, listed, unlisted, scanned, (double)loaded / 1000, (double)checked / 1000);
	policy_free(p);
	buf_deinit(&csv);
	return sum && plain ? 0 : 1;
}

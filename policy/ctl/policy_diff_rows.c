/*
 * Rows of two ledgers, by the device that they are for. See policy_diff_parts.h.
 */
#include "policy/ctl/policy_diff_parts.h"
#include <errno.h>

struct rows_of {
	struct row_text *list;
	unsigned n;
};

static void rows_of_deinit(struct rows_of *r)
{
	unsigned i;

	for (i = 0; i < r->n; i++) {
		free(r->list[i].key);
		free(r->list[i].text);
	}
	free(r->list);
}

static int by_key_and_text(const void *a, const void *b)
{
	const struct row_text *x = a, *y = b;
	int r = strcmp(x->key, y->key);

	r = r ? r : strcmp(x->text, y->text);
	return r ? r : (int)x->row.line - (int)y->row.line;
}

static int row_texts(struct row_text *t)
{
	struct ledger_row key = {LEDGER_ROW_BLANK};
	_cleanup_buf_ struct buf text = BUF_INIT(POLICY_TEXT_MAX), short_text = BUF_INIT(POLICY_TEXT_MAX);
	int r = ledger_put(&text, &t->row);

	key.has_vendor = t->row.has_vendor;
	key.has_product = t->row.has_product;
	key.vendor = t->row.vendor;
	key.product = t->row.product;
	key.has_fingerprint = t->row.has_fingerprint;
	key.fingerprint = t->row.fingerprint;
	key.serial = t->row.serial;
	r = r ? r : ledger_put(&short_text, &key);
	if (r || !buf_str(&text) || !buf_str(&short_text))
		return r ? r : -ENOMEM;
	text.p[text.n - 2] = 0; /* without its CRLF */
	t->text = strdup((const char *)text.p);
	t->key = strdup((const char *)short_text.p);
	return t->text && t->key ? 0 : -ENOMEM;
}

static int rows_of_init(const struct policy *p, struct rows_of *out)
{
	unsigned n = policy_rows_n(p);
	int r = 0;

	out->list = calloc(n + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	while (out->n < n && !r) {
		policy_row(p, out->n, &out->list[out->n].row);
		r = row_texts(&out->list[out->n]);
		out->n++;
	}
	if (!r)
		qsort(out->list, out->n, sizeof(*out->list), by_key_and_text);
	return r;
}

static void mark_same(struct rows_of *a, struct rows_of *b)
{
	unsigned i = 0, k = 0;

	while (i < a->n && k < b->n) {
		int order = strcmp(a->list[i].key, b->list[k].key);

		order = order ? order : strcmp(a->list[i].text, b->list[k].text);
		if (!order)
			a->list[i].same = b->list[k].same = true;
		i += order <= 0;
		k += order >= 0;
	}
}

static json_t *row_json(const char *change, const struct row_text *from, const struct row_text *to)
{
	const struct row_text *either = to ? to : from;
	const struct ledger_row *row = &either->row;
	char id[16] = "";
	json_t *o;

	if (row->has_vendor)
		snprintf(id, sizeof(id), row->has_product ? "%04x:%04x" : "%04x:*", row->vendor, row->product);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "change", change, "usb_id", id, "serial", row->serial, "owner",
		row->owner, "label", row->label);
	if (from) {
		json_object_set_new(o, "from", json_string(from->text));
		json_object_set_new(o, "from_line", json_integer(from->row.line));
	}
	if (to) {
		json_object_set_new(o, "to", json_string(to->text));
		json_object_set_new(o, "to_line", json_integer(to->row.line));
	}
	return o;
}

/* The rows of one device, in both ledgers: what is the same is left out, one on each side is a change. */
static int diff_group(const struct row_text *a, unsigned a_n, const struct row_text *b, unsigned b_n, json_t *list)
{
	unsigned i = 0, k = 0;
	int r = 0;

	while (!r) {
		while (i < a_n && a[i].same)
			i++;
		while (k < b_n && b[k].same)
			k++;
		if (i == a_n && k == b_n)
			return 0;
		r = list_add(list, row_json(i == a_n   ? "added"
					    : k == b_n ? "removed"
						       : "changed",
					   i < a_n ? &a[i] : NULL, k < b_n ? &b[k] : NULL));
		i += i < a_n;
		k += k < b_n;
	}
	return r;
}

static unsigned group_size(const struct rows_of *r, unsigned at, const char *key)
{
	unsigned n = 0;

	while (at + n < r->n && !strcmp(r->list[at + n].key, key))
		n++;
	return n;
}

/* Rows and devices, in the order of their keys: each device once, whichever ledger has it. */
int diff_ledgers(const struct policy *from, const struct policy *to, const struct device_user *who, json_t *rows,
	json_t *devices)
{
	_cleanup_(rows_of_deinit) struct rows_of a = {.n = 0}, b = {.n = 0};
	unsigned i = 0, k = 0;
	int r = rows_of_init(from, &a);

	r = r ? r : rows_of_init(to, &b);
	if (r)
		return r;
	mark_same(&a, &b);
	while (!r && (i < a.n || k < b.n)) {
		const char *key = i == a.n                                    ? b.list[k].key
				  : k == b.n                                  ? a.list[i].key
				  : strcmp(a.list[i].key, b.list[k].key) <= 0 ? a.list[i].key
									      : b.list[k].key;
		unsigned a_n = group_size(&a, i, key), b_n = group_size(&b, k, key);

		r = diff_group(a.list + i, a_n, b.list + k, b_n, rows);
		r = r ? r : diff_decisions(from, to, a.list + i, a_n, b.list + k, b_n, who, devices);
		i += a_n;
		k += b_n;
	}
	return r;
}

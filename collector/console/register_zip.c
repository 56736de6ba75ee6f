/*
 * A handling register with its enclosures: the PDF, the contractors' proofs that it names, as they were filed, and the
 * SHA-256 of each, as sha256sum -c reads them. Whoever gets it has all of the evidence in their hands; that nothing was
 * exchanged in between, the records in the log say, which have the same hashes.
 */
#include "collector/console/register.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/exhibit/exhibit.h"
#include <ctype.h>
#include <errno.h>

#define PROOFS_MAX 500u /* that go along; the others are said to be missing */
#define NAME_SIZE 64
#define EXTENSION_MAX 5u

struct register_zip {
	struct registering *g;
	struct exhibit_writer *writer;
	struct buf pdf, sums, missing;
	struct enclosed {
		struct digest hash;
		char name[NAME_SIZE];
	} proofs[PROOFS_MAX];
	unsigned n, at;
	bool has_pdf;
	char last[NAME_SIZE];
};

static int take_bytes(void *ctx, struct span bytes)
{
	struct registering *g = ctx;

	return buf_put_span(&g->out, bytes);
}

int register_zip_new(struct registering *g, struct register_zip **out)
{
	struct register_zip *z = calloc(1, sizeof(*z));

	if (!z)
		return -ENOMEM;
	z->g = g;
	z->pdf = BUF_INIT(REGISTER_PDF_MAX);
	z->sums = BUF_INIT(1u << 20);
	z->missing = BUF_INIT(4u << 20);
	if (exhibit_writer_new(take_bytes, g, clock_wall_us(), &z->writer)) {
		register_zip_free(z);
		return -ENOMEM;
	}
	*out = z;
	return 0;
}

void register_zip_free(struct register_zip *z)
{
	if (!z)
		return;
	exhibit_writer_free(z->writer);
	buf_deinit(&z->pdf);
	buf_deinit(&z->sums);
	buf_deinit(&z->missing);
	free(z);
}

int register_zip_page(struct register_zip *z, struct span bytes)
{
	return buf_put_span(&z->pdf, bytes);
}

const char *register_zip_name(const struct register_zip *z)
{
	return z->last;
}

/* ".pdf" of the name that it was filed under: letters and digits alone, or nothing. */
static void extension_of(struct span name, char out[EXTENSION_MAX + 2])
{
	size_t i = name.n, k;

	out[0] = 0;
	while (i && name.p[i - 1] != '.')
		i--;
	if (!i || i == name.n || name.n - i > EXTENSION_MAX)
		return;
	for (k = i; k < name.n; k++)
		if (name.p[k] >= 0x80 || !isalnum(name.p[k]))
			return;
	snprintf(out, EXTENSION_MAX + 2, ".%.*s", (int)(name.n - i), (const char *)name.p + i);
}

static int miss(struct register_zip *z, const char *name, const char *why)
{
	return buf_putf(&z->missing, "%s  %s\r\n", name, why);
}

int register_zip_proof(struct register_zip *z, const struct record *r, uint64_t row)
{
	char extension[EXTENSION_MAX + 2], hex[2 * DIGEST_SIZE + 1];
	struct enclosed *p = &z->proofs[z->n];
	struct span hash = record_text(r, F_HASH);

	z->last[0] = 0;
	if (hash.n != DIGEST_SIZE)
		return 0;
	extension_of(record_text(r, F_TEXT), extension);
	hex_encode(hex, hash.p, DIGEST_SIZE);
	snprintf(z->last, sizeof(z->last), "proofs/%04u-%.16s%s", (unsigned)row, hex, extension);
	if (z->n == PROOFS_MAX) {
		int x = miss(z, z->last, "there are more proofs than go along: choose less time");

		z->last[0] = 0;
		return x;
	}
	memcpy(p->hash.b, hash.p, DIGEST_SIZE);
	memcpy(p->name, z->last, sizeof(p->name));
	z->n++;
	return 0;
}

static int put(struct register_zip *z, const char *name, struct span content)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct digest hash;
	int r;

	digest_span(&hash, content);
	r = buf_putf(&z->sums, "%s  %s\n", hex_encode(hex, hash.b, DIGEST_SIZE), name);
	return r ? r : exhibit_put(z->writer, name, content);
}

/* What is not there, or not what was filed, is said, and the register is made all the same. */
static int put_proof(struct register_zip *z, const struct enclosed *p)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(PROOF_MAX);
	int r = proofs_read(z->g->c, &p->hash, &bytes);

	if (r == V_NOT_FOUND || r == V_BAD)
		return miss(z, p->name, r == V_BAD ? "damaged: not what was filed" : "not there any more");
	return r ? r : put(z, p->name, buf_span(&bytes));
}

int register_zip_step(struct register_zip *z)
{
	int r;

	if (!z->has_pdf) {
		z->has_pdf = true;
		r = put(z, "register.pdf", buf_span(&z->pdf));
		buf_deinit(&z->pdf);
		return r > 0 ? -EOVERFLOW : r;
	}
	if (z->at < z->n) {
		r = put_proof(z, &z->proofs[z->at++]);
		return r > 0 ? -EOVERFLOW : r;
	}
	r = z->missing.n ? put(z, "MISSING.txt", buf_span(&z->missing)) : 0;
	r = r ? r : exhibit_put(z->writer, "SHA256SUMS", buf_span(&z->sums));
	r = r ? r : exhibit_writer_end(z->writer);
	return r > 0 ? -EOVERFLOW : r ? r : V_END;
}

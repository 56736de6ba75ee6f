/*
 * What only root can make: the console's folder, the key that seals its access log, and its certificate, issued by the
 * collector's CA whose key no other user can read. Called before privileges are given up; keeps nothing of the CA's.
 */
#include "collector/console/console.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/trust/cert.h"
#include "policy/wire/beside.h"
#include <errno.h>

#define USER "sekisho-console"
#define PEM_MAX 16384u
#define DAYS 397u
#define AGAIN_US (60ll * 86400 * 1000000) /* a certificate that ends within this is made anew at a start */

/* What the console shares with every producer beside a collector. */
static struct beside ours(const struct config *c)
{
	return (struct beside){.user = USER,
		.dir = c->dir,
		.spool = c->spool,
		.producer = PRODUCER_CONSOLE,
		.device_key = c->device_key,
		.device_pub = c->device_pub};
}

/* Is the certificate that lies there of our key and our names, and good for some time? */
static bool is_good(const struct config *c, const struct key *k)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(PEM_MAX), ca = BUF_INIT(PEM_MAX), names = BUF_INIT(2048);
	struct cert_info info;
	struct digest id;

	if (file_read(c->tls_crt, &pem) || cert_read(buf_span(&pem), &info, NULL) || key_id(k, &id) ||
		file_read(c->tls_names, &names) || !span_eq(buf_span(&names), SPAN_STR(c->names)))
		return false;
	/* After another CA was made it is nobody's. */
	if (!file_read(c->ca_crt, &ca) && cert_check(buf_span(&pem), buf_span(&ca), CERT_SERVER, NULL, NULL))
		return false;
	return digest_eq(&info.key_id, &id) && info.not_after_us - clock_wall_us() > AGAIN_US;
}

static int certificate(const struct config *c, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL, *ca = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(2 * PEM_MAX), ca_pem = BUF_INIT(PEM_MAX);
	const struct beside us = ours(c);
	char first[128];
	int r;

	if (c->certificate[0])
		return 0;
	r = beside_key(&us, c->tls_key, &k, why);
	if (r || is_good(c, k))
		return r;
	r = key_load(c->ca_key, &ca, why);
	if (r == V_NOT_FOUND)
		return why_set(why, r,
			"%s: no such file: run sekisho-collector --init here, or name certificate and certificate_key",
			c->ca_key);
	r = r ? r : file_read(c->ca_crt, &ca_pem);
	if (r)
		return r < 0 ? r : why_set(why, V_BAD, "%s: cannot be read", c->ca_crt);
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(c->names, ","), c->names);
	r = cert_issue(ca, buf_span(&ca_pem), k, first, c->names, CERT_SERVER, DAYS, &pem, why);
	r = r ? r : buf_put_span(&pem, buf_span(&ca_pem));
	r = r ? r : file_replace(c->tls_crt, buf_span(&pem), 0644);
	r = r ? r : beside_give(&us, c->tls_crt, NULL, 0644);
	r = r ? r : file_replace(c->tls_names, SPAN_STR(c->names), 0644);
	return r ? r : beside_give(&us, c->tls_names, NULL, 0644);
}

int console_prepare(const struct config *c, struct why *why)
{
	const struct beside us = ours(c);
	int r = dir_make(c->run_dir, 0755);

	r = r ? r : beside_prepare(&us, why);
	return r ? r : certificate(c, why);
}

/* See sighting.h. */
#include "policy/rule/sighting.h"
#include "policy/base/text.h"
#include <stdio.h>

#define SHORT_SERIAL 8u
#define STORAGE_CLASS "08:" /* mass storage: usb.org, Defined Class Codes */

bool sighting_read(struct sighting *out, const struct record *r)
{
	struct span interfaces = record_text(r, F_INTERFACES), print = record_text(r, F_FINGERPRINT);
	unsigned vendor, product;
	char id[16];

	*out = (struct sighting){.times = 1};
	text_copy(id, sizeof(id), record_text(r, F_USB_ID));
	text_copy(out->serial, sizeof(out->serial), record_text(r, F_SERIAL));
	if (sscanf(id, "%4x:%4x", &vendor, &product) != 2 ||
		!memmem(interfaces.p, interfaces.n, STORAGE_CLASS, strlen(STORAGE_CLASS)))
		return false;
	out->vendor = (uint16_t)vendor;
	out->product = (uint16_t)product;
	if (print.n == DIGEST_SIZE) {
		memcpy(out->fingerprint.b, print.p, DIGEST_SIZE);
		out->has_fingerprint = true;
	}
	return true;
}

bool sighting_same(const struct sighting *a, const struct sighting *b)
{
	return a->vendor == b->vendor && a->product == b->product && !strcmp(a->serial, b->serial);
}

void sighting_fold(struct sighting *known, const struct sighting *again)
{
	known->times += again->times;
	if (!again->has_fingerprint)
		return;
	known->twice |= known->has_fingerprint && !digest_eq(&known->fingerprint, &again->fingerprint);
	known->fingerprint = again->fingerprint;
	known->has_fingerprint = true;
}

struct device sighting_device(const struct sighting *s)
{
	struct device d;

	device_recorded(&d, s->vendor, s->product, s->serial, s->has_fingerprint ? &s->fingerprint : NULL);
	return d;
}

enum sighting_doubt sighting_doubt(const struct sighting *s)
{
	return !s->serial[0]                      ? SIGHTING_NO_SERIAL
	       : s->twice                         ? SIGHTING_TWO_FINGERPRINTS
	       : strlen(s->serial) < SHORT_SERIAL ? SIGHTING_SHORT_SERIAL
						  : SIGHTING_CERTAIN;
}

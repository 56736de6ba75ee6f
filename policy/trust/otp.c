/*
 * See otp.h. Used by the console. A code that was good once must never be good again.
 */
#include "policy/trust/otp.h"
#include "policy/base/why.h"
#include <errno.h>
#include <openssl/evp.h>

#define DIGITS 1000000u
#define SHA1_SIZE 20

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

int otp_code(const uint8_t secret[OTP_SECRET_SIZE], uint64_t counter, unsigned *code)
{
	uint8_t message[8], mac[SHA1_SIZE];
	size_t n = 0, at;

	put_be64(message, counter);
	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, secret, OTP_SECRET_SIZE, message, sizeof(message), mac,
		    sizeof(mac), &n) ||
		n != sizeof(mac))
		return -EIO;
	at = mac[SHA1_SIZE - 1] & 15;
	*code = (get_be32(mac + at) & 0x7fffffff) % DIGITS;
	secret_wipe(mac, sizeof(mac));
	return 0;
}

int otp_check(const uint8_t secret[OTP_SECRET_SIZE], unsigned code, int64_t now_s, unsigned late, uint64_t *used)
{
	uint64_t now = (uint64_t)(now_s < 0 ? 0 : now_s) / OTP_STEP_S, step, good = 0;
	unsigned right;
	int r;

	for (step = now > late ? now - late : 0; step <= now; step++) {
		r = otp_code(secret, step, &right);
		if (r)
			return r;
		if (right == code && step > *used && !good)
			good = step;
	}
	if (!good)
		return V_DENIED;
	*used = good;
	return 0;
}

void otp_base32(const uint8_t secret[OTP_SECRET_SIZE], char out[OTP_BASE32_SIZE])
{
	unsigned bits = 0, have = 0, n = 0, i;

	for (i = 0; i < OTP_SECRET_SIZE; i++) {
		bits = bits << 8 | secret[i];
		for (have += 8; have >= 5; have -= 5)
			out[n++] = letters[bits >> (have - 5) & 31];
	}
	out[n] = 0;
}

int otp_base32_read(const char *text, uint8_t secret[OTP_SECRET_SIZE])
{
	uint8_t got[OTP_SECRET_SIZE];
	unsigned bits = 0, have = 0, n = 0;
	const char *p;

	if (strlen(text) != OTP_BASE32_SIZE - 1)
		return V_BAD;
	for (; *text; text++) {
		p = strchr(letters, *text);
		if (!p)
			return V_BAD;
		bits = bits << 5 | (unsigned)(p - letters);
		have += 5;
		if (have >= 8) {
			have -= 8;
			got[n++] = (uint8_t)(bits >> have);
		}
	}
	memcpy(secret, got, sizeof(got));
	return 0;
}

/*
 * One-time passwords: HOTP (RFC 4226) and, with the time as counter, TOTP (RFC 6238), by HMAC-SHA-1, six digits, 30
 * seconds: what authenticator apps understand. Also base32 (RFC 4648 section 6), in which apps take secrets.
 */
#ifndef SEKISHO_TRUST_OTP_H
#define SEKISHO_TRUST_OTP_H

#include "policy/trust/digest.h"

#define OTP_SECRET_SIZE 20 /* bytes, as RFC 4226 section 4 recommends */
#define OTP_STEP_S 30
#define OTP_BASE32_SIZE 33 /* a secret in text, with its NUL */

/* The six digits (0..999999) of a counter. 0, -errno. */
int otp_code(const uint8_t secret[OTP_SECRET_SIZE], uint64_t counter, unsigned *code);
/*
 * Is `code` the one of now, or of one of the `late` steps before (RFC 6238 section 5.2: for what typing and sending
 * take, one at most), and of a later step than *used? Then *used becomes its step. 0; V_DENIED; -errno.
 */
int otp_check(const uint8_t secret[OTP_SECRET_SIZE], unsigned code, int64_t now_s, unsigned late, uint64_t *used);

void otp_base32(const uint8_t secret[OTP_SECRET_SIZE], char out[OTP_BASE32_SIZE]);
/* 0 or V_BAD. */
int otp_base32_read(const char *text, uint8_t secret[OTP_SECRET_SIZE]);

#endif

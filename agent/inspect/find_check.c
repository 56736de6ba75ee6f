/*
 * Check digits, each by its own rule. See find.h.
 */
#include "agent/inspect/find.h"

const char *find_kind_name(enum find_kind kind)
{
	static const char *const names[FIND_KINDS] = {
		[FIND_MY_NUMBER] = "my-number",
		[FIND_CORPORATE_NUMBER] = "corporate-number",
		[FIND_CARD] = "card",
		[FIND_BANK_ACCOUNT] = "bank-account",
		[FIND_PENSION_NUMBER] = "pension-number",
		[FIND_INSURANCE_NUMBER] = "insurance-number",
	};

	return kind < FIND_KINDS ? names[kind] : "";
}

static bool all_alike(const uint8_t *d, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (d[i] != d[0])
			return false;
	return true;
}

bool my_number_good(const uint8_t d[12])
{
	unsigned sum = 0, n, check;

	/* The n-th digit from the right, the check digit left out, weighs n + 1 up to the sixth, then n - 5. */
	for (n = 1; n <= 11; n++)
		sum += d[11 - n] * (n <= 6 ? n + 1 : n - 5);
	check = sum % 11 <= 1 ? 0 : 11 - sum % 11;
	return d[11] == check && !all_alike(d, 12);
}

bool corporate_number_good(const uint8_t d[13])
{
	unsigned sum = 0, n;

	/* The n-th digit from the right weighs 1 where n is odd, 2 where it is even; the first digit is 9 - sum mod 9.
	 */
	for (n = 1; n <= 12; n++)
		sum += d[13 - n] * (n % 2 ? 1u : 2u);
	return d[0] == 9 - sum % 9;
}

static unsigned number_of(const uint8_t *d, size_t n)
{
	unsigned u = 0;
	size_t i;

	for (i = 0; i < n; i++)
		u = u * 10 + d[i];
	return u;
}

static bool luhn(const uint8_t *d, size_t n)
{
	unsigned sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned v = d[n - 1 - i] * (i % 2 ? 2u : 1u);

		sum += v > 9 ? v - 9 : v;
	}
	return sum % 10 == 0;
}

/* Visa, Mastercard, JCB, American Express, Diners Club, Discover, UnionPay. */
bool card_issued(const uint8_t *d, size_t n)
{
	unsigned two = number_of(d, 2), three = number_of(d, 3), four = number_of(d, 4);

	switch (n) {
	case 14:
		return (three >= 300 && three <= 305) || two == 36 || two == 38 || two == 39;
	case 15:
		return two == 34 || two == 37;
	case 16:
		return d[0] == 4 || (two >= 51 && two <= 55) || (four >= 2221 && four <= 2720) ||
		       (four >= 3528 && four <= 3589) || four == 6011 || two == 65 || (three >= 644 && three <= 649) ||
		       two == 62;
	default:
		return false;
	}
}

bool card_good(const uint8_t *d, size_t n)
{
	return card_issued(d, n) && luhn(d, n) && !all_alike(d, n);
}

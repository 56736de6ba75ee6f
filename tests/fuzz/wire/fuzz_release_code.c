/* What somebody types: a challenge that is taken is written as the same one; an answer is judged, whatever it is. */
#include "policy/wire/release_code.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[SECRET_SIZE] = {1};
	static const struct release_challenge asked = {{1}, {2}, {3}};
	static const struct digest host = {{4}};
	char text[512], again[RELEASE_TEXT_SIZE];
	struct release_challenge ch, back;
	struct release_terms terms;
	struct why why;
	int r;

	if (size >= sizeof(text) || memchr(data, 0, size))
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (!release_challenge_parse(text, &ch, &why)) {
		release_challenge_text(&ch, again);
		if (release_challenge_parse(again, &back, &why) || memcmp(&ch, &back, sizeof(ch)) != 0)
			abort();
	}
	r = release_answer_check(secret, &host, &asked, text, &terms, &why);
	if (r < 0 || (!r && (!terms.units || terms.units > RELEASE_UNITS_MAX)))
		abort();
	/* What is taken is the one answer with these terms. */
	if (!r && (release_answer_text(secret, &host, &asked, &terms, again) ||
			  release_answer_check(secret, &host, &asked, again, &terms, &why)))
		abort();
	return 0;
}

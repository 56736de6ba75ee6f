/*
 * Odds of numbers in company. See find.h for the idea.
 *
 * Two stories are held against what was seen. In the one the column holds numbers of the kind, typed by people, of
 * which TYPED are right; in the other it holds something else, of which chance makes one in `by_chance` right. The
 * ratio of the two, times the odds before anything was seen, is what decides. Odds before are guesses of how such
 * columns come about in an office; they matter for one or two numbers, and are outweighed from three on.
 */
#include "agent/inspect/find_parts.h"
#include <math.h>

#define TYPED 0.98
#define SURE_ODDS 20.0
#define MAYBE_ODDS 1.0

static const struct {
	double by_chance;             /* one in so many random numbers has a good check digit */
	double before[COMPANY_KINDS]; /* odds */
	double before_named;          /* of plain ones, where the document names their kind somewhere */
} weights[FIND_KINDS] = {
	[FIND_MY_NUMBER] = {11, {1.0 / 3, 1.0 / 3, 1.0 / 1000}, 3},
	/* Thirteen digits are a bar code (JAN) far more often. */
	[FIND_CORPORATE_NUMBER] = {9, {1.0 / 20, 1.0 / 20, 1.0 / 1000}, 3},
	/* A card's issuer range is looked at before: sixteen digits that begin so are right by Luhn in one of ten. */
	[FIND_CARD] = {10, {1.0 / 3, 4, 1.0 / 1000}, 4},
	/* Never without a label. */
	[FIND_BANK_ACCOUNT] = {1, {0, 0, 0}, 0},
	[FIND_PENSION_NUMBER] = {1, {0, 0, 0}, 0},
	[FIND_INSURANCE_NUMBER] = {1, {0, 0, 0}, 0},
};

enum verdict company_weigh(enum find_kind kind, enum company_kind c, const struct company *m, bool named)
{
	double before = weights[kind].before[c], chance = 1 / weights[kind].by_chance, odds;

	if (named && c != COMPANY_OTHER && weights[kind].before_named > before)
		before = weights[kind].before_named;
	if (!m->good || before <= 0)
		return VERDICT_NO;
	odds = log(before) + (double)m->good * log(TYPED / chance) +
	       (double)(m->all - m->good) * log((1 - TYPED) / (1 - chance));
	return odds >= log(SURE_ODDS) ? VERDICT_SURE : odds >= log(MAYBE_ODDS) ? VERDICT_MAYBE : VERDICT_NO;
}

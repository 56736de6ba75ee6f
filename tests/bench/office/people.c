/*
 * Who works in the office, and which files there are. See office.h.
 */
#include "tests/bench/office/office.h"

uint64_t dice_next(struct dice *d)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

unsigned dice_under(struct dice *d, unsigned n)
{
	return (unsigned)((dice_next(d) >> 32) * n >> 32);
}

unsigned dice_often(struct dice *d, unsigned n)
{
	uint64_t x = dice_next(d) >> 32;

	return (unsigned)((x * x >> 32) * x >> 32) / (UINT32_MAX / n + 1);
}

bool dice_chance(struct dice *d, unsigned percent)
{
	return dice_under(d, 100) < percent;
}

static const char *const families[] = {"sato", "suzuki", "takahashi", "tanaka", "ito", "watanabe", "yamamoto",
	"nakamura", "kobayashi", "kato", "yoshida", "yamada", "sasaki", "yamaguchi", "matsumoto", "inoue", "kimura",
	"hayashi", "shimizu", "saito"};
static const char *const givens[] = {"hanako", "taro", "jiro", "yuki", "sakura", "haruto", "aoi", "ren", "mei", "sota",
	"yui", "kenta", "akiko", "hiroshi", "naoko", "makoto"};
static const char *const departments[DEPTS] = {"営業部", "経理部", "総務部", "設計部", "製造部"};
static const char *const pc_names[DEPTS] = {"eigyo", "keiri", "soumu", "sekkei", "seizo"};
static const char *const customers[] = {"山田商事", "東海精機", "みなと食品", "北陸電装", "大和印刷", "さくら運輸",
	"青葉建設", "西日本化成", "光洋技研", "富士見病院", "中央信用組合", "日の出製紙"};
static const char *const papers[DEPTS][6] = {
	{"見積書", "提案書", "契約書", "議事録", "顧客名簿", "納品書"},
	{"請求書", "仕訳帳", "予算", "決算資料", "経費精算", "支払一覧"},
	{"勤務表", "社内規程", "名簿", "備品台帳", "採用面接", "給与明細"},
	{"仕様書", "図面", "部品表", "試験成績", "設計審査", "変更通知"},
	{"作業手順", "日報", "検査記録", "工程表", "在庫表", "設備点検"},
};
static const char *const endings[] = {"xlsx", "ods", "docx", "pdf", "odt", "pptx"};

void desk_make(struct desk *d, uint64_t seed, unsigned number)
{
	static const unsigned shares[DEPTS] = {35, 12, 13, 22, 18}; /* percent of the PCs */
	unsigned place = number * 37 % 100, dept = 0;
	char more[12] = "";

	*d = (struct desk){.number = number,
		.dice = {.state = seed * 1000003 + number},
		.side = {.state = seed * 7000003 + number}};
	while (dept + 1 < DEPTS && place >= shares[dept])
		place -= shares[dept++];
	d->dept = (enum dept)dept;
	snprintf(d->pc, sizeof(d->pc), "%s-%03u", pc_names[dept], number + 1);
	/* Who shares a name with somebody before has a number behind it. */
	if (number >= 240)
		snprintf(more, sizeof(more), "%u", number / 240 + 1);
	snprintf(d->user, sizeof(d->user), "%s.%s%s", families[number * 7 % ARRAY_SIZE(families)],
		givens[(number * 5 + number / 20) % ARRAY_SIZE(givens)], more);
	d->uid = 10000 + number;
	snprintf(d->stick_serial, sizeof(d->stick_serial), "%012llX",
		(unsigned long long)(dice_next(&d->dice) & UINT64_C(0xffffffffffff)));
}

const char *desk_dept(const struct desk *d)
{
	return departments[d->dept];
}

void desk_share_file(struct desk *d, const char *ending, char out[OFFICE_TEXT])
{
	unsigned customer = dice_often(&d->dice, ARRAY_SIZE(customers)), paper = dice_under(&d->dice, 6);
	unsigned project = dice_often(&d->dice, 400), version = dice_often(&d->dice, 9) + 1;

	snprintf(out, OFFICE_TEXT, "/mnt/share/%s/%s/A%04u/%s_%s_%02u.%s", departments[d->dept], customers[customer],
		project, papers[d->dept][paper], customers[customer], version,
		ending ? ending : endings[(customer + paper + project) % ARRAY_SIZE(endings)]);
}

void desk_home_file(struct desk *d, char out[OFFICE_TEXT])
{
	static const char *const folders[] = {
		"ドキュメント", "デスクトップ", "ダウンロード", "Nextcloud", "Documents/old"};
	unsigned paper = dice_under(&d->dice, 6), version = dice_often(&d->dice, 600);

	snprintf(out, OFFICE_TEXT, "/home/%s/%s/%s_%03u.%s", d->user,
		folders[dice_often(&d->dice, ARRAY_SIZE(folders))], papers[d->dept][paper], version,
		endings[(paper + version) % ARRAY_SIZE(endings)]);
}

void desk_stick_file(struct desk *d, const char *share, char out[OFFICE_TEXT])
{
	const char *name = strrchr(share, '/');

	snprintf(out, OFFICE_TEXT, "/media/%s/USB-%.4s/%.200s", d->user, d->stick_serial, name ? name + 1 : share);
}

void desk_source_file(struct desk *d, char out[OFFICE_TEXT])
{
	static const char *const parts[] = {"motor", "sensor", "display", "bus", "update", "selftest"};
	unsigned k = dice_often(&d->dice, 900);

	snprintf(out, OFFICE_TEXT, "/home/%s/src/controller/%s/%s_%u.%c", d->user, parts[k % 6], parts[k / 6 % 6],
		k / 36, k % 3 ? 'c' : 'h');
}

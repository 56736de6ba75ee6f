#!/usr/bin/env python3
"""The corpus of tests/bench/numbers, and the judgement over it.

make DIR N SEED   N documents with what is in them (truth.json). Half hold personal numbers, cards or bank accounts, as lists, letters,
                  forms and transfer files; half hold what looks like them: parcel numbers with their own check digit, bar codes,
                  telephones, orders, invoices, moments, serial numbers, corporate numbers of invoices, accounts of cloud services.
judge DIR PROGRAM asks `PROGRAM show --text --json` of each, and compares.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import time

SURNAMES = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田".split()
NAMES = "太郎 花子 次郎 美咲 健一 裕子 翔 葵 大輔 陽子".split()
FULL = str.maketrans("0123456789-", "０１２３４５６７８９－")


def my_number(r):
    d = [r.randrange(10) for _ in range(11)]
    s = sum(d[11 - n] * (n + 1 if n <= 6 else n - 5) for n in range(1, 12)) % 11
    return "".join(map(str, d)) + str(0 if s <= 1 else 11 - s)


def corporate(r):
    d = [r.randrange(10) for _ in range(12)]
    s = sum(d[12 - n] * (1 if n % 2 else 2) for n in range(1, 13))
    return str(9 - s % 9) + "".join(map(str, d))


def card(r):
    head = r.choice(["4", "51", "53", "3540", "3566"])
    d = [int(c) for c in head] + [r.randrange(10) for _ in range(15 - len(head))]
    s = sum(v if i % 2 else (v * 2 - 9 if v > 4 else v * 2) for i, v in enumerate(d))
    return "".join(map(str, d)) + str(-s % 10)


def parcel(r):
    n = r.randrange(10**10, 10**11)
    return "%011d%d" % (n, n % 7)


def jan(r):
    d = [4, r.choice([5, 9])] + [r.randrange(10) for _ in range(10)]
    return "".join(map(str, d)) + str(-sum(v * (3 if i % 2 else 1) for i, v in enumerate(d)) % 10)


def moment(r):
    return "20%02d%02d%02d%02d%02d" % (r.randrange(15, 27), r.randrange(1, 13), r.randrange(1, 29), r.randrange(24), r.randrange(60))


def digits(n):
    return lambda r: "".join(str(r.randrange(10)) for _ in range(n))


def phone(r):
    return r.choice(["03-%04d-%04d", "090-%04d-%04d", "06-%04d-%04d"]) % (r.randrange(10000), r.randrange(10000))


def person(r):
    return r.choice(SURNAMES) + r.choice([" ", "　", ""]) + r.choice(NAMES)


def written(r, number):
    """As people write it."""
    how = r.randrange(5)
    if how == 0:
        number = "-".join(number[i:i + 4] for i in range(0, len(number), 4))
    elif how == 1:
        number = " ".join(number[i:i + 4] for i in range(0, len(number), 4))
    return number.translate(FULL) if how == 2 else number


def table(r, head, make, kind=None, rows=None):
    n = rows or r.randrange(3, 60)
    out, count = [["氏名", "部署", head, "電話番号", "入社日"]], 0
    for _ in range(n):
        out.append([person(r), r.choice(["総務部", "経理部", "営業部", "人事部"]), make(r), phone(r), "20%02d/04/01" % r.randrange(5, 26)])
        count += 1
    return out, {kind: count} if kind else {}


# name: (shape, what it makes, truth). Positive ones first.
def staff(r):
    return "table", *table(r, r.choice(["個人番号", "マイナンバー", "個人番号（12桁）", "My Number"]), my_number, "my-number")


def staff_unlabelled(r):
    return "table", *table(r, r.choice(["番号", "No.", "コード"]), my_number, "my-number")


def staff_grouped(r):
    return "table", *table(r, "個人番号", lambda q: written(q, my_number(q)), "my-number")


def letter(r):
    n = r.randrange(1, 4)
    lines = ["給与所得者の扶養控除等申告書について", "", "%s 様" % person(r), "", "下記のとおり、番号をお預かりしました。", ""]
    for who in ["本人", "配偶者", "子"][:n]:
        lines.append("%s（%s） %s：%s" % (person(r), who, r.choice(["個人番号", "マイナンバー"]), written(r, my_number(r))))
    lines += ["", "お問い合わせ：電話 " + phone(r)]
    return "text", lines, {"my-number": n}


def mixed(r):
    """One of each on a page: only the labelled one counts."""
    lines = ["送付状", "", "お問い合わせ番号 " + parcel(r), "個人番号 " + written(r, my_number(r)), "注文番号 " + digits(12)(r),
             "電話 " + phone(r)]
    return "text", lines, {"my-number": 1}


def cards(r):
    return "table", *table(r, r.choice(["カード番号", "クレジットカード番号"]), lambda q: q.choice([card(q), "-".join(
        (lambda c: [c[i:i + 4] for i in range(0, 16, 4)])(card(q)))]), "card")


def accounts(r):
    return "table", *table(r, "口座番号", digits(7), "bank-account")


def transfer(r):
    n = r.randrange(2, 40)

    def field(s, size):
        return s + " " * (size - len(s))
    lines = ["1" + "21" + "0" + digits(10)(r) + field("SEKISHO", 40) + "1125" + "0001" + field("MIZUHO", 15) + "001" + field("HONTEN", 15)
             + "1" + digits(7)(r) + " " * 17]
    for _ in range(n):
        lines.append("2" + "0001" + field("MIZUHO", 15) + "001" + field("HONTEN", 15) + "0000" + "1" + digits(7)(r)
                     + field("YAMADA TARO", 30) + "%010d" % r.randrange(10**6) + "0" + " " * 29)
    lines += [field("8%06d%012d" % (n, 10**6), 120), field("9", 120)]
    return "plain", lines, {"bank-account": n}


def negative(head, make):
    return lambda r: ("table", *table(r, head, make))


def shipping(r):
    return "text", ["出荷のご案内", ""] + ["%s 様宛 お問い合わせ番号：%s" % (person(r), parcel(r)) for _ in range(r.randrange(1, 20))], {}


def parcels_bare(r):
    return "text", ["本日の荷物"] + [parcel(r) for _ in range(r.randrange(3, 60))], {}


def log(r):
    return "plain", ["%s INFO job=%s user=%s" % (moment(r), digits(12)(r), r.choice(["taro", "hanako"])) for _ in range(50)], {}


def minutes(r):
    return "text", ["会議の議事録", "", "日時 " + moment(r), "予算 %d 円" % r.randrange(10**6, 10**12), "次回 2026年12月1日",
                    "マイナンバーの取り扱いについて説明があった。"], {}


def invoice(r):
    """Corporate numbers are public; they are told apart, not counted against it."""
    t = corporate(r)
    return "text", ["請求書", "請求書番号 " + digits(12)(r), "登録番号 T" + t, "合計 %d 円" % r.randrange(10**6), "電話 " + phone(r)], {
        "corporate-number": 1}


DOCUMENTS = {
    "staff list": staff, "staff list without a label": staff_unlabelled, "staff list in groups": staff_grouped, "letter": letter,
    "letter with other numbers": mixed, "card list": cards, "account list": accounts, "transfer file": transfer,
    "parcels": negative("伝票番号", parcel), "parcels without a label": negative("No.", parcel), "bar codes": negative("JANコード", jan),
    "bar codes without a label": negative("コード", jan), "orders": negative("注文番号", digits(12)),
    "twelve digits": negative("番号", digits(12)), "sixteen digits": negative("管理番号", digits(16)),
    "moments": negative("更新日時", moment), "thirteen digits": negative("番号", digits(13)), "shipping notes": shipping,
    "bare parcels": parcels_bare, "log": log, "minutes": minutes, "invoice": invoice, "seven digits": negative("社員番号", digits(7)),
}
TABLES = ["xlsx", "ods", "xls", "csv", "sjis.csv", "pdf", "html"]
TEXTS = ["docx", "odt", "doc", "rtf", "txt", "sjis.txt", "euc.txt", "jis.txt", "pdf", "eml", "zip"]
FILTERS = {"xlsx": "xlsx:Calc MS Excel 2007 XML", "xls": "xls:MS Excel 97", "ods": "ods", "docx": "docx:MS Word 2007 XML",
           "doc": "doc:MS Word 97", "odt": "odt", "rtf": "rtf", "pdf": "pdf"}
ENCODINGS = {"sjis": "cp932", "euc": "euc_jp", "jis": "iso2022_jp"}


def page(rows):
    cells = "".join("<tr>%s</tr>" % "".join("<td>%s</td>" % c for c in row) for row in rows)
    return "<html><head><meta charset=utf-8></head><body><table>%s</table></body></html>" % cells


def convert(place, work, todo):
    """LibreOffice once for each pair of formats: it takes five seconds to start."""
    for (source, target), names in sorted(todo.items()):
        out = os.path.join(work, "out")
        shutil.rmtree(out, ignore_errors=True)
        # The third column as text; and a table on paper as wide as what is in it: a sheet would print "1.5E+11", or cut it off.
        how = {"csv": ["--infilter=CSV:44,34,76,1,3/2"], "html": ["--infilter=HTML (StarWriter)"]}.get(source, [])
        for i in range(0, len(names), 40):
            subprocess.run(["soffice", "--headless", *how, "--convert-to", FILTERS[target], "--outdir", out,
                            *[os.path.join(work, n + "." + source) for n in names[i:i + 40]]], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=work))
        for n in names:
            shutil.move(os.path.join(out, n + "." + target), os.path.join(place, n + "." + target))


def make(place, n, seed):
    import email.message
    import zipfile
    r = random.Random(seed)
    work = os.path.join(place, "work")
    os.makedirs(work)
    truth, todo = {}, {}
    kinds = list(DOCUMENTS)
    for i in range(n):
        kind = kinds[i % len(kinds)]
        shape, content, numbers = DOCUMENTS[kind](r)
        name = "%04d" % i
        form = {"table": TABLES, "text": TEXTS, "plain": ["txt", "sjis.txt"]}[shape]
        form = form[(i // len(kinds)) % len(form)]
        if shape == "table":
            text = "\r\n".join(",".join(row) for row in content) + "\r\n"
        else:
            text = "\r\n".join(content) + "\r\n"
        target = os.path.join(place, name + "." + form)
        if form in FILTERS:
            source = "txt" if shape == "text" else "html" if form == "pdf" else "csv"
            with open(os.path.join(work, name + "." + source), "w", encoding="utf-8-sig" if source == "txt" else "utf-8") as f:
                f.write(page(content) if source == "html" else text)
            todo.setdefault((source, form), []).append(name)
        elif form == "html":
            with open(target, "w", encoding="cp932") as f:
                f.write(page(content).replace("utf-8", "cp932"))
        elif form == "eml":
            m = email.message.EmailMessage()
            m["From"], m["To"], m["Subject"] = "a@example.jp", "b@example.jp", "ご連絡"
            m.set_content(text, charset="iso-2022-jp")
            with open(target, "wb") as f:
                f.write(bytes(m))
        elif form == "zip":
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as z:
                z.writestr("a.txt", text.encode("cp932"))
        else:
            encoding = ENCODINGS.get(form.split(".")[0], "utf-8")
            with open(target, "wb") as f:
                f.write(text.encode(encoding))
        truth[name + "." + form] = {"kind": kind, "numbers": numbers}
        if i % 100 == 99:
            print("%d of %d documents written" % (i + 1, n), file=sys.stderr)
    convert(place, work, todo)
    shutil.rmtree(work)
    with open(os.path.join(place, "truth.json"), "w") as f:
        json.dump(truth, f, ensure_ascii=False, indent=1)


def rate(tally):
    hit, false, missed = tally
    return {"numbers": hit + missed, "found": hit, "false": false, "missed": missed,
            "precision": round(hit / (hit + false), 4) if hit + false else 1.0, "recall": round(hit / (hit + missed), 4) if hit + missed else 1.0}


def judge(place, program):
    truth = json.load(open(os.path.join(place, "truth.json")))
    files = [os.path.join(place, n) for n in truth]
    started = time.monotonic()
    run = subprocess.run([program, "show", "--text", "--json", *files], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    ours = time.monotonic() - started
    told = {os.path.basename(o["file"]): o for o in map(json.loads, run.stdout.splitlines())}
    assert len(told) == len(truth), (len(told), len(truth))
    by_kind, by_format, every, unread = {}, {}, [0, 0, 0], 0
    for name, t in truth.items():
        found = {k: v["sure"] for k, v in told[name].get("numbers", {}).items()}
        unread += "text:" in told[name]["findings"]
        for k in set(found) | set(t["numbers"]):
            want, got = t["numbers"].get(k, 0), found.get(k, 0)
            for tally in (by_kind.setdefault(t["kind"], [0, 0, 0]), by_format.setdefault(name.split(".", 1)[1], [0, 0, 0]), every):
                tally[0] += min(want, got)
                tally[1] += max(0, got - want)
                tally[2] += max(0, want - got)
            if os.environ.get("SHOW") and want != got:
                print(name, t["kind"], k, "want", want, "got", got, file=sys.stderr)
    for what, tallies in (("document", by_kind), ("format", by_format)):
        for k, tally in sorted(tallies.items()):
            print(json.dumps({what: k, **rate(tally)}, ensure_ascii=False))
    print(json.dumps({"all": len(truth), "not_read": unread, **rate(every)}))
    speed(place, program, files, ours)


def speed(place, program, files, ours):
    """Whole files a second: ours reads into them, ripgrep looks at their bytes, clamscan unpacks them and knows one signature."""
    size = sum(os.path.getsize(f) for f in files)
    with open(os.path.join(place, "one.ndb"), "w") as f:
        f.write("Nothing:0:*:deadbeefdeadbeefdeadbeefdeadbeef\n")

    def timed(command):
        started = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return time.monotonic() - started
    seconds = {"ours": [ours], "ripgrep": [], "clamscan": []}
    for _ in range(3):
        seconds["ours"].append(timed([program, "show", "--text", "--json", *files]))
        seconds["ripgrep"].append(timed(["rg", "-c", "--text", "[0-9]{12}", *files]))
        seconds["clamscan"].append(timed(["clamscan", "-d", os.path.join(place, "one.ndb"), "--no-summary", *files]))
    middle = {k: sorted(v)[len(v) // 2] for k, v in seconds.items()}
    print(json.dumps({"files": len(files), "bytes": size, **{k + "_mb_s": round(size / v / 1e6, 2) for k, v in middle.items()},
                      **{k + "_files_s": round(len(files) / v, 1) for k, v in middle.items()}}))
    # One large text: what a child costs is nothing there.
    big = os.path.join(place, "big.csv")
    if not os.path.exists(big):
        r = random.Random(1)
        rows = ["%s,%s,%s,%s" % (person(r), phone(r), digits(12)(r), r.choice(["総務部", "経理部"])) for _ in range(20000)]
        with open(big, "w") as f:
            for _ in range(64):
                f.write("\n".join(rows) + "\n")
    size = os.path.getsize(big)
    middle = {k: sorted(timed(c) for _ in range(3))[1] for k, c in (
        ("ours", [program, "show", "--text", "--json", "--time", "120", big]), ("ripgrep", ["rg", "-c", "--text", "[0-9]{12}", big]),
        ("clamscan", ["clamscan", "-d", os.path.join(place, "one.ndb"), "--no-summary", big]))}
    print(json.dumps({"one_text_bytes": size, **{k + "_mb_s": round(size / v / 1e6, 1) for k, v in middle.items()}}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 5:
        make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1:2] == ["judge"] and len(sys.argv) == 4:
        judge(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)

#!/usr/bin/env python3
"""The corpus of tests/bench/numbers, and the judgement over it.

make DIR N SEED   N documents with what is in them (truth.json). Half hold numbers of people and accounts, as lists, letters,
                  forms and transfer files; half hold what looks like them: parcel numbers with their own check digit, bar codes,
                  telephones, orders, invoices, moments, serial numbers, corporate numbers of invoices, accounts of cloud services.
judge DIR PROGRAM asks `PROGRAM show --text --json` of each, and compares; 1 where precision or recall of a kind of number, or of all, is
                  below 0.99, or a document is said not to be read whole. The program tells counts. So that what is missed does not make
                  up for what is wrongly found beside it, each document with numbers has a twin without them, and what is found there
                  is false here; and the masked sample has to be one of the numbers.
"""
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time

SURNAMES = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田".split()
NAMES = "太郎 花子 次郎 美咲 健一 裕子 翔 葵 大輔 陽子".split()
NARROW = str.maketrans("０１２３４５６７８９", "0123456789")
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


GOAL = 0.99  # precision and recall
TRUE = []  # of the document that is being made, as they stand in it


def true(number):
    TRUE.append(number)
    return number


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
    how = r.randrange(7)
    if how == 0:
        number = "-".join(number[i:i + 4] for i in range(0, len(number), 4))
    elif how == 1:
        number = " ".join(number[i:i + 4] for i in range(0, len(number), 4))
    elif how == 3:
        number = r.choice(["ー", "‐", "─", "・"]).join(number[i:i + 4] for i in range(0, len(number), 4))
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
    return "table", *table(r, r.choice(["個人番号", "マイナンバー", "個人番号（12桁）", "My Number"]), lambda q: true(my_number(q)), "my-number")


def staff_unlabelled(r):
    return "table", *table(r, r.choice(["番号", "No.", "コード"]), lambda q: true(my_number(q)), "my-number")


def staff_grouped(r):
    return "table", *table(r, "個人番号", lambda q: true(written(q, my_number(q))), "my-number")


def letter(r):
    n = r.randrange(1, 4)
    lines = ["給与所得者の扶養控除等申告書について", "", "%s 様" % person(r), "", "下記のとおり、番号をお預かりしました。", ""]
    for who in ["本人", "配偶者", "子"][:n]:
        lines.append("%s（%s） %s：%s" % (person(r), who, r.choice(["個人番号", "マイナンバー"]), true(written(r, my_number(r)))))
    lines += ["", "お問い合わせ：電話 " + phone(r)]
    return "text", lines, {"my-number": n}


def mixed(r):
    """One of each on a page: only the labelled one counts."""
    lines = ["送付状", "", "お問い合わせ番号 " + parcel(r), "個人番号 " + true(written(r, my_number(r))), "注文番号 " + digits(12)(r),
             "電話 " + phone(r)]
    return "text", lines, {"my-number": 1}


def cards(r):
    return "table", *table(r, r.choice(["カード番号", "クレジットカード番号"]), lambda q: true(q.choice([card(q), "-".join(
        (lambda c: [c[i:i + 4] for i in range(0, 16, 4)])(card(q)))])), "card")


def accounts(r):
    return "table", *table(r, "口座番号", lambda q: true(digits(7)(q)), "bank-account")


def post(r):
    """An account of Japan Post: 記号 of five digits and 番号 of eight."""
    n = r.randrange(1, 6)
    lines = ["お振込先のご案内", ""]
    for _ in range(n):
        symbol, number = "1" + digits(3)(r) + "0", digits(7)(r) + "1"
        before, between = r.choice([(" ゆうちょ銀行 記号 ", " 番号 "), (" ゆうちょ銀行 口座番号 ", "-")])
        lines.append(person(r) + before + true(symbol + between + number))
    return "text", lines + ["電話 " + phone(r), "受付番号 " + digits(8)(r)], {"bank-account": n}


def pension(r):
    return "table", *table(r, "基礎年金番号", lambda q: true(q.choice([digits(10)(q), digits(4)(q) + "-" + digits(6)(q)])), "pension-number")


def insurance(r):
    n = r.randrange(1, 6)
    lines = ["健康保険 資格確認書の写し", ""]
    for _ in range(n):
        before, between, behind = r.choice([
            ("  記号 ", " 番号 ", ""), ("  記号・番号 ", "・", ""), ("  被保険者等記号・番号 ", "-", " 枝番 01")])
        lines.append(person(r) + before + true(digits(8)(r) + between + r.choice([digits(7), digits(6), digits(4)])(r)) + behind)
    return "text", lines + ["保険料 %d 円" % r.randrange(10**4, 10**5), "電話 " + phone(r), "申請番号 " + digits(10)(r)], {"insurance-number": n}


def boxes(r):
    """A digit in each cell."""
    n = r.randrange(1, 8)
    rows = [["氏名", "個人番号"] + [""] * 11 + ["評価1", "評価2", "評価3"]]
    for _ in range(n):
        rows.append([person(r), *true(",".join(my_number(r))).split(","), "", "%d" % r.randrange(1, 6), "%d" % r.randrange(1, 6)])
    return "table", rows, {"my-number": n}


def survey(r):
    """Twelve answers of one digit each."""
    head = ["氏名"] + ["問%d" % i for i in range(1, 13)]
    return "table", [head] + [[person(r)] + [str(r.randrange(1, 6)) for _ in range(12)] for _ in range(r.randrange(3, 40))], {}


def payslip(r):
    return "text", ["給与明細 " + person(r), "健康保険料 %d" % r.randrange(10**4, 10**5), "厚生年金保険料 %d" % r.randrange(10**4, 10**5),
                    "普通預金への振込 %d 円" % r.randrange(10**6), "社員番号 " + digits(7)(r)], {}


def transfer(r):
    n = r.randrange(2, 40)

    def field(s, size):
        return s + " " * (size - len(s))
    lines = ["1" + "21" + "0" + digits(10)(r) + field("SEKISHO", 40) + "1125" + "0001" + field("MIZUHO", 15) + "001" + field("HONTEN", 15)
             + "1" + digits(7)(r) + " " * 17]
    for _ in range(n):
        lines.append("2" + "0001" + field("MIZUHO", 15) + "001" + field("HONTEN", 15) + "0000" + "1" + true(digits(7)(r))
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
    t = true(corporate(r))
    return "text", ["請求書", "請求書番号 " + digits(12)(r), "登録番号 T" + t, "合計 %d 円" % r.randrange(10**6), "電話 " + phone(r)], {
        "corporate-number": 1}


DOCUMENTS = {
    "staff list": staff, "staff list without a label": staff_unlabelled, "staff list in groups": staff_grouped, "letter": letter,
    "letter with other numbers": mixed, "card list": cards, "account list": accounts, "transfer file": transfer,
    "account of Japan Post": post, "pension list": pension, "insurance": insurance, "a digit a cell": boxes, "survey": survey,
    "payslip": payslip,
    "parcels": negative("伝票番号", parcel), "parcels without a label": negative("No.", parcel), "bar codes": negative("JANコード", jan),
    "bar codes without a label": negative("コード", jan), "orders": negative("注文番号", digits(12)),
    "twelve digits": negative("番号", digits(12)), "sixteen digits": negative("管理番号", digits(16)),
    "moments": negative("更新日時", moment), "thirteen digits": negative("番号", digits(13)), "shipping notes": shipping,
    "bare parcels": parcels_bare, "log": log, "minutes": minutes, "invoice": invoice, "seven digits": negative("社員番号", digits(7)),
}
TABLES = ["xlsx", "ods", "xls", "csv", "sjis.csv", "pdf", "html", "utf16.csv", "attached.eml", "csv.zst"]
TEXTS = ["docx", "odt", "doc", "rtf", "txt", "sjis.txt", "euc.txt", "jis.txt", "pdf", "eml", "zip", "pptx", "utf16.txt", "nested.zip", "7z"]
FILTERS = {"xlsx": "xlsx:Calc MS Excel 2007 XML", "xls": "xls:MS Excel 97", "ods": "ods", "docx": "docx:MS Word 2007 XML",
           "doc": "doc:MS Word 97", "odt": "odt", "rtf": "rtf", "pdf": "pdf"}
ENCODINGS = {"utf16": "utf-16", "sjis": "cp932", "euc": "euc_jp", "jis": "iso2022_jp"}


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


def slides(lines):
    """A presentation with a line a paragraph."""
    import io
    import zipfile
    types = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    a = "http://schemas.openxmlformats.org/drawingml/2006/main"
    p = "http://schemas.openxmlformats.org/presentationml/2006/main"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", types)
        z.writestr("ppt/presentation.xml", '<?xml version="1.0"?><p:presentation xmlns:p="%s"/>' % p)
        z.writestr("ppt/slides/slide1.xml", '<?xml version="1.0"?><p:sld xmlns:p="%s" xmlns:a="%s">%s</p:sld>' % (
            p, a, "".join("<a:p><a:r><a:t>%s</a:t></a:r></a:p>" % line for line in lines)))
    return out.getvalue()


def zipped(name, content):
    import io
    import zipfile
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(name, content)
    return out.getvalue()


def twin(place, name, shape, content):
    """The same without what is true, as plain text."""
    text = "\r\n".join((",".join(row) if shape == "table" else row) for row in content) + "\r\n"
    for number in sorted(TRUE, key=len, reverse=True):
        text = text.replace(number, "," * number.count(",") or "なし")
    with open(os.path.join(place, name), "w", encoding="utf-8") as f:
        f.write(text)


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
        TRUE.clear()
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
                z.writestr("a.txt", text.encode("cp932", "replace"))
        elif form == "pptx":
            with open(target, "wb") as f:
                f.write(slides(content))
        elif form == "nested.zip":
            with open(target, "wb") as f:
                f.write(zipped("inner.zip", zipped("送付.docx", zipped("a.txt", text.encode()))))
        elif form == "attached.eml":
            m = email.message.EmailMessage()
            m["From"], m["To"], m["Subject"] = "a@example.jp", "b@example.jp", "名簿"
            m.set_content("添付のとおりです。", charset="iso-2022-jp")
            m.add_attachment(text.encode("cp932", "replace"), maintype="application", subtype="octet-stream", filename="名簿.csv")
            with open(target, "wb") as f:
                f.write(bytes(m))
        elif form in ("csv.zst", "7z"):
            plain = os.path.join(work, "a.csv")
            with open(plain, "w", encoding="utf-8") as f:
                f.write(text)
            tool = ["zstd", "-q", plain, "-o", target] if form == "csv.zst" else ["bsdtar", "--format", "7zip", "-cf", target, "-C", work, "a.csv"]
            subprocess.run(tool, check=True)
        else:
            encoding = ENCODINGS.get(form.split(".")[0], "utf-8")
            with open(target, "wb") as f:
                f.write(text.encode(encoding, "replace"))
        truth[name + "." + form] = {"kind": kind, "numbers": numbers, "ends": sorted({"".join(
            c for c in t.replace("，", ",").translate(NARROW) if c.isdigit())[-2:] for t in TRUE})}
        if numbers:
            truth[name + "." + form]["twin"] = name + "-twin.txt"
            twin(place, name + "-twin.txt", shape, content)
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
    twins = [os.path.join(place, t["twin"]) for t in truth.values() if "twin" in t]
    run = subprocess.run([program, "show", "--text", "--json", *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    told = {os.path.basename(o["file"]): o for o in map(json.loads, run.stdout.splitlines())}
    assert len(told) == len(truth), (len(told), len(truth), run.stderr.decode("utf-8", "replace")[-200:])
    run = subprocess.run([program, "show", "--text", "--json", *twins], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    without = {os.path.basename(o["file"]): o for o in map(json.loads, run.stdout.splitlines())}
    assert len(without) == len(twins), (len(without), len(twins))
    by_number, by_kind, by_format, every, unread, samples = {}, {}, {}, [0, 0, 0], 0, 0
    for name, t in truth.items():
        found = {k: v["sure"] for k, v in told[name].get("numbers", {}).items()}
        unread += "text:" in told[name]["findings"]
        for k in set(found) | set(t["numbers"]):
            want, got = t["numbers"].get(k, 0), found.get(k, 0)
            beside = without[t["twin"]].get("numbers", {}).get(k, {}).get("sure", 0) if "twin" in t else 0
            hits = min(want, max(0, got - beside))
            false = max(beside if want else 0, got - hits)
            sample = told[name].get("numbers", {}).get(k, {}).get("sample", "")
            if want and sample and sample[-2:] not in t["ends"]:
                samples += 1
                hits, false = hits - (hits > 0), false + 1
            for tally in (by_number.setdefault(k, [0, 0, 0]), by_kind.setdefault(t["kind"], [0, 0, 0]), by_format.setdefault(name.split(".", 1)[1], [0, 0, 0]), every):
                tally[0] += hits
                tally[1] += false
                tally[2] += want - hits
            if os.environ.get("SHOW") and (want != hits or false):
                print(name, t["kind"], k, "want", want, "got", got, "beside", beside, file=sys.stderr)
    for what, tallies in (("document", by_kind), ("format", by_format), ("number", by_number)):
        for k, tally in sorted(tallies.items()):
            print(json.dumps({what: k, **rate(tally)}, ensure_ascii=False))
    print(json.dumps({"all": len(truth), "not_read": unread, "samples_of_others": samples, **rate(every)}))
    low = [k for k, tally in [*by_number.items(), ("all", every)] if min(rate(tally)["precision"], rate(tally)["recall"]) < GOAL]
    low += ["documents not read"] if unread else []
    if os.environ.get("NO_SPEED") is None:
        speed(place, program, files)
    if low:
        sys.exit("below %.2f: %s" % (GOAL, ", ".join(low)))


def speed(place, program, files):
    """Ours reads into files, ripgrep looks at their bytes, clamscan unpacks them and knows one signature: what passes, and what of it
    a processor is busy with. Three runs each in turns, the middle one of each."""
    signature = os.path.join(place, "one.ndb")
    with open(signature, "w") as f:
        f.write("Nothing:0:*:deadbeefdeadbeefdeadbeefdeadbeef\n")
    commands = {"ours": [program, "show", "--text", "--json", "--time", "120"], "ripgrep": ["rg", "-c", "--text", "[0-9]{12}"],
                "clamscan": ["clamscan", "-d", signature, "--no-summary"]}

    def timed(command):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.monotonic() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def tell(what, names):
        size = sum(map(os.path.getsize, names))
        runs = {k: [] for k in commands}
        for _ in range(3):
            for k, command in commands.items():
                runs[k].append(timed([*command, *names]))
        out = {what: len(names), "bytes": size}
        for k, took in runs.items():
            passed, busy = (sorted(t)[1] for t in zip(*took))
            out.update({k + "_mb_s": round(size / passed / 1e6, 2), k + "_cpu_ms_mb": round(busy * 1e9 / size, 1)})
        print(json.dumps(out))

    tell("files", files)
    # One large text: what a child costs is nothing there.
    big = os.path.join(place, "big.csv")
    if not os.path.exists(big):
        r = random.Random(1)
        rows = ["%s,%s,%s,%s" % (person(r), phone(r), digits(12)(r), r.choice(["総務部", "経理部"])) for _ in range(20000)]
        with open(big, "w") as f:
            for _ in range(64):
                f.write("\n".join(rows) + "\n")
    tell("large_texts", [big])


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 5:
        make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1:2] == ["judge"] and len(sys.argv) == 4:
        judge(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)

#!/usr/bin/env python3
"""The corpus of tests/bench/ocr, and the judgement over it.

make DIR N SEED   N pages (documents of numbers.py: lists, letters, and what looks like personal numbers), drawn as pictures: in 150, 200 and
                  300 dots an inch; clean, with noise and two degrees askew, as JPEG of quality 40, as one bit a dot. truth.json.
judge DIR PROGRAM asks `PROGRAM show --ocr --json` of each, and the tesseract command, whose text PROGRAM looks into.
"""
import json
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import time
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numbers as corpus  # noqa: E402  (the file beside this one; nothing here needs Python's own)

ROWS = 14  # of a table: one page
KINDS = {
    "staff list": lambda r: ("table", *corpus.table(r, r.choice(["個人番号", "マイナンバー"]), corpus.my_number, "my-number", ROWS)),
    "staff list without a label": lambda r: ("table", *corpus.table(r, "No.", corpus.my_number, "my-number", ROWS)),
    "letter": corpus.letter,
    "letter with other numbers": corpus.mixed,
    "parcels": lambda r: ("table", *corpus.table(r, "伝票番号", corpus.parcel, None, ROWS)),
    "orders": lambda r: ("table", *corpus.table(r, "注文番号", corpus.digits(12), None, ROWS)),
    "minutes": corpus.minutes,
    "invoice": corpus.invoice,
}
DOTS = (150, 200, 300)


def page(shape, content):
    if shape == "table":
        body = "<table border=1 cellpadding=3>%s</table>" % "".join("<tr>%s</tr>" % "".join("<td>%s</td>" % c for c in row) for row in content)
    else:
        body = "".join("<p>%s</p>" % (line or "&nbsp;") for line in content)
    return "<html><head><meta charset=utf-8></head><body>%s</body></html>" % body


def ghostscript(pdf, out, device, dots, turn=None):
    begin = ["-c", "<</BeginPage {pop 20 -10 translate %s rotate}>> setpagedevice" % turn] if turn else []
    subprocess.run(["gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-dLastPage=1", "-sPAPERSIZE=a4", "-sDEVICE=" + device, "-r%d" % dots,
                    "-sOutputFile=" + out, *begin, "-f", pdf], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def with_noise(r, pgm, png, dots):
    """One dot in two hundred is black or white, as dust and cheap scanners make them."""
    data = open(pgm, "rb").read()
    fields, at = [], 0
    while len(fields) < 4:
        end = at
        while data[end] not in b" \n":
            end += 1
        if data[at:at + 1] == b"#":
            at = data.index(b"\n", at) + 1
            continue
        fields.append(data[at:end])
        at = end + 1
    width, height = int(fields[1]), int(fields[2])
    body = bytearray(data[at:])
    for _ in range(width * height // 200):
        body[r.randrange(len(body))] = r.choice((0, 255))
    rows = b"".join(b"\0" + bytes(body[y * width:(y + 1) * width]) for y in range(height))

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    metre = int(dots / 0.0254)
    with open(png, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                + chunk(b"pHYs", struct.pack(">IIB", metre, metre, 1)) + chunk(b"IDAT", zlib.compress(rows, 3)) + chunk(b"IEND", b""))
    os.unlink(pgm)


def make(place, n, seed):
    r = random.Random(seed)
    work = os.path.join(place, "work")
    os.makedirs(work)
    truth, pages = {}, []
    for i in range(n):
        kind = list(KINDS)[i % len(KINDS)]
        shape, content, numbers = KINDS[kind](r)
        name = "%03d" % i
        with open(os.path.join(work, name + ".html"), "w", encoding="utf-8") as f:
            f.write(page(shape, content))
        pages.append((name, kind, numbers))
    subprocess.run(["soffice", "--headless", "--infilter=HTML (StarWriter)", "--convert-to", "pdf", "--outdir", work,
                    *[os.path.join(work, name + ".html") for name, _, _ in pages]], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=work))
    for name, kind, numbers in pages:
        pdf = os.path.join(work, name + ".pdf")
        for dots in DOTS:
            stem = os.path.join(place, "%s-%d" % (name, dots))
            ghostscript(pdf, stem + "-clean.png", "pnggray", dots)
            ghostscript(pdf, stem + "-jpeg.jpg", "jpeggray", dots)
            ghostscript(pdf, stem + "-one-bit.tif", "tiffg4", dots)
            ghostscript(pdf, stem + "-askew.pgm", "pgmraw", dots, r.choice((-2, 2)))
            with_noise(r, stem + "-askew.pgm", stem + "-askew.png", dots)
            for form in ("clean.png", "jpeg.jpg", "one-bit.tif", "askew.png"):
                truth["%s-%d-%s" % (name, dots, form)] = {"kind": kind, "dots": dots, "form": form.split(".")[0], "numbers": numbers}
    shutil.rmtree(work)
    with open(os.path.join(place, "truth.json"), "w") as f:
        json.dump(truth, f, ensure_ascii=False, indent=1)


def run(command, **how):
    """Its output, seconds by the clock, seconds of processors, and the most memory of one process in KiB."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, **how).stdout
    took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss


def tally_of(told, truth, groups):
    for name, t in truth.items():
        want, got = t["numbers"].get("my-number", 0), told.get(name, 0)
        for group in (groups.setdefault((t["dots"], t["form"]), [0, 0, 0]), groups.setdefault("all", [0, 0, 0])):
            group[0] += min(want, got)
            group[1] += max(0, got - want)
            group[2] += max(0, want - got)
        if os.environ.get("SHOW") and want != got:
            print(name, t["kind"], "want", want, "got", got, file=sys.stderr)


def found(output):
    return {os.path.basename(o["file"]): o.get("numbers", {}).get("my-number", {}).get("sure", 0) for o in map(json.loads, output.splitlines())}


def judge(place, program):
    truth = json.load(open(os.path.join(place, "truth.json")))
    ours, theirs = {}, {}
    output, took, cpu, memory = run([program, "show", "--ocr", "--json", "--time", "120", *[os.path.join(place, n) for n in truth]])
    told = found(output)
    assert len(told) == len(truth), (len(told), len(truth))
    tally_of(told, truth, ours)
    cost = {"pages": len(truth), "seconds_a_page": round(took / len(truth), 2), "processor_a_page": round(cpu / len(truth), 2),
            "mib_at_most": memory >> 10}
    texts = os.path.join(place, "texts")
    os.makedirs(texts, exist_ok=True)
    their_cpu = 0
    for name in truth:
        text, _, cpu, _ = run(["tesseract", os.path.join(place, name), "stdout", "-l", "jpn", "-c", "preserve_interword_spaces=1"],
                              env=dict(os.environ, OMP_THREAD_LIMIT="1"))
        their_cpu += cpu
        with open(os.path.join(texts, name + ".txt"), "wb") as f:
            f.write(text)
    output = run([program, "show", "--text", "--json", *[os.path.join(texts, n + ".txt") for n in truth]])[0]
    tally_of({n[:-4]: v for n, v in found(output).items()}, truth, theirs)
    for group in sorted(k for k in ours if k != "all"):
        print(json.dumps({"dots_an_inch": group[0], "form": group[1], **corpus.rate(ours[group]), "tesseract": corpus.rate(theirs[group])}))
    print(json.dumps({"all": len(truth), **corpus.rate(ours["all"]), "tesseract": corpus.rate(theirs["all"])}))
    print(json.dumps({**cost, "tesseract_processor_a_page": round(their_cpu / len(truth), 2)}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 5:
        make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1:2] == ["judge"] and len(sys.argv) == 4:
        judge(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)

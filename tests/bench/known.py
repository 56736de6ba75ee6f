#!/usr/bin/env python3
"""The corpus of tests/bench/known, and the judgement over it.

known.py DIR BIN BENCH DOCUMENTS SEED

A document is a contract or a letter of an office, Japanese or English: head, terms of business and end are the same for all (about a third of
the text), the rest is its own. What leaves the office is made of it, or is another one of the same form.
"""
import json
import os
import random
import subprocess
import sys
import time

JA = ("価格 数量 納期 仕様 検査 設計 図面 試験 工程 原価 見積 契約 甲 乙 丙 製品 部品 材料 出荷 返品 保証 期間 責任 範囲 条件 変更 通知 承認 支払 請求 手数料 税額 東京 大阪 "
      "名古屋 工場 倉庫 担当 部長 会議 資料 計画 予算 実績 前年 比率 増加 減少 改善 提案 顧客 市場 競合 戦略 販売 広告 採用 研修 評価 給与 賞与").split()
PARTS = "は が を に で と の から まで について により として および または".split()
ENDS = "とする。 する。 した。 である。 と定める。 を行う。 に変更する。 を確認した。".split()
EN = ("price amount delivery specification inspection design drawing test process cost estimate contract buyer seller product component material "
      "shipment return warranty period liability scope condition change notice approval payment invoice fee tax office factory warehouse manager "
      "meeting plan budget result ratio growth decline proposal customer market rival strategy sales training review salary bonus").split()
HEAD = {"ja": "株式会社関所 営業本部 〒100-0001 東京都千代田区千代田一丁目 電話 03-0000-0000 いつもお世話になっております。下記のとおりご連絡申し上げます。",
        "en": "Sekisho Corporation, Sales Division, 1-1 Chiyoda, Tokyo. Dear Sir or Madam, thank you for your continued business with our company. "
              "Please find our proposal below and do not hesitate to contact us. "}
TERMS = {"ja": "第一条(秘密保持)甲および乙は、本契約の履行に際し知り得た相手方の技術上または営業上の秘密を、相手方の書面による事前の承諾なく第三者に開示し、または本契約の目的以外に"
               "使用してはならない。第二条(損害賠償)甲または乙が本契約に違反し相手方に損害を与えたときは、その損害を賠償する責を負う。第三条(反社会的勢力の排除)甲および乙は、自らが"
               "反社会的勢力に該当しないことを表明し保証する。第四条(合意管轄)本契約に関する紛争は東京地方裁判所を第一審の専属的合意管轄裁判所とする。",
         "en": "Neither party shall disclose any confidential information received under this agreement to a third party without prior written consent "
               "of the other party. Each party shall be liable for damages caused by its breach of this agreement. This agreement is governed by the laws "
               "of Japan and any dispute shall be submitted to the exclusive jurisdiction of the Tokyo District Court. In witness whereof the parties have "
               "executed this agreement as of the date first written above. "}
SHARES = (5, 10, 20, 30, 50, 80)


def sentence(r, lang):
    if lang == "en":
        return " ".join(r.choice(EN) for _ in range(r.randrange(7, 16))).capitalize() + ". "
    return "".join(r.choice(JA) + r.choice(PARTS) for _ in range(r.randrange(4, 9))) + r.choice(JA) + r.choice(ENDS)


def body(r, lang, n):
    return [sentence(r, lang) + (str(r.randrange(10**6)) + (" yen. " if lang == "en" else "円。") if r.random() < 0.3 else "") for _ in range(n)]


def edited(r, lang, sentences, share):
    """So many of its sentences are others."""
    return [sentence(r, lang) if r.random() < share else s for s in sentences]


def write(place, name, text):
    with open(os.path.join(place, name), "w", encoding="utf-8") as f:
        f.write(text)
    return os.path.join(place, name)


def convert(place, files, target, work):
    for i in range(0, len(files), 40):
        subprocess.run(["soffice", "--headless", "--infilter=Text (encoded):UTF8,LF,,,", "--convert-to", target, "--outdir", place, *files[i:i + 40]],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=work))


def main(place, programs, bench, n, seed):
    r = random.Random(seed)
    known, cases = [], {}  # file: (kind, the one that it is of, or None)
    for i in range(n):
        lang = "ja" if i % 3 else "en"
        # Four to thirty pages' worth.
        text = body(r, lang, r.choice([40, 60, 100, 300]))
        name = "k%03d" % i
        full = [HEAD[lang]] + text + [TERMS[lang]]
        known.append(write(place, name + ".txt", "\n".join(full) + "\n"))
        other = body(r, lang, len(text))
        half, tenth = len(text) // 2, max(1, len(text) // 10)

        def case(kind, parts, of=name):
            cases[write(place, "%s-%s.txt" % (name, kind.replace(" ", "-")), "\n".join(parts) + "\n")] = (kind, of)
        case("a tenth of its sentences changed", [HEAD[lang]] + edited(r, lang, text, 0.1) + [TERMS[lang]])
        case("a third of its sentences changed", [HEAD[lang]] + edited(r, lang, text, 0.33) + [TERMS[lang]])
        case("half of it", text[:half])
        case("half of it in another document", other[:half] + text[half:] + other[half:])
        case("a tenth of it in another document", other[:half] + text[half:half + tenth] + other[half:])
        case("another document of the same form", [HEAD[lang]] + other + [TERMS[lang]], None)
        case("a short letter of the same form", [HEAD[lang]] + other[:6] + [TERMS[lang]], None)
        case("another document", other, None)
    convert(place, known, "docx:MS Word 2007 XML", place)
    convert(place, known, "pdf", place)
    for path in known:
        name = os.path.basename(path)[:-4]
        cases[path] = ("the file", name)
        cases[path[:-4] + ".docx"] = ("as docx", name)
        cases[path[:-4] + ".pdf"] = ("as pdf", name)
    policy = os.path.join(place, "policy.yaml")
    made = subprocess.run([os.path.join(programs, "sekishoctl"), "policy", "fingerprint", *known], stdout=subprocess.PIPE, check=True,
                          env=dict(os.environ, SEKISHO_ROOT="/nonexistent")).stdout
    with open(policy, "wb") as f:
        f.write(b"version: 1\n" + made)
    started = time.monotonic()
    run = subprocess.run([bench, os.path.join(programs, "sekisho-inspect"), policy, *cases], stdout=subprocess.PIPE, check=True)
    seconds = time.monotonic() - started
    told = {o["file"]: o["known"] for o in map(json.loads, run.stdout.splitlines())}
    tally = {}
    for path, (kind, of) in cases.items():
        right = told[path].get("%s.txt" % of, 0)
        wrong = max([v for k, v in told[path].items() if k != "%s.txt" % of], default=0)
        tally.setdefault(kind, []).append((right, wrong))
    for kind, pairs in sorted(tally.items()):
        rights = sorted(p[0] for p in pairs)
        print(json.dumps({"case": kind, "files": len(pairs), "share_least": rights[0], "share_median": rights[len(rights) // 2],
                          "share_of_others_most": max(p[1] for p in pairs)}))
    for share in SHARES:
        hit = sum(p[0] >= share for k, ps in tally.items() for p in ps if "another document" != k and "same form" not in k)
        want = sum(len(ps) for k, ps in tally.items() if k != "another document" and "same form" not in k)
        false = sum(p[1] >= share for ps in tally.values() for p in ps)
        print(json.dumps({"share": share, "copies": want, "found": hit, "recall": round(hit / want, 4), "false": false,
                          "precision": round(hit / (hit + false), 4) if hit + false else 1.0}))
    print(json.dumps({"known": n, "policy_bytes": os.path.getsize(policy), "files": len(cases), "seconds": round(seconds, 2)}))


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))

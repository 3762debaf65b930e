"""How well and how fast citations are read, and whether corrupted ones are told for what they are.

Run: python bench/citations.py      (under a minute; needs `pip install eyecite`, which is no part of the project)
Prints Markdown: precision and recall on the labelled strings, answers a second beside eyecite, laws beside laws,
corruptions by verdict.
"""

from __future__ import annotations

import logging
import platform
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

from forge_assets.citations.evaluation.corruptions import ClassifiedCase, CorruptionKind, cases, classify_cases, counts
from forge_assets.citations.evaluation.cross_table import crossed_texts, read_crossed
from forge_assets.citations.evaluation.labelled_set import LabelledText, Tally, read_set, score_set
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.law.loading import load_domain, load_framework
from forge_assets.law.model import Framework
from forge_assets.law.statutes import Statutes, load_statutes

PROJECT = Path(__file__).resolve().parents[1]
PACK = PROJECT / "frameworks" / "labour"
LABELLED = PROJECT / "tests" / "citations" / "citation_set"
ANSWERS, ROUNDS, SEED = 300, 5, 20261125
WORDS = (110, 500)
"""Words of a short answer, and of a long one."""
PROSE = (
    "The employer must inform the employees' representatives in good time and in writing before it decides.",
    "Consultation begins while the plan can still be changed, and its result has to be recorded.",
    "About 120 of the 480 employees at the site are affected within the next 90 days.",
    "Until the procedure is complete no notice may be given, and a decision taken earlier can be set aside.",
    "The supplier's system logs working hours and ranks applicants, so monitoring has to be assessed as well.",
    "Where no agreement is reached, either side may call in the conciliation body that the law provides for.",
    "Next steps: prepare the documents, set dates for two meetings, and keep minutes of both.",
    "This does not depend on whether the works council has already been heard on an earlier version.",
)
AMERICAN = (
    "42 U.S.C. § 1983",
    "Notice is due under 29 U.S.C. § 2102(a), as 29 C.F.R. § 639.7 sets out",
    "See First Nat'l Maintenance Corp. v. NLRB, 452 U.S. 666, 686 (1981)",
    "NLRB v. Katz, 369 U.S. 736 (1962); NLRB v. Wooster Div. of Borg-Warner Corp., 356 U.S. 342 (1958)",
    "29 U.S.C. §§ 151 and 158(d); 29 U.S.C. § 2101",
    "Oubre v. Entergy Operations, Inc., 522 U.S. 422 (1998), applies 29 U.S.C. § 626(f)",
    "Fibreboard Paper Prods. Corp. v. NLRB, 379 U.S. 203, 210 (1964)",
)
"""What eyecite is made to read, with about as many citations a text."""
CASES: dict[CorruptionKind, str] = {
    "none": "none: the true citation",
    "unit": "unit beyond the last",
    "paragraph": "paragraph beyond the last",
    "point": "point beyond the last",
    "country": "law of another country",
    "repealed": "repealed unit",
    "not_yet": "not yet in force",
    "no_longer": "no longer in force",
}


def main() -> None:
    """Measure and print."""
    try:
        from eyecite import get_citations
    except ImportError:
        sys.exit("eyecite is not installed: pip install eyecite")
    logging.getLogger("eyecite").setLevel(logging.ERROR)  # its warnings on foreign citations would cost it time
    domain = load_domain(PACK)
    found = [load_framework(path, domain) for path in sorted((PACK / "jurisdictions").glob("*.yaml"))]
    frameworks = {framework.jurisdiction: framework for framework in found}
    statutes = {code: load_statutes(PACK, framework) for code, framework in frameworks.items()}
    laws = LawIndex.build(domain, found, statutes)
    rows = read_set(LABELLED)
    print(f"# Citations, {machine()}, {date.today()}\n\nCommand: `python bench/citations.py`\n")
    print_scores(rows, read_set(LABELLED / "second"), laws)
    for words in WORDS:
        print_speed(rows, laws, get_citations, words)
    print_crossed(frameworks, statutes, laws)
    print_corruptions(
        [v for code in frameworks for v in classify_cases(cases(domain, frameworks, statutes, code), frameworks, laws)]
    )


def machine() -> str:
    """Processor and Python."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return (
        f"{len(names) or '?'} cores {names[0] if names else platform.processor()}, Python {platform.python_version()}"
    )


def print_scores(main_set: list[LabelledText], second_set: list[LabelledText], laws: LawIndex) -> None:
    """Precision and recall on both sets: in all, by jurisdiction and by form."""
    first, second = score_set(main_set, laws), score_set(second_set, laws)
    print("## Labelled strings\n")
    print("| | Strings | Places | Precision | Recall | Second-set strings | Places | Precision | Recall |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    print(row("**all**", first.whole, second.whole))
    for ours, others in ((first.by_jurisdiction, second.by_jurisdiction), (first.by_form, second.by_form)):
        for name, tally in ours.items():
            print(row(name, tally, others.get(name, Tally.of(()))))
    for title, score in (("Main set", first), ("Second set", second)):
        empty = Tally.of(r for r in score.readings if not r.row.keys)
        print(
            f"\n{title}: nothing is read in {score.clean_negatives:.1%} of the look-alikes (`negative`); in all "
            f"strings without a place, laws not held included, places read that are not there: {empty.extra}."
        )
    print()


def row(name: str, *tallies: Tally) -> str:
    """One line of the table."""
    cells = [f"{t.texts} | {t.found + t.missed} | {shares(t)}" for t in tallies]
    return f"| {' | '.join([name, *cells])} |"


def shares(tally: Tally) -> str:
    """Precision and recall, which say nothing where there is no place to read."""
    return f"{tally.precision:.3f} | {tally.recall:.3f}" if tally.found + tally.missed else "– | –"


def answers(citing: Sequence[str], words: int) -> list[str]:
    """Texts as long as a model's answer, of strings that cite and prose in turn."""
    drawn = random.Random(SEED)
    texts = []
    for _ in range(ANSWERS):
        wanted = drawn.randint(words * 6 // 11, words * 13 // 11)
        parts: list[str] = []
        while len(" ".join(parts).split()) < wanted:
            parts += [drawn.choice(PROSE), f"{drawn.choice(citing).rstrip('.')}."]
        texts.append(" ".join(" ".join(parts).split()[: words * 15 // 11]))
    return texts


def print_speed(
    rows: list[LabelledText], laws: LawIndex, get_citations: Callable[[str], list[object]], mean: int
) -> None:
    """Answers a second, both parsers in turn on the same texts in one process, and eyecite on what it is made for."""
    texts = answers([row.text for row in rows], mean)
    words = [len(text.split()) for text in texts]
    readers: dict[str, tuple[Callable[[str], list[object]], list[str]]] = {
        "this engine": (lambda text: list(parse(text, laws)), texts),
        "eyecite": (get_citations, texts),
        "eyecite, United States citations in their place": (get_citations, answers(AMERICAN, mean)),
    }
    rates: dict[str, list[float]] = {name: [] for name in readers}
    read = {name: sum(len(reader(text)) for text in given) for name, (reader, given) in readers.items()}
    for _ in range(ROUNDS):
        for name, (reader, given) in readers.items():
            started = time.perf_counter()
            for text in given:
                reader(text)
            rates[name].append(len(given) / (time.perf_counter() - started))
    print(f"## Speed, answers of about {mean} words\n")
    print("| | Answers a second | Slowest and fastest round | Citations found |\n|---|---:|---:|---:|")
    for name, found in rates.items():
        spread = f"{min(found):.0f} to {max(found):.0f}"
        print(f"| {name} | {statistics.median(found):.0f} | {spread} | {read[name]} |")
    ours, same, american = (statistics.median(found) for found in rates.values())
    print(
        f"\nOn the same texts this engine reads {ours / same:.2f} times as many a second as eyecite, which knows "
        "citations of the United States and passes most of these over; against eyecite on its own citations, "
        f"{ours / american:.1f} times. {len(texts)} texts of {min(words)} to {max(words)} words "
        f"(mean {statistics.mean(words):.0f}), median of {ROUNDS} "
        "rounds after one to warm up, one process.\n"
    )


def print_crossed(frameworks: dict[str, Framework], statutes: dict[str, Statutes], laws: LawIndex) -> None:
    """Whose place it is, where laws that are held stand beside others, held or not."""
    read = [r for code, f in frameworks.items() for r in read_crossed(crossed_texts(f, statutes[code]), laws)]
    wrong, real = sum(not r.right for r in read), sum(bool(r.wrongly_real) for r in read)
    print("## Laws beside laws\n")
    print(
        f"{len(read)} sentences with a place of a held law and one of another law, in both orders and word orders: "
        f"{wrong} read wrongly, {real} with a place read as real or fabricated that is not cited.\n"
    )


def print_corruptions(judged: Iterable[ClassifiedCase]) -> None:
    """How often each kind of corruption was given each class."""
    judged = list(judged)
    counted = counts(judged)
    classes = [name for name, _ in Counter(n for found in counted.values() for n in found.elements()).most_common()]
    print("## Corruptions\n")
    print(f"| Corrupted | Cases | As expected | {' | '.join(classes)} |\n|---|---:|---:|{'---:|' * len(classes)}")
    for kind, title in CASES.items():
        right = sum(v.right for v in judged if v.case.kind == kind)
        cells = [str(counted[kind][name]) for name in classes]
        print(f"| {' | '.join([title, str(counted[kind].total()), str(right), *cells])} |")
    wronged = [v for v in judged if v.case.kind != "none"]
    provisions = len({v.case.provision for v in judged})
    print(
        f"\n{provisions} provisions, each in its country's form and in English. Corruptions accepted as `required` or "
        f"`relevant`: {sum(v.accepted for v in wronged)} of {len(wronged)}. Of a law held in part, a unit beyond the "
        "last cannot be called fabricated and is expected to be `unverifiable`."
    )


if __name__ == "__main__":
    main()

"""How well citations are read in sentences that others wrote: courts, firms, commentary, authorities, statutes.

Run: python bench/citations_fresh.py [--set FILE] [--second FILE] [--mistakes]      (half a minute)
Prints Markdown: precision and recall with 95% intervals, by country and by kind of text, without and with the country
given; places called real or fabricated that nobody cites; how far two labellers agree.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date
from pathlib import Path

from forge_assets.citations.evaluation.found_sentences import (
    SentenceScore,
    agreement,
    interval,
    read_sentences,
    score_sentences,
)
from forge_assets.citations.evaluation.labelled_set import Tally
from forge_assets.citations.law_index import LawIndex
from forge_assets.law.loading import load_domain, load_framework
from forge_assets.law.statutes import load_statutes

PROJECT = Path(__file__).resolve().parents[1]
PACK = PROJECT / "frameworks" / "labour"
FOUND = PROJECT / "tests" / "citations" / "found_sentences"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--set", type=Path, default=FOUND / "sentences.jsonl", dest="path")
    options.add_argument("--second", type=Path, default=FOUND / "second_labels.jsonl", help="labels of a second reader")
    options.add_argument("--mistakes", action="store_true", help="print every sentence not read as labelled")
    chosen = options.parse_args()
    rows = read_sentences(chosen.path)
    domain = load_domain(PACK)
    found = [load_framework(path, domain) for path in sorted((PACK / "jurisdictions").glob("*.yaml"))]
    laws = LawIndex.build(domain, found, {f.jurisdiction: load_statutes(PACK, f) for f in found})
    codes = [framework.jurisdiction for framework in found]
    print(f"# {len(rows)} sentences of others, {date.today()}\n")
    started = time.process_time()
    score_sentences(rows, laws)  # patterns are compiled when first met
    first = time.process_time() - started
    started = time.process_time()
    alone, told = score_sentences(rows, laws), score_sentences(rows, laws, codes)
    print(f"Read in {first:.1f} CPU seconds the first time, in {(time.process_time() - started) / 2:.1f} then.\n")
    inside = score_sentences([row for row in rows if row.country in codes], laws)
    print_whole({"country not given": alone, "country given": told, "the same, catalog only": inside})
    print_groups(alone, told)
    if chosen.second.is_file():
        print_agreement(chosen.path, chosen.second)
    if chosen.mistakes:
        print_mistakes(alone, told)


def print_whole(scores: dict[str, SentenceScore]) -> None:
    """Figures over all sentences, with intervals."""
    print("| | Sentences | Places | Precision | Recall | Wrongly real or fabricated |\n|---|---:|---:|---:|---:|---:|")
    for name, scored in scores.items():
        tally, readings = scored.score.whole, scored.score.readings
        ends = [interval(readings, lambda t: t.precision), interval(readings, lambda t: t.recall)]
        cells = [
            f"{value:.3f} ({low:.3f} to {high:.3f})"
            for value, (low, high) in zip((tally.precision, tally.recall), ends, strict=True)
        ]
        print(f"| {name} | {tally.texts} | {places(tally)} | {' | '.join(cells)} | {len(scored.mistakes)} |")
    print()


def print_groups(alone: SentenceScore, told: SentenceScore) -> None:
    """Figures by country and by kind of text."""
    print("| | Sentences | Places | Precision | Recall | Precision, country given | Recall, country given |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for one, other in (
        (alone.score.by_jurisdiction, told.score.by_jurisdiction),
        (alone.score.by_form, told.score.by_form),
    ):
        for name, tally in one.items():
            shares = [f"{value:.2f}" for t in (tally, other[name]) for value in (t.precision, t.recall)]
            print(f"| {name} | {tally.texts} | {places(tally)} | {' | '.join(shares)} |")
    print()


def places(tally: Tally) -> int:
    """How many places there are to read."""
    return tally.found + tally.missed


def print_agreement(labelled: Path, path: Path) -> None:
    """How far a second reader's labels agree with the set's, also where a sentence's text is not kept."""
    second, kept = ([json.loads(line) for line in p.read_text("utf-8").splitlines()] for p in (path, labelled))
    first = {row["id"]: tuple(row["expected"]) for row in kept}
    both = [label for label in second if label["id"] in first]
    share = agreement((first[label["id"]] for label in both), (tuple(label["expected"]) for label in both))
    alike = sum(set(first[label["id"]]) == set(label["expected"]) for label in both)
    print(f"Two readers on {len(both)} sentences: F1 {share:.3f} on keys, {alike} sentences labelled alike.\n")


def print_mistakes(alone: SentenceScore, told: SentenceScore) -> None:
    """Every sentence not read as labelled, and every place wrongly called real or fabricated."""
    for name, scored in (("country not given", alone), ("country given", told)):
        print(f"## Mistakes, {name}\n")
        for reading in scored.score.mistakes:
            print(f"- {reading.row.jurisdiction} {reading.row.form}: {reading.row.text!r}")
            print(f"  missed {list(reading.missed)}, read besides {list(reading.extra)}")
        for mistake in scored.mistakes:
            print(f"- {mistake.key} called {mistake.status} in {mistake.sentence.id}")


if __name__ == "__main__":
    main()

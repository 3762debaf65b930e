"""How varied the prompts of a table are, beside one fixed sentence frame filled from the same rows.

Run: python bench/diversity.py SAMPLES.parquet [--column prompt] [--language en] [--split train]
SAMPLES is a Parquet file, a folder of them or a glob. Prints Markdown.

Both sides are measured on the same rows, drawn once with a fixed seed, in the same order. The frame is filled with the
row's jurisdictions, change type and task type and every number its prompt states; what a prompt says in words alone
(company, yes-or-no facts, headings asked for) the frame does not have. Distinct-n and the compression ratio depend on
length, hence the lines where both sides are cut to as many words in all.

distinct-n: n-grams that differ, by all n-grams of the sample. Li et al., A Diversity-Promoting Objective Function for
    Neural Conversation Models, NAACL 2016, arXiv:1510.03055.
self-BLEU-4: mean BLEU of each prompt against all others of a sample, Zhu et al., Texygen, SIGIR 2018, arXiv:1802.01886,
    whose code takes 500 texts, equal weights and smoothing 1 (epsilon 0.1) of Chen and Cherry, A Systematic Comparison
    of Smoothing Techniques for Sentence-Level BLEU, WMT 2014. Gives what nltk's `sentence_bleu` gives, faster.
compression ratio: bytes by bytes after gzip, Shaib et al., Standardizing the Measurement of Text Diversity, 2024,
    arXiv:2403.00553.
"""

from __future__ import annotations

import argparse
import gzip
import math
import platform
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

SEED, PROMPTS, BLEU_PROMPTS = 20261125, 5000, 500
FRAME = (
    "A company in {jurisdictions} plans the following change: {change}. The figures are: {numbers}. "
    "Please write the {task} that this calls for, and name the provisions that apply."
)
TOKEN = re.compile(r"\w+|[^\w\s]")
NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f]\d{3})*")

Words = list[str]


def main() -> None:
    """Read, draw, measure both sides and print."""
    parser = argparse.ArgumentParser(description="Diversity of prompts beside a single template's.")
    parser.add_argument("samples", help="Parquet file, folder or glob")
    parser.add_argument("--column", default="prompt")
    parser.add_argument("--language", default="en", help="only rows in it, where there is a column language")
    parser.add_argument("--split", help="only rows of this split")
    parser.add_argument("--prompts", type=int, default=PROMPTS, help="how many rows to draw")
    parser.add_argument("--bleu-prompts", type=int, default=BLEU_PROMPTS, help="how many of them self-BLEU compares")
    arguments = parser.parse_args()
    rows, held = drawn(arguments.samples, arguments.column, arguments.language, arguments.split, arguments.prompts)
    if len(rows) < 2:
        sys.exit(f"{arguments.samples}: {len(rows)} rows in {arguments.language}, two are needed")
    sides = {
        f"`{arguments.column}`": [str(row[arguments.column]) for row in rows],
        "single template": [framed(row, str(row[arguments.column])) for row in rows],
    }
    command = " ".join(["python bench/diversity.py", *sys.argv[1:]])
    print(f"# Diversity of prompts, {platform.machine()}, Python {platform.python_version()}, {date.today()}\n")
    print(f"Command: `{command}`\n")
    print_table(sides, arguments.bleu_prompts)
    print(
        f"\n{len(rows)} of {held} rows in {arguments.language or 'any language'}, self-BLEU on the first "
        f"{min(arguments.bleu_prompts, len(rows))} of them, seed {SEED}. Higher distinct-n, lower self-BLEU and lower "
        f"compression ratio are more varied. Words include punctuation. The template: “{FRAME}”"
    )


def drawn(
    samples: str, column: str, language: str, split: str | None, count: int
) -> tuple[list[dict[str, object]], int]:
    """Rows in seeded order and how many there were to draw from."""
    table = pl.scan_parquet(samples)
    names = table.collect_schema().names()
    if language and "language" in names:
        table = table.filter(pl.col("language") == language)
    if split:
        table = table.filter(pl.col("split") == split)
    if "sample_id" in names:
        table = table.sort("sample_id")  # the draw does not depend on the order of files
    found = table.select(column, "jurisdictions", "change_type", "task_type").collect()
    return found[random.Random(SEED).sample(range(found.height), min(count, found.height))].to_dicts(), found.height


def framed(row: dict[str, object], prompt: str) -> str:
    """The fixed sentence frame with what a row says beside its wording."""
    places = row["jurisdictions"]
    return FRAME.format(
        jurisdictions=" and ".join(map(str, places)) if isinstance(places, list) else places,
        change=str(row["change_type"]).replace("_", " "),
        task=str(row["task_type"]).replace("_", " "),
        numbers=", ".join(NUMBER.findall(prompt)) or "not stated",
    )


def print_table(sides: dict[str, list[str]], bleu_prompts: int) -> None:
    """One measure a line, one side a column."""
    tokens = {name: [TOKEN.findall(text) for text in texts] for name, texts in sides.items()}
    budget = min(sum(map(len, texts)) for texts in tokens.values())
    equal = {name: cut(texts, budget) for name, texts in tokens.items()}
    lines: dict[str, list[str]] = {
        "prompts": [f"{len(texts)}" for texts in sides.values()],
        "different prompts": [f"{len(set(texts)) / len(texts):.1%}" for texts in sides.values()],
        "words a prompt": [f"{sum(map(len, texts)) / len(texts):.1f}" for texts in tokens.values()],
        **{f"distinct-{n}": [f"{distinct(texts, n):.4f}" for texts in tokens.values()] for n in (1, 2, 3)},
        "self-BLEU-4": [f"{self_bleu(texts[:bleu_prompts]):.3f}" for texts in tokens.values()],
        "compression ratio, gzip": [f"{compression(texts):.2f}" for texts in sides.values()],
        "**cut to as many words in all**": [f"{budget}" for _ in sides],
        **{f"distinct-{n}, cut": [f"{distinct(texts, n):.4f}" for texts in equal.values()] for n in (1, 2, 3)},
        "compression ratio, cut": [f"{compression([' '.join(t) for t in texts]):.2f}" for texts in equal.values()],
    }
    print(f"| | {' | '.join(sides)} |\n|---|{'---:|' * len(sides)}")
    for name, cells in lines.items():
        print(f"| {name} | {' | '.join(cells)} |")


def cut(texts: Sequence[Words], budget: int) -> list[Words]:
    """The first texts with so many words together, the last of them cut short."""
    kept: list[Words] = []
    for text in texts:
        if budget <= 0:
            break
        kept.append(text[:budget])
        budget -= len(text)
    return kept


def ngrams(words: Words, n: int) -> Iterator[tuple[str, ...]]:
    """Runs of n words."""
    return zip(*(words[start:] for start in range(n)), strict=False)


def distinct(texts: Sequence[Words], n: int) -> float:
    """Share of the n-grams of all texts that are different ones."""
    found = [gram for text in texts for gram in ngrams(text, n)]
    return len(set(found)) / len(found)


def compression(texts: Sequence[str]) -> float:
    """Bytes by bytes after gzip, texts one a line."""
    raw = "\n".join(texts).encode()
    return len(raw) / len(gzip.compress(raw, compresslevel=9, mtime=0))


def self_bleu(texts: Sequence[Words], order: int = 4) -> float:
    """Mean BLEU of each text against all others.

    BLEU clips an n-gram's count at the most that any reference has. Of each n-gram the two highest counts are kept, so
    the most among all others is the second where the text itself holds the first: no text is compared pair by pair.
    """
    counts = [[Counter(ngrams(text, n)) for n in range(1, order + 1)] for text in texts]
    most: dict[tuple[str, ...], tuple[int, int]] = {}
    for text_counts in counts:
        for gram, count in (pair for found in text_counts for pair in found.items()):
            first, second = most.get(gram, (0, 0))
            most[gram] = (count, first) if count >= first else (first, max(second, count))
    lengths = Counter(map(len, texts))
    scores = []
    for text, text_counts in zip(texts, counts, strict=True):
        matched = [sum(min(c, most[g][c == most[g][0]]) for g, c in found.items()) for found in text_counts]
        if not matched[0]:  # no word in common, as nltk has it
            scores.append(0.0)
            continue
        shares = [(hits or 0.1) / max(1, found.total()) for hits, found in zip(matched, text_counts, strict=True)]
        others = (length for length, held in lengths.items() if held > (length == len(text)))
        closest = min(others, key=lambda length: (abs(length - len(text)), length))
        brevity = min(0.0, 1 - closest / len(text))
        scores.append(math.exp(brevity + sum(map(math.log, shares)) / order))
    return sum(scores) / len(scores)


if __name__ == "__main__":
    main()

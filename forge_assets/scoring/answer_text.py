"""Parse an answer's text without the law: headings, the level named, overlap with the reference."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from forge_assets.citations.normalized_text import CleanText

_HEADING = re.compile(r"^#{1,6} +(.*)$")
_LINE_START = re.compile(r"^(?:[ \t]*>[ \t]?)+|^ {1,3}(?=#)", re.MULTILINE)
_TOKEN = re.compile(r"\w+|§")
_WORD = re.compile(r"\w\w")
_HYPHEN = re.compile(r"[-_]")

LevelWords = Sequence[Mapping[str, Any]]
"""Column `level_words` of a sample: `level` and the words that name it, `said`."""


def plain_text(answer: str) -> str:
    """Normalize an answer for scoring: composed letters, nothing invisible, no quote marks, a paragraph on one line."""
    return _LINE_START.sub("", CleanText.of(answer).text.replace("\r\n", "\n").replace("\r", "\n"))


class UnicodeTokenizer:
    """Case-folded words of any script and the section sign: rouge-score's own keeps ASCII only."""

    def tokenize(self, text: str) -> list[str]:
        """Split into tokens."""
        return _TOKEN.findall(text.casefold())


@cache
def _scorer() -> Any:
    from rouge_score import rouge_scorer  # type: ignore[import-untyped]  # brings nltk and SciPy: a second

    return rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=UnicodeTokenizer())


def rouge(answer: str, reference: str) -> tuple[float, float, float]:
    """Compute the F-measures of ROUGE-1, ROUGE-2 and ROUGE-L."""
    found = _scorer().score(reference, answer)
    return tuple(float(found[kind].fmeasure) for kind in ("rouge1", "rouge2", "rougeL"))  # type: ignore[return-value]


def structure(answer: str, sections: Sequence[str]) -> float:
    """Compute the share of the wanted sections that stand as non-empty headings in the right order.

    Headings beyond the wanted ones count in the denominator, so adding headings cannot raise the score. Where none is
    wanted, plain sentences score 1 and n headings 1 / (1 + n).
    """
    wanted = [heading_name(s) for s in sections]
    headings = sections_of(answer)
    if not wanted:
        return 1 / (1 + len(headings)) if _WORD.search(answer) else 0.0
    kept = _common_length(wanted, [heading_name(name) for name, body in headings if _WORD.search(body)])
    return kept / max(len(wanted), len(headings))


def level_named(answer: str, level_words: LevelWords) -> str | None:
    """Find the level that is named first in the text under the headings; of words that begin alike, by the longest."""
    text = "\n".join(line for line in answer.splitlines() if not _HEADING.match(line))
    pattern, levels = _naming(tuple((each["level"], tuple(each["said"])) for each in level_words))
    found = pattern.search(text.casefold())
    return levels[found.lastindex - 1] if found and found.lastindex else None


@lru_cache(maxsize=256)
def _naming(level_words: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[re.Pattern[str], list[str]]:
    """What finds a word that names a level, and the level of each of its groups."""
    named = [(words.casefold(), level) for level, said in level_words for words in said if words.strip()]
    named.sort(key=lambda pair: -len(pair[0]))
    words = "|".join(f"({_flexible(said)})" for said, _ in named) or "(?!)"
    return re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])"), [level for _, level in named]


def _flexible(words: str) -> str:
    """A pattern of words whose hyphens may be missing or spaces: `codetermination` is `co-determination`."""
    return r"\s+".join(r"[-_\s]?".join(map(re.escape, _HYPHEN.split(word))) for word in words.split())


def sections_of(answer: str) -> list[tuple[str, str]]:
    """Split an answer into headings and the text under each, in order."""
    found: list[tuple[str, list[str]]] = []
    for line in answer.splitlines():
        heading = _HEADING.match(line)
        if heading:
            found.append((heading[1], []))
        elif found:
            found[-1][1].append(line)
    return [(name, "\n".join(body)) for name, body in found]


def heading_name(heading: str) -> str:
    """Normalize a heading for comparison: without case and marks."""
    return heading.strip().strip("*:# ").casefold()


def _common_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], before + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]

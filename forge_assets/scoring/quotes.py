"""Find what an answer puts in quotation marks and check that it is verbatim: from the law held or the question."""

from __future__ import annotations

import re
from collections.abc import Iterable

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.wording import Wording, wording

LEAST_WORDS = 3
"""Fewer in quotation marks are a name or a term."""

_INSIDE = r"(?:[^{0}\n]|\n(?!\s*(?:\n|#)))*"
"""Within directed marks a passage may run over lines, but not over a blank one or a heading."""
_MARKS = ("«»", "»«", "„“”", "“”", "””")
_QUOTED = re.compile(
    "|".join(f"{marks[0]}({_INSIDE.format(marks)})[{marks[1:]}]" for marks in _MARKS)
    + r'|„([^„"\n]*)"|(?<![^\W_])"([^"\n]*)"'
)  # fmt: skip
_LEFT_OUT = re.compile(r"[\[(]? ?(?:…|\.{3,}|(?:\. ){2,}\.) ?[\])]?")
_WORD = re.compile(r"[^\W_]+")
_HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)
_EDGES = " .,;:!?-'\""


def quotes(text: str) -> list[tuple[str, ...]]:
    """List the different passages of at least three words that a text quotes.

    Returns:
        Of each the parts between `…`, as `wording` gives them, without the marks at their ends.
    """
    found = (next(filter(None, quoted.groups()), "") for quoted in _QUOTED.finditer(_HEADING.sub("", text)))
    passages = [_parts(passage) for passage in found if len(_WORD.findall(passage)) >= LEAST_WORDS]
    return list(dict.fromkeys(filter(None, passages)))


def false_quotes(found: Iterable[tuple[str, ...]], question: str, laws: LawIndex, at_home: Iterable[str]) -> int:
    """Count quotes that are verbatim neither in the law held of some jurisdictions nor in the question.

    A quote with words left out is verbatim where its parts stand in order in one unit, and one of them has three words.

    Args:
        found: what `quotes` found in an answer.
    """
    home, asked = list(at_home), None
    false = 0
    for parts in found:
        if not any(len(_WORD.findall(part)) >= LEAST_WORDS for part in parts):
            false += 1
        elif not laws.holds(parts, home):
            asked = asked or Wording([question])
            false += not asked.holds(parts)
    return false


def _parts(passage: str) -> tuple[str, ...]:
    return tuple(part for each in _LEFT_OUT.split(passage) if (part := wording(each).strip(_EDGES)))

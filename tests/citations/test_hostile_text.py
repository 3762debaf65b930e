"""Texts made to be slow or to break the parser are read in time that grows with them and no faster."""

from __future__ import annotations

import time

import pytest

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse

PIECES = {
    "list of signs": "§ 1, ",
    "open brackets": "((((",
    "closed brackets": ")))) ",
    "dotted": "art. 64.",
    "ranges": "§§ 1-2, 3 und ",
    "wide ranges": "§§ 1-999, ",
    "law and list": "§ 87 BetrVG, § 1 ",
    "law first": "BetrVG § 87, ",
    "other laws": "SGB IX § 168, ",
    "laws alone": "BetrVG KSchG ",
    "laws and commas": "BetrVG, KSchG, ",
    "spaces": " ",
    "no-break spaces": "\u00a0",
    "lines": "\n",
    "stops": ". ",
    "dots": "...",
    "commas": ",,,, ",
    "signs": "§§§§",
    "digits": "1234567890",
    "numbers": "1 2 3 4 5 ",
    "numbers and dots": "1.2.3.4.",
    "slashes": "1/2/3/4 ",
    "words for law": "law law law ",
    "law by number": "Ley 36/2011, ",
    "law by date": "loi du 3 juillet 1978 ",
    "half a law by date": "ustawy z dnia 23 maja ",
    "titles": "Employment Rights ",
    "acts": "Act Act Act ",
    "ofs": "of the of the ",
    "prepositions": "a i o de la du ",
    "joins": "and or und et y ",
    "parts": "Abs. 1 Nr. 2 ",
    "parts before": "letras a), b), c) ",
    "ordinals": "first second third ",
    "Roman": "I II III IV ",
    "combining": "e\u0301",
    "soft hyphens": "a\u00ad",
    "entities": "&sect; 1 ",
    "broken entities": "&#&#&#",
    "tags": "<b><i><",
    "emphasis": "**_*",
    "links": "[§ 1](x)[",
    "tables": "| § 1 | BetrVG |\n",
    "quotes": "> § 1\n> ",
    "apostrophes": "'§ 1' l'",
    "wide letters": "§ ８７ ",
    "long word": "Gesetz",
    "capitals": "ABCDEFG ",
    "case numbers": "12345/99, § 4, ",
    "same law": "of that Act ",
    "no law": "of this agreement ",
    "countries": "German Works ",
}
LONG = 60_000


@pytest.mark.parametrize("name", PIECES)
def test_reading_time_grows_with_the_text_and_not_faster(laws: LawIndex, name: str) -> None:
    def seconds(letters: int) -> float:
        text = (PIECES[name] * (letters // len(PIECES[name]) + 1))[:letters]
        started = time.process_time()
        parse(text, laws, "DE")
        return time.process_time() - started

    short, long = min(seconds(LONG // 8) for _ in range(2)), seconds(LONG)
    assert long < 8 * short * 4 + 0.1, (short, long)

"""Find every law that a text names: held, known, or told by its number or date; and settle which law is meant."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from forge_assets.citations.law_identity import number_of
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.law_names import LawId, NamedLaw, words_of_name
from forge_assets.citations.patterns import S

_WORD = re.compile(r"[^\W_]+")
_NUMBERED = re.compile(
    r"[^\W\d_][^\W_]{0,30}\.?(?:[ .\u00a0-]{1,2}(?:[^\W\d_]{1,14}[.\u00ba\u00b0]{0,2}|\u2116|\([^\W\d_]{2,4}\))){0,4}"
    r"[ .,\u00a0]{0,2}\(?(?<![\d/.,])(\d{1,4})[/:](\d{4}|\d{2})(?![\d/]\d|\d)(?:/[^\W\d_]{2,3})?\)?"
)
"""`Ley 36/2011`, `zákona č. 65/1965`, `Directive (EC) 98/59`, `lain (449/2007)`."""
_DATED = re.compile(
    rf"[^\W\d_][^\W_]{{0,30}}\.?(?:[ \u00a0-]{{1,2}}[^\W\d_]{{1,12}}\.?){{0,2}}{S}"
    rf"(?:\d{{1,2}}(?:[.\u00ba]|er)?{S}[^\W\d_]{{3,12}}"
    rf"{S}(?:18|19|20)\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./](?:\d{{4}}|\d{{2}}))(?:{S}?r\.)?(?:,?{S}[^\W\d_]{{1,3}}[.\u00ba\u00b0]?{S}?\d{{1,4}})?"
)
"""`loi du 3 juillet 1978`, `ustawy z dnia 23 maja 1991 r.`, `Legge 15 luglio 1966, n. 604`."""
_OWN_NUMBER = re.compile(
    rf"[ ,\u00a0]{{0,2}}\(?(?:[^\W\d_]{{1,4}}[.\u00ba\u00b0]{{0,2}}{S}?){{0,2}}"
    rf"(?<![\d/.,])(\d{{1,4}})[/:](\d{{4}}|\d{{2}})(?![\d/]\d|\d)"
)
"""A number right behind a name: `zákoníku práce č. 65/1965`, but not after a comma and a law's word."""
_OWN_YEAR = re.compile(rf",?{S}(?:\(|[^\W\d_]{{1,4}}{S})?((?:18|19|20)\d{{2}})(?![\d/:-]|[.,]\d)")
_OFFICIAL = re.compile(r"\d[/:]\d")
_SHORT_NAME = re.compile(r"[^.;()\u00a7\n]{0,120}\(")
"""What stands between a law's date and its name in brackets."""
_NAME_BEHIND = re.compile(rf"{S}?(?:[-\u2013\u2014:,]{S}?)?")
"""What stands between a law's date and its name: `Ustawy z dnia 26 czerwca 1974r. Kodeks pracy`."""
_APPROVED_NUMBER = re.compile(r"[^.;§\d]{0,60}?(?<![\d/.,])(\d{1,4})[/:](\d{4}|\d{2})(?![\d/]\d|\d)")
_TITLE = re.compile(rf"(?P<w>[^\W\d_][\w'\u2019-]{{0,30}}|\([^()]{{2,40}}\)){S}$")
_WORD_BEFORE = re.compile(r"([^\W\d_]+(?:\.[^\W\d_]\.)?)[ \u00a0]$")
_DIGIT = re.compile(r"\d")
_SHORT = 3
"""Letters of an abbreviation that may be another kind of law's: `DL n.º 314/2003`."""
_NUMERAL = re.compile(rf"(?:\d{{4}}\.{S}[^\W\d_]{{2,5}}{S})?[IVXLC]{{1,8}}\.{S}$")
"""What stands before a law's word where laws of a year have Roman numbers: `2010. évi CLIII. törvény`."""
_CLOSE = 12
"""Letters between a law and its place, at most, where they stand side by side."""
_NOTHING_BEHIND = re.compile(rf"(?:{S}[^\W\d_]{{1,4}}\.)?{S}?(?:[.;)]|$)")
_REACH = 90
"""Letters within which a law's number or date begins, behind the word for law."""
_TITLE_YEAR = re.compile(rf",?{S}(?:18|19|20)\d{{2}}(?!\d)")


@dataclass(frozen=True)
class Mentions:
    """The laws a text names, in order, none within another."""

    text: str
    laws: LawIndex
    named: Sequence[NamedLaw]
    countries: Sequence[tuple[int, str]]
    """Where countries are named; empty where no law's name is borne by several."""

    @classmethod
    def of(cls, text: str, laws: LawIndex, default: str | None) -> Mentions:
        """Find them. Of a name that several laws bear, that of the country named with it is meant, if it is one.

        Args:
            default: whose law a short form such as `the 1996 Act` means.
        """
        found = _all(text, laws)
        countries = laws.countries(text) if any(len(one.laws) > 1 for one in found) else []
        told = {default} if default else _told(found)
        found = [_unheld(text, one) if _is_rivals(one, told) else one for one in found]
        apposed = {one for one, other in pairwise(found) if _is_apposed(text, one, other)}
        found = [_unheld(text, one) if one in apposed else one for one in found]
        settled = [_settled(text, one, countries, laws) if one.laws else one for one in found]
        strong = {law for one in settled for law in one.laws if not laws.is_weak(text[one.start : one.end])}
        return cls(text, laws, [_backed(text, one, strong, default, laws) for one in settled], countries)

    def before(self, position: int) -> int:
        """The number of the last law named that ends at a position or before it; -1 for none."""
        return bisect_right(self.named, position, key=lambda m: m.end) - 1

    def after(self, position: int) -> NamedLaw | None:
        """The first law named at a position or behind it."""
        found = bisect_left(self.named, position, key=lambda m: m.start)
        return self.named[found] if found < len(self.named) else None

    def at(self, position: int) -> NamedLaw | None:
        """The law whose name begins at a position."""
        found = bisect_right(self.named, position, key=lambda m: m.start) - 1
        return self.named[found] if found >= 0 and self.named[found].start == position else None

    def around(self, position: int) -> NamedLaw | None:
        """The law's name that a position lies within, its first letter aside."""
        found = bisect_right(self.named, position, key=lambda m: m.start) - 1
        name = self.named[found] if found >= 0 else None
        return name if name and name.start < position < name.end else None

    def country_of(self, name: NamedLaw, before: int) -> str | None:
        """The country named right behind a law's name, or else last named before a place."""
        return _country_of(self.text, name, before, self.countries, self.laws)


def _told(found: Sequence[NamedLaw]) -> set[str]:
    """The countries whose laws a text names by names that are no other country's."""
    held = {law[0] for one in found if not one.rivals and len(one.laws) == 1 for law in one.laws}
    return held | {one.country for one in found if one.country}


def _is_rivals(one: NamedLaw, told: set[str]) -> bool:
    """Whether a text is about a country that has another law of a name, and not about one whose law is held."""
    return bool(one.rivals & told) and not {law[0] for law in one.laws} & told


def _unheld(text: str, mention: NamedLaw) -> NamedLaw:
    return replace(mention, laws=frozenset(), label=_label(text[mention.start : mention.end]))


def _all(text: str, laws: LawIndex) -> list[NamedLaw]:
    found: list[NamedLaw] = []
    end = 0
    names, words, titles = laws.names, laws.law_words, laws.title_words
    every = set(_WORD.findall(text))
    opening = {word for word in every if laws.may_begin_name(word) and (len(word) > 1 or _leads(word, text))}
    for word in [word for word in _WORD.finditer(text) if word[0] in opening]:
        letters, at = word[0], word.start()
        if at < end:
            continue
        small = letters.casefold()
        law = names.at_word(text, at, letters)
        if small in words and (len(letters) > 1 or text[word.end() : word.end() + 1] == "."):
            numbered = _by_number(text, at, laws) if _DIGIT.search(text, at, at + _REACH) else None
            if numbered and (law is None or (numbered.end > law.end and not law.laws) or _is_other(text, law, laws)):
                law = numbered
        if law is None and small in titles:
            law = _by_title(text, word, end, laws)
        if law:
            found.append(law)
            end = law.end
    return found


def _leads(letter: str, text: str) -> bool:
    """Whether a letter stands for a word in a text: `L. 223/1991`, `E(PIC)A`; else it is one of many small words."""
    return f"{letter}." in text or f"{letter}(" in text


def _by_number(text: str, at: int, laws: LawIndex) -> NamedLaw | None:
    """The law that a word for law, its number or its date name."""
    found = _NUMBERED.match(text, at)
    if found:
        end = found.end() - (found[0].endswith(")") and "(" not in found[0][found.start(1) - at - 1 :])
        held = laws.numbered(number_of(found), text[at : found.start(1)])
        return NamedLaw(held, at, end, "" if held else _label(found[0]), numbers=True)
    found = _DATED.match(text, at)
    if found is None:
        return None
    comma = found[0].rfind(",")
    placed = comma > 0 and laws.forms.head.match(text, at + comma + 2) is not None
    bracket = _SHORT_NAME.match(text, found.end())
    for place in (None if placed else _NAME_BEHIND.match(text, found.end()), bracket):
        named = laws.names.at(text, place.end()) if place else None
        if named and named.laws:
            return NamedLaw(named.laws, at, named.end + (text[named.end : named.end + 1] == ")"), numbers=True)
    end = at + comma if placed else found.end()
    undated = None if placed else _undated(text, at, end, laws)
    return undated or NamedLaw(frozenset(), at, end, _label(text[at:end]), numbers=True)


def _undated(text: str, at: int, end: int, laws: LawIndex) -> NamedLaw | None:
    """The held law whose name goes on behind its date: `loi du 17 décembre 1993 sur la participation`."""
    word = _WORD.match(text, at)
    if word is None:
        return None
    rest = text[end : end + _REACH].lstrip(" \u00a0")
    named = laws.names.at(f"{word[0]} {rest}", 0)
    if named is None or not named.laws or named.end <= len(word[0]) + 1:
        return None
    return NamedLaw(named.laws, at, text.index(rest, end) + named.end - len(word[0]) - 1, numbers=True)


def _is_other(text: str, law: NamedLaw, laws: LawIndex) -> bool:
    """Whether a held name goes on with another law's subject, number or year."""
    return bool(law.laws) and not _same(text, law, law.laws, laws)


def _by_title(text: str, word: re.Match[str], floor: int, laws: LawIndex) -> NamedLaw | None:
    """A law that is told by the last word of its title: `Employment Rights Act 1996`."""
    numeral = _NUMERAL.search(text, max(floor, word.start() - 24), word.start())
    if numeral:
        return NamedLaw(frozenset(), numeral.start(), word.end(), _label(text[numeral.start() : word.end()]))
    before = _TITLE.search(text, max(floor, word.start() - 45), word.start())
    if (
        before is None
        or word[0][0].islower()
        or before["w"][0].islower()
        or laws.forms.small_word.fullmatch(before["w"])
    ):
        return None
    year = _TITLE_YEAR.match(text, word.end())
    end = year.end() if year else word.end()
    return NamedLaw(frozenset(), before.start(), end, _label(text[before.start() : end]))


def _label(written: str) -> str:
    return re.sub(r"\W+", "_", written).strip("_").lower()


def _settled(text: str, mention: NamedLaw, countries: Sequence[tuple[int, str]], laws: LawIndex) -> NamedLaw:
    """A mention narrowed to the laws that can be meant: by number, year, subject and country."""
    meant = _same(text, mention, mention.laws, laws)
    abroad = _abroad(text, mention, laws)
    if abroad:
        meant = frozenset(law for law in meant if law[0] == abroad)
    if not meant:
        return _unheld(text, mention)
    if len(meant) > 1:
        country = _country_of(text, mention, mention.start, countries, laws)
        of_country = [law for law in meant if law[0] == country]
        chosen = of_country or chief_of(text[mention.start : mention.end], meant, laws)
        bearers = frozenset() if of_country else meant
        return replace(mention, laws=frozenset(chosen) if len(chosen) == 1 else meant, bearers=bearers)
    return mention if meant == mention.laws else replace(mention, laws=meant)


def _same(text: str, mention: NamedLaw, held: frozenset[LawId], laws: LawIndex) -> frozenset[LawId]:
    """The laws that what follows a name does not speak against."""
    number = _OWN_NUMBER.match(text, mention.end)
    if number is None and (approved := laws.forms.approved.match(text, mention.end)):
        number = _APPROVED_NUMBER.match(text, approved.end())
    elif number and "," in number[0] and laws.has_law_word(number[0]):
        number = None  # `Statuto dei lavoratori, L. 604/1966`
    if number:
        own = number_of(number)
        known = {law: laws.identity(law).numbers for law in held}
        word = number[0][: number.start(1) - number.start()].strip(" ,(\u00a0")
        told = bool(word) and mention.end - mention.start <= _SHORT
        held = frozenset(law for law in held if (not known[law] and not told) or own in known[law])
    year = None if number or text[mention.start : mention.end][-4:].isdigit() else _OWN_YEAR.match(text, mention.end)
    if year:
        years = {law: laws.identity(law).years for law in held}
        title = text[mention.start : mention.end].split()[-1].casefold() in laws.title_words
        held = frozenset(law for law in held if year[1] in years[law] or not (years[law] or title))
    dated = mention.numbers and not _OFFICIAL.search(text, mention.start, mention.end)
    about = laws.forms.subject.match(text, mention.end) if dated else None
    if about:
        said = words_of_name(about["subject"])
        held = frozenset(law for law in held if not said or said & laws.identity(law).words)
    return held


def _is_apposed(text: str, law: NamedLaw, other: NamedLaw) -> bool:
    """Whether a number behind a comma only says which law was named: a place stands before the name, and behind the
    number nothing, as in `§ 75 zákoníku práce, zákona č. 65/1965 Sb.`"""
    return (
        bool(law.laws)
        and other.numbers
        and not other.laws
        and text[law.end : other.start] == ", "
        and _DIGIT.search(text, max(0, law.start - _CLOSE), law.start) is not None
        and _NOTHING_BEHIND.match(text, other.end) is not None
    )


def _abroad(text: str, mention: NamedLaw, laws: LawIndex) -> str | None:
    """The country whose law is said to be meant, beside the name, where it is none of the laws' own countries."""
    word = _WORD_BEFORE.search(text, max(0, mention.start - 24), mention.start)
    before = laws.called(word[1]) if word else None
    country = laws.country_of_name(text, mention.end) or before
    own = {law[0] for law in mention.laws}
    if country is None or country in own or (country in laws.unions and own & laws.unions[country]):
        return None
    return country


def _backed(text: str, mention: NamedLaw, strong: set[LawId], default: str | None, laws: LawIndex) -> NamedLaw:
    """A short form such as `the 1996 Act` means a law only where the text names it in full, or its country is asked."""
    if not mention.laws or not laws.is_weak(text[mention.start : mention.end]):
        return mention
    backed = frozenset(law for law in mention.laws if law in strong or law[0] == default)
    if backed:
        return replace(mention, laws=backed)
    return _unheld(text, mention)


def _country_of(
    text: str, name: NamedLaw, before: int, countries: Sequence[tuple[int, str]], laws: LawIndex
) -> str | None:
    last = bisect_right(countries, before, key=lambda named: named[0]) - 1
    return laws.country_after(text, name.end) or (countries[last][1] if last >= 0 else None)


def chief_of(written: str, held: frozenset[LawId], laws: LawIndex) -> list[LawId]:
    """The laws whose short name or title is what is written."""
    indexed = {law: laws.laws[law].law for law in held}
    return [key for key, law in indexed.items() if written.casefold() in (law.short.casefold(), law.title.casefold())]

"""Index the laws of the frameworks: their names, how they are cited, and which places their text has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from forge_assets.citations.citation import UNKNOWN
from forge_assets.citations.law_identity import LawIdentity, Number, by_number, kind_of
from forge_assets.citations.law_names import LawId, LawNames
from forge_assets.citations.parts import DEGREE, POSITION, SENTENCE, Part, Reference, closing_number
from forge_assets.citations.patterns import Forms
from forge_assets.citations.spelling import plain
from forge_assets.citations.statute_index import ROMAN, CitationStatus, IndexedLaw, as_keyed, known_label, order, shape
from forge_assets.citations.vocabulary import COMMON, folded, words_of
from forge_assets.citations.wording import Wording, find_whole, wording
from forge_assets.law.country import Country
from forge_assets.law.model import CitationForms, Domain, Framework
from forge_assets.law.statutes import NO_PARAGRAPH, Statutes

_REMEMBERED = 65_536
_WORD = re.compile(r"[^\W_]+")
Place = tuple[str, str | None, str | None]
"""Unit, paragraph and point."""


@dataclass(frozen=True)
class LawIndex:
    """Build with `LawIndex.build`; one index serves any number of texts."""

    laws: Mapping[LawId, IndexedLaw]
    names: LawNames
    forms: Forms
    unions: Mapping[str, frozenset[str]]
    """Country to the unions whose law binds it as well."""
    _called: Mapping[str, str]
    _called_first: frozenset[str]
    _countries: re.Pattern[str]
    _bodies: Mapping[str, frozenset[str]]
    """Jurisdiction to the names of its bodies, as `wording` gives them."""
    law_words: frozenset[str]
    """First words, in small letters, of what opens the name of any law."""
    last_law_words: frozenset[str]
    """Last words, in small letters, of what opens the name of any law."""
    last_no_law_words: frozenset[str]
    """Last words, in small letters, of what says that no law is cited."""
    title_words: frozenset[str]
    """Words, in small letters, that end the name of any law."""
    _by_number: Mapping[Number, frozenset[LawId]]
    _written: Mapping[str, CitationForms]
    _identities: dict[LawId, LawIdentity] = field(default_factory=dict)
    _weak: dict[str, bool] = field(default_factory=dict)
    _begins: dict[str, bool] = field(default_factory=dict)
    _held: dict[str, Wording] = field(default_factory=dict)

    @classmethod
    def build(cls, domain: Domain, frameworks: Sequence[Framework], statutes: Mapping[str, Statutes]) -> LawIndex:
        """Index the laws of frameworks.

        Args:
            statutes: jurisdiction to the statute text held; a law without text makes citations unverifiable.
        """
        laws = {(f.jurisdiction, law.id): law for f in frameworks for law in f.laws}
        indexed = {key: IndexedLaw.of(law, statutes.get(key[0], {}).get(key[1], {})) for key, law in laws.items()}
        called = {name: f.jurisdiction for f in frameworks for name in (f.name, *f.called)}
        written = {COMMON: domain.citation, **{f.jurisdiction: f.citation for f in frameworks}}
        names = LawNames.of(laws.items(), {code: form.other_laws for code, form in written.items()})
        forms = Forms.compile(written, names, called)
        words = "|".join(re.escape(name) for name in sorted(called, key=len, reverse=True)) or "(?!)"
        countries = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])")
        codes = {code for f in frameworks for code in (f.jurisdiction, *f.members)}
        unions = {code: frozenset(f.jurisdiction for f in frameworks if code in f.members) for code in codes}
        bodies = {
            f.jurisdiction: frozenset(wording(name) for body in f.bodies for name in (body.name, body.english))
            for f in frameworks
        }
        opening = [word for form in written.values() for word in form.laws]
        closing = [word for form in written.values() for word in form.titles]
        return cls(
            laws=indexed,
            names=names,
            forms=forms,
            unions=unions,
            law_words=frozenset(first for word in opening for first in _first_words(word)),
            last_law_words=frozenset(word.casefold().split()[-1] for word in opening),
            last_no_law_words=frozenset(word.casefold().split()[-1] for f in written.values() for word in f.no_law),
            title_words=frozenset(word.casefold() for word in closing),
            _called=called,
            _called_first=frozenset(word[0] for name in called if (word := _WORD.search(name))),
            _countries=countries,
            _bodies=bodies,
            _by_number=by_number(laws.items()),
            _written=written,
        )

    def may_begin_name(self, word: str) -> bool:
        """Whether a name of a law may begin with a word, or a title end with it."""
        known = self._begins.get(word)
        if known is None:
            small = word.casefold()
            known = self.names.begins(word) or small in self.law_words or small in self.title_words
            if len(self._begins) >= _REMEMBERED:
                self._begins.clear()
            self._begins[word] = known
        return known

    def known(self, jurisdiction: str) -> str:
        """Check the code of a country, in capitals or small letters; give it in capitals.

        Raises:
            ValueError: it is no country's.
        """
        code = jurisdiction.upper()
        if code == COMMON or code not in self._written:
            choice = ", ".join(sorted(filter(None, self._written)))
            raise ValueError(f"{jurisdiction}: no such jurisdiction; choose from {choice}")
        return code

    def at_home(self, countries: Iterable[str]) -> frozenset[str]:
        """List the jurisdictions whose law an answer about these countries may cite: theirs and their unions'.

        The jurisdiction of unknown laws is among them: such a citation is unverifiable, not foreign.
        """
        codes = frozenset(countries)
        return codes.union({UNKNOWN}, *(self.unions.get(code, ()) for code in codes))

    def holds(self, parts: Sequence[str], jurisdictions: Iterable[str]) -> bool:
        """Whether a passage stands in one unit of the text held of some jurisdictions, or is a law's title.

        Args:
            parts: what is left of the passage where words were left out, in order, as `wording` gives them.
        """
        return any(self._wording(code).holds(parts) for code in sorted(jurisdictions))

    def _wording(self, jurisdiction: str) -> Wording:
        if jurisdiction not in self._held:
            laws = [law for (code, _), law in self.laws.items() if code == jurisdiction]
            titles = [name for law in laws for name in (law.law.title, law.law.short, law.law.english)]
            units = [f"{unit.heading} {unit.text}" for law in laws for unit in law.units.values()]
            self._held[jurisdiction] = Wording([*titles, *units])
        return self._held[jurisdiction]

    def bodies(self, text: str, jurisdictions: Iterable[str]) -> frozenset[str]:
        """List the names of bodies of some jurisdictions that a text uses, in English or as the law has them."""
        words = wording(text)
        known = frozenset[str]().union(*(self._bodies.get(code, ()) for code in jurisdictions))
        return frozenset(name for name in known if find_whole(words, name) >= 0)

    def countries(self, text: str) -> list[tuple[int, str]]:
        """Find where each name or adjective of a country ends in a text, and its code."""
        if self._called_first.isdisjoint(_WORD.findall(text)):
            return []
        return [(found.end(), self._called[found[0]]) for found in self._countries.finditer(text)]

    def called(self, word: str) -> str | None:
        """Look up the country that a word names, or None."""
        return self._called.get(word)

    def country_after(self, text: str, at: int) -> str | None:
        """Find the country named right behind a position, as in `Labour Code of Bulgaria`."""
        found = self._called_after(text, at)
        return self._called[found[0]] if found else None

    def _called_after(self, text: str, at: int) -> re.Match[str] | None:
        start = at
        for _ in range(14):
            if at > start and (found := self._countries.match(text, at)):
                return found
            of = self.forms.of.match(text, at)
            if of is None:
                return None
            at = of.end()
        return None

    def country_of_name(self, text: str, at: int) -> str | None:
        """Find the country that a law's name ends with, as `country_after`, with nothing but words between."""
        found = self._called_after(text, at)
        return self._called[found[0]] if found and not set(text[at : found.start()]) & set(",;:()") else None

    def identity(self, law: LawId) -> LawIdentity:
        """What a law's names say of it."""
        if law not in self._identities:
            self._identities[law] = LawIdentity.of(self.laws[law].law)
        return self._identities[law]

    def numbered(self, number: Number, kind: str) -> frozenset[LawId]:
        """List the laws of an official number, given the words before it: of a union, any for its kinds of law."""
        found = self._by_number.get(number, frozenset())
        return frozenset(law for law in found if self._is_kind(law, kind))

    def _is_kind(self, law: LawId, kind: str) -> bool:
        if any(law[0] in unions for unions in self.unions.values()):
            said = {plain(word.casefold())[:4] for word in re.findall(r"[^\W\d_]+", kind)}
            return any(plain(word.casefold())[:4] in said for word in self._written[law[0]].laws)
        return kind_of(kind) in self.identity(law).kinds

    def has_law_word(self, text: str) -> bool:
        """Whether a text has a word that opens the name of a law."""
        return any(word.casefold() in self.law_words for word in re.findall(r"[^\W\d_]+", text))

    def is_weak(self, name: str) -> bool:
        """Whether a name says a kind of law and a year alone, as `1996 Act` does."""
        if name not in self._weak:
            words = re.findall(r"[^\W_]+", name.casefold())
            said = [word for word in words if word not in self.title_words and not self.forms.of.fullmatch(word)]
            self._weak[name] = len(said) == 1 and re.fullmatch(r"(?:18|19|20)\d{2}", said[0]) is not None
        return self._weak[name]

    def is_of_form(self, law: LawId, head: str) -> bool:
        """Whether units of a law are opened by a word: of its country, or English as its canonical English form is."""
        form = self._written[law[0]]
        word = folded(head)
        if not word:
            return bool(form.codes) or form.bare
        if self.forms.words.is_name(head):
            return self.forms.words.name_of(head) in form.named
        if any(folded(words_of(template)) == word for template in (*form.units, *form.many)):
            return True
        english = self.laws[law].law.english_written or form.english or ""
        opened = folded(english.split("{", 1)[0].strip())
        common = self._written[COMMON]
        usual = any(folded(words_of(template)) == word for template in (*common.units, *common.many))
        return usual and (not opened or opened[:1] == word[:1])

    def may_have(self, law: LawId, place: Reference) -> bool:
        """Whether a place may be of a law by its form: the word that opens it, and letters in its number."""
        if place.unit[:1].isalpha() and not place.head and not self._written[law[0]].codes:
            return False
        return self.is_of_form(law, place.head)

    def name_first(self, jurisdiction: str) -> bool:
        """Whether a country writes the law's name before the place."""
        written = self._written[jurisdiction].written if jurisdiction in self._written else None
        return bool(written and written.lstrip().startswith("{law}"))

    def is_bare(self, jurisdiction: str) -> bool:
        """Whether a country writes a unit's number right behind the law's name."""
        return self._written[jurisdiction].bare

    def is_dotted(self, jurisdiction: str) -> bool:
        """Whether a country writes a full stop behind the number of a place, as in `čl. 27. st. 1.`"""
        written = self._written[jurisdiction].written if jurisdiction in self._written else None
        return bool(written and "}." in written.replace("}.{", ""))

    def joins(self, jurisdiction: str, word: str) -> bool:
        """Whether a word between a place and a law's name of a country means `and` there."""
        form = self._written.get(jurisdiction)
        return form is not None and word in {each.casefold() for each in form.join}

    def is_of(self, jurisdiction: str, word: str) -> bool:
        """Whether a word between a place and a law's name of a country means `of` there, or in English."""
        forms = (self._written.get(jurisdiction), self._written[COMMON])
        return any(form is not None and word in {each.casefold() for each in form.of} for form in forms)

    def alike_shape(self, laws: Iterable[LawId], unit: str) -> list[LawId]:
        """List the laws that have units whose numbers are built as this one: letters before it, and how many digits."""
        return [law for law in laws if shape(unit) in self.laws[law].shapes]

    def holding(self, jurisdiction: str, reference: Reference) -> LawId | None:
        """Find the jurisdiction's law that has a unit, if exactly one has it."""
        laws = [key for key, law in self.laws.items() if key[0] == jurisdiction and law.unit(reference.unit)]
        return laws[0] if len(laws) == 1 else None

    def coded(self, unit: str) -> LawId | None:
        """Find the law that has a unit whose number begins with a letter, as `L1233-8`, if exactly one has it."""
        if not unit[:1].isalpha() or not unit[1:].lstrip(".")[:1].isdigit():
            return None
        laws = [key for key, law in self.laws.items() if self._written[key[0]].codes and law.unit(unit)]
        return laws[0] if len(laws) == 1 else None

    def only_law(self, jurisdiction: str) -> LawId | None:
        """Find the jurisdiction's law if it has exactly one."""
        laws = [law for law in self.laws if law[0] == jurisdiction]
        return laws[0] if len(laws) == 1 else None

    def status(self, law: LawId, unit: str, paragraph: str | None, point: str | None) -> CitationStatus:
        """Look a place up in the text held of a law."""
        return self.laws[law].status(unit, paragraph, point)

    def continues(self, law: LawId, head: str) -> bool:
        """Whether a word that opens units elsewhere opens a part of a unit in this law, as `§` does in Poland."""
        return not self.forms.words.opens_units_in(folded(head), law[0]) and self.forms.words.may_be_part(folded(head))

    def places(self, law: LawId, reference: Reference) -> list[Place]:
        """List the places of a law that a reference names: several if it is a range."""
        indexed = self.laws[law]
        number, last, parts = reference.unit, reference.last, list(reference.parts)
        if parts and parts[-1].also:
            each_alone = [replace(parts[-1], label=label, also=()) for label in (parts[-1].label, *parts[-1].also)]
            listed = [replace(reference, parts=(*parts[:-1], part)) for part in each_alone]
            return [place for each in listed for place in self.places(law, each)]
        if indexed.unit(number) is None and "-" in number and not indexed.hyphenated and not last:
            first, _, rest = number.partition("-")
            rest = closing_number(first, rest)
            if order(rest) > order(first):
                number, last, parts = first, rest, []
        if reference.raised and any(f"({reference.raised})" in unit for unit in indexed.units):
            number = f"{number}({reference.raised})"
        if parts and (joined := self._joined(indexed, number, parts[0])):
            number, parts = joined, parts[1:]
        unit = indexed.unit(number) or self._by_ordinal(law, number) or as_keyed(number, indexed)
        if last and parts and self._kind(law, parts[-1])[0] in ("narrower", None):
            last = None  # sentences from one to another: no key names them
        if last and not self.forms.words.is_range(reference.by, law[0]):
            ends = [replace(reference, last=None), _with_end(reference, last)]
            return [place for each in ends for place in self.places(law, each)]
        if last and not parts:
            closing = indexed.unit(last) or as_keyed(last, indexed)
            return [(each, None, None) for each in indexed.between(unit, closing)]
        paragraph, point = self._placed(law, indexed, unit, parts)
        if not last:
            return [(unit, paragraph, point)]
        subdivided = indexed.parts(unit) if unit in indexed.units else {}
        if point is not None:
            labels = list(subdivided[paragraph].points) if paragraph and paragraph in subdivided else []
            return [(unit, paragraph, each) for each in _series(point, known_label(last, labels), labels)]
        labels = [label for label in subdivided if label != NO_PARAGRAPH]
        return [(unit, each, None) for each in _series(paragraph or "1", known_label(last, labels), labels)]

    def is_narrow(self, law: LawId, reference: Reference) -> bool:
        """Whether the last part of a reference is below what a key names, as a sentence is."""
        word = reference.parts[-1].word if reference.parts else POSITION
        return word not in (POSITION, DEGREE) and self.forms.words.kind(word, law[0])[0] in ("narrower", None)

    def _joined(self, indexed: IndexedLaw, number: str, part: Part) -> str | None:
        """The unit whose number the first part belongs to, as in `art. 22(2)`."""
        return indexed.unit(f"{number}({part.label})") if part.word == POSITION else None

    def _by_ordinal(self, law: LawId, number: str) -> str | None:
        """The unit held under an ordinal word, as `d.a.vigesimotercera` for `DA 23.ª`."""
        start, digits = re.match(r"(.*?)(\d*)$", number.rstrip(".\u00aa"), re.DOTALL).groups()  # type: ignore[union-attr]
        words = self.forms.words.ordinal_words(int(digits)) if start and digits else []
        return next((found for word in words if (found := self.laws[law].unit(start + word))), None)

    def _placed(
        self, law: LawId, indexed: IndexedLaw, unit: str, parts: Sequence[Part]
    ) -> tuple[str | None, str | None]:
        """Paragraph and point, by what the words mean in this country and what the unit has."""
        subdivided = indexed.parts(unit) if unit in indexed.units else {}
        labels = [label for label in subdivided if label != NO_PARAGRAPH]
        loose = list(subdivided[NO_PARAGRAPH].points) if NO_PARAGRAPH in subdivided else []
        paragraph: str | None = None
        for part in parts:
            kind, own = self._kind(law, part)
            if kind in (None, "narrower"):
                continue
            roman = part.word == POSITION and part.label in ROMAN
            label = known_label(part.label, labels if roman else [*labels, *loose])
            if roman and label == part.label and not indexed.roman:
                label = ROMAN[label]
            if paragraph is None:
                if (roman and label not in loose) or self._opens_paragraph(kind, own, label, labels, loose):
                    paragraph = label
                    continue
                paragraph = labels[0] if len(labels) == 1 and not loose else NO_PARAGRAPH
            points = list(subdivided[paragraph].points) if paragraph in subdivided else []
            return paragraph, known_label(part.label, points)
        return paragraph, None

    def _kind(self, law: LawId, part: Part) -> tuple[str | None, bool]:
        if part.word == POSITION:
            return "any", False
        if part.word == DEGREE:
            return "point", True
        if part.word == SENTENCE:
            return "narrower", True
        kind, own = self.forms.words.kind(part.word, law[0])
        return ("paragraph" if kind == "unit" else kind), own

    def _opens_paragraph(
        self, kind: str | None, own: bool, label: str, labels: Sequence[str], loose: Sequence[str]
    ) -> bool:
        """Whether a first part is a paragraph of its unit, and not a point of a unit without paragraphs."""
        if kind == "point":
            return (not own or label.isalpha()) and label in labels and label not in loose
        if kind == "paragraph" and own:
            return True
        if label in labels:
            return True
        if label in loose:
            return False
        return kind == "paragraph" or not label.islower()


def _with_end(reference: Reference, last: str) -> Reference:
    """The other end of what looked like a range."""
    if not reference.parts:
        return replace(reference, unit=last, last=None)
    parts = (*reference.parts[:-1], Part(reference.parts[-1].word, last))
    return replace(reference, parts=parts, last=None)


def _series(first: str, last: str, known: Sequence[str], limit: int = 40) -> list[str]:
    """Labels from first to last: as the unit orders them, or else counted."""
    if first in known and last in known and known.index(first) < known.index(last):
        return list(known[known.index(first) : known.index(last) + 1])
    if first.isdigit() and last.isdigit() and int(first) < int(last) <= int(first) + limit:
        return [str(n) for n in range(int(first), int(last) + 1)]
    if len(first) == len(last) == 1 and ord(first) < ord(last) <= ord(first) + limit:
        return [chr(n) for n in range(ord(first), ord(last) + 1)]
    return [first, last]


def _first_words(words: str) -> list[str]:
    """The first word of what opens a law's name, with and without its diacritics."""
    found = re.search(r"[^\W_]+", words)
    return [found[0].casefold(), plain(found[0].casefold())] if found else []


def law_index(domain: Domain, countries: list[Country]) -> LawIndex:
    """Build the index of all countries that citations are checked against."""
    statutes = {c.framework.jurisdiction: c.statutes for c in countries}
    return LawIndex.build(domain, [c.framework for c in countries], statutes)

"""Define how people ask in one language, `plain/<code>.yaml`, as a strict frozen model, and check its wordings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from forge_assets.law.model import Domain, JurisdictionCode, Name, Text
from forge_assets.scenarios.pack.language import ENGLISH, Language
from forge_assets.scenarios.pack.numerals import has_words
from forge_resources.config.strict_yaml import FieldPath, Problem
from forge_resources.storage.strict import Strict

Voice = Literal["ours", "theirs"]
"""Whose words they are: the employer's side ("we want to close it"), or the staff's ("they want to close it")."""
VOICES: tuple[Voice, ...] = ("ours", "theirs")

CITED = ("place_says", "place_found")
"""Questions about one place of the law, with no case."""

MANY, SOME, FEW = 6, 5, 3
"""How many wordings are asked for: of changes and questions, of facts stated in every case, of everything else."""
FRAMES = 12

OPENING = ("hello", "who")
OPTIONAL = (*OPENING, "extra", "form", "thanks")
"""Parts of a frame that may come out empty; the space after them goes with them."""
PLANS, FACTS, STORIES = (("plan", "plan_brief"), ("facts", "facts_brief"), ("story", "story_brief"))
QUESTIONS = ("question", "question_inside")
PARTS = {*OPTIONAL, *PLANS, *FACTS, *STORIES, *QUESTIONS}
"""What a frame may be made of; `Facts_brief` is `facts_brief` with a capital."""
BARE_PARTS = {"hello", "form", "thanks", *QUESTIONS}

_SLOT = re.compile(r"\{(\w*)\}")
_WORD = re.compile(r"[^\W\d_]+")
_BRACE = re.compile(r"[{}]")
_LAW = re.compile(r"[\d§]")
_ENDS = re.compile(r"[.!?…;]$")
"""What ends a sentence; the semicolon is the question mark of Greek."""

Wordings = tuple[Text, ...]
Some = Annotated[Wordings, Field(min_length=FEW)]


class Voiced(Strict):
    """Wordings that anybody may use, and those of one side alone."""

    any: Wordings = ()
    ours: Wordings = ()
    theirs: Wordings = ()

    def of(self, voice: Voice) -> Wordings:
        """List what one side may say."""
        return self.any + getattr(self, voice)  # type: ignore[no-any-return]


class Saying(Strict):
    """A fact as a sentence, as a fragment of a list, and as what somebody supposes ("What if ...?")."""

    said: Wordings
    brief: Wordings
    supposed: Annotated[Wordings, Field(min_length=2)]


class YesNoSaying(Strict):
    """Wordings of a fact that holds or fails."""

    if_true: Saying
    if_false: Saying


class ChangeSaying(Strict):
    """A change as a sentence and as a fragment."""

    said: Voiced
    brief: Voiced


class Together(Strict):
    """One wording that says several things: a change, facts, and whatever its slots name."""

    change: Name | None = None
    voice: Voice | None = None
    """Only this side says so; needed where a change is told from one side."""
    facts: dict[Name, bool] = Field(default_factory=dict)
    """Yes/no facts that the wording states."""
    said: Wordings = ()
    brief: Wordings = ()

    @property
    def slots(self) -> frozenset[str]:
        """Numbers and `where`, as every wording has them."""
        return frozenset(slots_of((self.said + self.brief)[0]))

    @model_validator(mode="after")
    def _alike(self) -> Together:
        if not self.said + self.brief:
            raise ValueError("no wording: give `said`, `brief` or both")
        for text in self.said + self.brief:
            if set(slots_of(text)) != self.slots:
                raise ValueError(f"{text!r} has other slots than {(self.said + self.brief)[0]!r}")
        if (self.change is not None) + len(self.facts) + len(self.slots) < 2:
            raise ValueError("it says one thing only: move it to `facts` or `changes`, or let it say more")
        return self


class Person(Strict):
    """Who asks. A person whom a fact makes possible states that fact by asking."""

    voice: Voice
    needs: Name | None = None
    opens: Some


class Firm(Strict):
    """How the company is named where it is."""

    said: Some
    brief: Some


class Whereabouts(Strict):
    """Sentences that say nothing but where; the fragment is the place alone."""

    said: Some


class Lengths(Strict):
    """How an answer of each depth is asked for."""

    note: Some
    advice: Some
    memo: Some


class PlaceFound(Strict):
    """Questions for the place of a quote, and, in English, of what it is about."""

    quote: Annotated[Wordings, Field(min_length=MANY)]
    gist: Wordings = ()


class Joiners(Strict):
    """What stands between the fragments of a list; where that is the first of `between`, the last gap may differ."""

    between: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=FEW)]
    last: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=2)]


class Plain(Strict):
    """All pieces of a question that nobody gave a form."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    spoken: Literal["all", "tens", "none"]
    """Which numbers may be written as words without a change to the words beside them."""
    places: dict[JurisdictionCode, Annotated[Wordings, Field(min_length=FEW)]]
    where: Whereabouts
    firm: Firm
    facts: dict[Name, YesNoSaying | Saying]
    changes: dict[Name, ChangeSaying]
    together: tuple[Together, ...] = ()
    people: dict[Name, Person]
    questions: dict[Name, Voiced]
    place_says: Annotated[Wordings, Field(min_length=MANY)]
    place_found: PlaceFound
    lengths: Lengths
    english: Wordings = ()
    greetings: Some
    thanks: Some
    asides: Some
    joiners: Joiners
    frames: Annotated[Wordings, Field(min_length=FRAMES)]
    bare: Some
    """Frames of questions about one place."""

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word of every wording, case-folded."""
        return frozenset(word.casefold() for text in _texts(self.model_dump()) for word in _WORD.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def slots_of(text: str) -> list[str]:
    """List the names in braces."""
    return _SLOT.findall(text)


def plain_problems(
    code: str, file: Plain, language: Language | None, tasks: Iterable[str], domain: Domain
) -> Iterator[Problem]:
    """Find what is missing or wrong in the wordings of one language.

    Args:
        code: the language that the file's name says.
        language: its other wordings; None where there is no such file.
        tasks: the tasks of one country (in English, all) that are asked.

    Yields:
        Field, problem and mend.
    """
    if language is None:
        yield ("language",), f"languages/{code}.yaml is missing", "add it, or remove this file"
        return
    if file.language != code:
        yield ("language",), f"the file says {file.language}, its name says {code}", "make them agree"
    if file.spoken != "none" and not has_words(code):
        yield ("spoken",), f"num2words has no words for numbers in {code}", "write `spoken: none`"
    yield from _names(
        {
            "facts": (set(file.facts), set(domain.drawn_facts)),
            "changes": (set(file.changes), set(domain.change_types)),
            "questions": (set(file.questions), set(tasks)),
        }
    )
    yield from _place_problems(code, file, language)
    yield from _fact_problems(file, domain)
    yield from _change_problems(file)
    yield from _together_problems(file, domain)
    yield from _other_problems(code, file, domain)
    yield from _frame_problems(file)


def _names(wanted: dict[str, tuple[set[str], set[str]]]) -> Iterator[Problem]:
    for group, (given, needed) in wanted.items():
        if given != needed:
            yield (group,), f"differs from the pack in {', '.join(sorted(given ^ needed))}", "name each exactly once"


def _place_problems(code: str, file: Plain, language: Language) -> Iterator[Problem]:
    odd = set(file.places) ^ set(language.countries) if code == ENGLISH else set(file.places) - set(language.countries)
    if odd:
        mend = f"name the same as `countries` of languages/{code}.yaml"
        yield ("places",), f"differs from the pack in {', '.join(sorted(odd))}", mend
    seen: dict[str, str] = {}
    for country, ways in file.places.items():
        at = ("places", country)
        yield from _wordings(at, ways, set(), FEW, sentence=False)
        if country in language.countries and not any(language.within[country] in way for way in ways):
            yield at, "no wording names the country", f"let one have {language.within[country]!r}"
        for i, way in enumerate(ways):
            if seen.setdefault(way, country) != country:
                yield (*at, i), f"{way!r} stands for {seen[way]} as well", "say it so that only one is meant"
    yield from _wordings(("where", "said"), file.where.said, {"where"}, FEW)
    for style, sentence in (("said", True), ("brief", False)):
        for i, text in enumerate(getattr(file.firm, style)):
            if "company" not in slots_of(text):
                yield ("firm", style, i), f"{text!r} lacks {{company}}", "name the company"
        yield from _wordings(
            ("firm", style), getattr(file.firm, style), None, FEW, sentence=sentence, allowed={"company", "sector"}
        )


def _fact_problems(file: Plain, domain: Domain) -> Iterator[Problem]:
    always = {name for change in domain.change_types.values() for name in change.facts}
    for name, words in file.facts.items():
        if name not in domain.facts:
            continue
        number = domain.facts[name].type == "integer"
        if isinstance(words, YesNoSaying) is number:
            mend = "give words of that type"
            yield ("facts", name), f"{name} is of type {domain.facts[name].type}", mend
            continue
        sides: list[tuple[FieldPath, Saying]] = [(("facts", name), words)] if isinstance(words, Saying) else []
        if isinstance(words, YesNoSaying):
            sides = [(("facts", name, side), getattr(words, side)) for side in ("if_true", "if_false")]
        for at, side in sides:
            slots, least = ({"n"} if number else set()), (SOME if name in always else FEW)
            yield from _wordings((*at, "said"), side.said, slots, least)
            yield from _wordings((*at, "brief"), side.brief, slots, least, sentence=False)
            yield from _wordings((*at, "supposed"), side.supposed, slots, 2, sentence=False)


def _change_problems(file: Plain) -> Iterator[Problem]:
    for name, words in file.changes.items():
        yield from _voiced(("changes", name, "said"), words.said, set())
        yield from _voiced(("changes", name, "brief"), words.brief, set(), sentence=False)
    for task, questions in file.questions.items():
        yield from _voiced(("questions", task), questions, {"supposed"} if task == "what_if" else set())


def _voiced(at: FieldPath, words: Voiced, slots: set[str], *, sentence: bool = True) -> Iterator[Problem]:
    if (given := len(words.any + words.ours + words.theirs)) < MANY:
        yield at, f"{given} wordings", f"give at least {MANY}"
    for voice in VOICES:
        if len(words.of(voice)) < FEW:
            yield at, f"{len(words.of(voice))} wordings for {voice}", f"give at least {FEW} in `any` and `{voice}`"
        yield from _wordings((*at, voice), getattr(words, voice), slots, 0, sentence=sentence)
    yield from _wordings((*at, "any"), words.any, slots, 0, sentence=sentence)


def _together_problems(file: Plain, domain: Domain) -> Iterator[Problem]:
    numbers = {name for name in domain.drawn_facts if domain.facts[name].type == "integer"}
    for i, words in enumerate(file.together):
        at = ("together", i)
        if words.change is not None and words.change not in domain.change_types:
            yield (*at, "change"), f"{words.change} is no change type", f"use one of {', '.join(domain.change_types)}"
        for name in words.facts:
            if name not in domain.drawn_facts or domain.facts[name].type != "boolean":
                yield (*at, "facts", name), f"{name} is no yes/no fact", "numbers are named by their slots"
        for style, sentence in (("said", True), ("brief", False)):
            texts = getattr(words, style)
            allowed = numbers | {"where"}
            yield from _wordings((*at, style), texts, None, 0, sentence=sentence, allowed=allowed)


def _other_problems(code: str, file: Plain, domain: Domain) -> Iterator[Problem]:
    for name, person in file.people.items():
        if person.needs is not None and (
            person.needs not in domain.drawn_facts or domain.facts[person.needs].type != "boolean"
        ):
            yield ("people", name, "needs"), f"{person.needs} is no yes/no fact", "name one, or leave `needs` out"
        yield from _wordings(("people", name, "opens"), person.opens, set(), FEW)
    for voice in VOICES:
        if not any(person.voice == voice and person.needs is None for person in file.people.values()):
            yield ("people",), f"nobody of {voice} can ask in every case", "add a person without `needs`"
    yield from _wordings(("place_says",), file.place_says, None, MANY, allowed={"place", "in_country"}, must="place")
    found, at = file.place_found, "place_found"
    yield from _wordings((at, "quote"), found.quote, None, MANY, allowed={"quote", "in_country"}, must="quote")
    yield from _wordings((at, "gist"), found.gist, {"gist", "in_country"}, MANY if code == ENGLISH else 0)
    for depth in ("note", "advice", "memo"):
        yield from _wordings(("lengths", depth), getattr(file.lengths, depth), set(), FEW)
    if (code == ENGLISH) is bool(file.english):
        mend = "remove it: answers are in English" if code == ENGLISH else "ask for an answer in English"
        yield ("english",) if file.english else (), "`english` is given" if file.english else "no `english`", mend
    yield from _wordings(("english",), file.english, set(), 0 if code == ENGLISH else FEW)
    yield from _wordings(("greetings",), file.greetings, set(), FEW, sentence=None)
    yield from _wordings(("thanks",), file.thanks, set(), FEW, sentence=None)
    yield from _wordings(("asides",), file.asides, set(), FEW)


def _frame_problems(file: Plain) -> Iterator[Problem]:
    for i, frame in enumerate(file.frames):
        slots = [name[:1].lower() + name[1:] for name in slots_of(frame)]
        at = ("frames", i)
        if odd := set(slots) - PARTS:
            yield at, f"unknown part {{{min(odd)}}}", f"use {', '.join(sorted(PARTS))}"
        for part in sorted(set(slots)):
            if slots.count(part) > 1:
                yield at, f"{{{part}}} stands twice", "keep one of them"
        counts = {group: len(set(slots) & set(group)) for group in (PLANS, FACTS, STORIES, QUESTIONS)}
        if (counts[PLANS], counts[FACTS], counts[STORIES]) not in ((1, 1, 0), (0, 0, 1)):
            yield at, "the case must stand once", "name one {plan...} and one {facts...}, or one {story...}"
        if counts[QUESTIONS] != 1:
            yield at, "the question must stand once", "name {question} or {question_inside}"
        for wanted in ("extra", "form"):
            if wanted not in slots:
                yield at, f"no {{{wanted}}}", "every frame must have it; it may come out empty"
        yield from _literals(at, frame)
    if not any("{who}" in frame for frame in file.frames):
        yield ("frames",), "no frame has {who}", "let some say who asks"
    for i, frame in enumerate(file.bare):
        slots = slots_of(frame)
        if odd := set(slots) - BARE_PARTS:
            yield ("bare", i), f"unknown part {{{min(odd)}}}", f"use {', '.join(sorted(BARE_PARTS))}"
        if len(set(slots) & set(QUESTIONS)) != 1 or "form" not in slots:
            yield ("bare", i), "it must have a question and {form}", "name both once"
        yield from _literals(("bare", i), frame)


def _literals(at: FieldPath, text: str) -> Iterator[Problem]:
    if _BRACE.search(rest := _SLOT.sub("", text)):
        yield at, f"{text!r} has a lone brace", "write slots as {name}"
    if _LAW.search(rest):
        yield at, f"{text!r} has a digit or a citation", "numbers and law come through slots; write others in words"


def _wordings(
    at: FieldPath,
    texts: Wordings,
    slots: set[str] | None,
    least: int,
    *,
    sentence: bool | None = True,
    allowed: set[str] | frozenset[str] = frozenset(),
    must: str = "",
) -> Iterator[Problem]:
    """Check alternatives: their number, slots, and whether they are sentences or fragments as they should be.

    Args:
        slots: those that each must have, once; None: any of `allowed`, and `must`.
        sentence: None where either will do.
    """
    if len(texts) < least:
        yield at, f"{len(texts)} wordings", f"give at least {least}"
    for i, text in enumerate(texts):
        here = (*at, i)
        found = slots_of(text)
        wrong = sorted(found) != sorted(slots) if slots is not None else not set(found) <= allowed
        if wrong or len(set(found)) < len(found) or (must and must not in found):
            named = ", ".join(f"{{{name}}}" for name in sorted(slots if slots is not None else allowed)) or "no slot"
            rule = f"use {named}" + (", each once" if slots else "")
            yield here, f"{text!r} has the slots {found}", rule
        yield from _literals(here, text)
        if text != text.strip() or "  " in text:
            yield here, f"{text!r} has spare spaces", "remove them"
        if text in texts[:i]:
            yield here, f"{text!r} is given twice", "say it in another way"
        if sentence is True and not (_ENDS.search(text) and _capital(text)):
            yield here, f"{text!r} is no sentence", "begin it with a capital or a slot, end it with a stop"
        if sentence is False and (text.endswith((".", "!", "?", ";"))):
            yield here, f"{text!r} ends a sentence", "write a fragment that may stand within a list"


def _capital(text: str) -> bool:
    first = text.lstrip("«„“”\"'¿¡–")[:1]
    return first == "{" or not first.islower()

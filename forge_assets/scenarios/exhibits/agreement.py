"""Draw an agreement as a question brings it with it, and sum it up clause by clause.

A clause is typed: its kind, its values and, where it gives a right to take part, the level and the body. It is put into
words once for the exhibit and once for the summary, in the language of each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from forge_assets.law.model import Body, Domain
from forge_assets.scenarios.exhibits.values import (
    AGREED,
    EURO,
    WORDED,
    Choices,
    Field,
    Line,
    Value,
    Voice,
    Written,
    date_field,
    fill,
    slots_of,
    write,
)
from forge_assets.scenarios.pack.exhibits import (
    BODY,
    NOBODY,
    AgreementKinds,
    Between,
    ClauseKind,
    Depth,
    ExhibitKinds,
    PickKind,
)
from forge_assets.scenarios.pack.language import ENGLISH

EMPLOYER = "{company}"
"""The slot of the row that holds the employer's name."""
STANCES = (("gives", 12), ("other", 3), ("alone", 2), ("silent", 3))
"""Who takes part by an agreement, and how often: the body that signs it, somebody else, nobody, or not a word on it."""
SERIES, SERIES_IN = Between(min=2, max=5), 5
"""So many clauses of a kind that repeats, a third of all at most, in one of so many agreements; long ones have more."""
COMMON = 3
"""Of four agreements with room for it, so many have a clause on what matters, such as the term."""


@dataclass(frozen=True)
class Duty:
    """A provision that applies, as far as an agreement can be held against it."""

    id: str
    level: str
    body: Body
    valid_from: dt.date | None = None
    text_as_of: dt.date | None = None
    """Day of the text held of its law."""


@dataclass(frozen=True)
class AgreementCase:
    """The change that an agreement is about, and the law that it is held against."""

    domain: Domain
    kinds: ExhibitKinds
    jurisdiction: str
    change: str
    duties: tuple[Duty, ...]
    """Leading duty first."""

    @property
    def lead(self) -> Duty | None:
        """The leading duty, if it is one to let somebody take part."""
        first = self.duties[0] if self.duties else None
        return first if first is not None and first.level in self.domain.levels else None

    @property
    def party(self) -> Body | None:
        """The body that signs for the employees: the first that takes part in anything."""
        kinds = self.domain.body_kinds
        return next((d.body for d in self.duties if d.body.kind is None or kinds[d.body.kind].participates), None)


@dataclass(frozen=True)
class Clause:
    """One clause, typed."""

    number: int
    name: str
    kind: ClauseKind
    wording: int
    values: dict[str, Value]
    body: Body | None = None
    """Whom it gives a right to take part, where the law knows that body."""
    other: str | None = None
    """Whom it gives it instead: a name of `others`."""


@dataclass(frozen=True)
class Agreement:
    """An agreement, typed, and its text with the slot of the employer's name."""

    case: AgreementCase
    depth: Depth
    choice: int
    signed: dt.date
    clauses: tuple[Clause, ...]
    text: str

    def missing(self) -> tuple[str, ...]:
        """List the parts that matter and that no clause deals with."""
        parts = {clause.kind.part for clause in self.clauses}
        matter = self.case.kinds.agreement.parts.items()
        return tuple(name for name, part in matter if part.matters and name not in parts)


def draw_agreement(
    voice: Voice, case: AgreementCase, depth: Depth, choice: int, seed_words: tuple[str, ...]
) -> Agreement:
    """Draw an agreement on a change and write it. The law decides no more than which body signs it.

    Args:
        voice: the language of the question.
        depth: of the answer: it bounds the number of clauses.
        choice: which of an answer's wordings it goes with; each has an agreement of its own.
        seed_words: what the draw hangs on, beside the kind of change and depth.

    Raises:
        KeyError: no agreements are declared for this depth.
    """
    choices = Choices("agreement", case.jurisdiction, case.change, depth, choice, *seed_words)
    kinds = case.kinds.agreement
    old = choices.below(kinds.older.one_in) == 0 and case.change not in kinds.older.not_on
    signed = choices.date(kinds.older.years if old else kinds.recent)
    clauses = _clauses(choices, case, depth, signed, old)
    return Agreement(case, depth, choice, signed, clauses, _text(choices, voice, case, signed, clauses))


def body_name(body: Body, voice: Voice) -> str:
    """Write the name of a body: its English one in English, else its own."""
    return body.english if voice.words.language == ENGLISH else body.name


def names_of(body: Body, voice: Voice) -> tuple[str, ...]:
    """List the names by which an answer may call a body: in English the English one too."""
    return (body.english, body.name) if voice.words.language == ENGLISH else (body.name,)


def summarise(agreement: Agreement, voice: Voice) -> list[Line]:
    """Sum up an agreement: the parties, then one line a clause, with what each must say exactly.

    Args:
        voice: the language of the answer.
    """
    words = voice.words.agreement
    name = _party(agreement.case, voice)
    named = {BODY: name, "date": voice.day(agreement.signed)}
    named = {slot: voice.source(AGREED, text) for slot, text in named.items()}
    text = fill(words.parties[agreement.choice % len(words.parties)], named, voice)
    lines = [
        Line(
            text,
            (
                Field("party", (EMPLOYER,)),
                Field("party", _party_names(agreement.case, voice)),
                date_field(agreement.signed, voice),
            ),
        )
    ]
    for clause in agreement.clauses:
        worded = words.clauses[clause.name]
        written = _written(clause, agreement.case, voice)
        gist = worded.summary[agreement.choice % len(worded.summary)]
        body = _target(clause, voice)
        slots = slots_of(written, voice) | {BODY: voice.source(AGREED, body)}
        text = fill(words.line, _numbered(clause, worded.title, fill(gist, slots, voice), voice), voice)
        fields = (
            Field("clause", (f"{clause.number}. {worded.title}", clause_name(clause.number, voice))),
            *(field for value in written.values() for field in value.fields),
            *([Field("party", (body, *(names_of(clause.body, voice) if clause.body else ())))] if body else []),
        )
        lines.append(Line(text, tuple(dict.fromkeys(fields))))
    return lines


def _text(choices: Choices, voice: Voice, case: AgreementCase, signed: dt.date, clauses: Sequence[Clause]) -> str:
    words = voice.words.agreement
    party = case.party
    names = words.collective if party and party.id in case.kinds.agreement.collective else words.works
    name = fill(names[choices.below(len(names))], {"subject": words.subjects[case.change]}, voice)
    opening = words.opening[choices.below(len(words.opening))]
    head = fill(opening, {BODY: _party(case, voice), "date": voice.day(signed)}, voice)
    lines = [name, head]
    for clause in clauses:
        worded = words.clauses[clause.name]
        text = worded.text[clause.wording % len(worded.text)]
        slots = slots_of(_written(clause, case, voice), voice) | {BODY: _target(clause, voice)}
        lines.append(fill(words.line, _numbered(clause, worded.title, fill(text, slots, voice), voice), voice))
    return "\n".join(lines)


def clause_name(number: int, voice: Voice) -> str:
    """Name a clause by its number."""
    return voice.words.agreement.clause.replace("{n}", str(number))


def _numbered(clause: Clause, title: str, text: str, voice: Voice) -> dict[str, str]:
    number = voice.source(AGREED, str(clause.number))
    return {"n": number, "title": voice.source(WORDED, title), "text": text}


def _party(case: AgreementCase, voice: Voice) -> str:
    return body_name(case.party, voice) if case.party else voice.words.agreement.side


def _party_names(case: AgreementCase, voice: Voice) -> tuple[str, ...]:
    return names_of(case.party, voice) if case.party else (voice.words.agreement.side,)


def _target(clause: Clause, voice: Voice) -> str:
    """Whom a clause gives a right to take part; empty: nobody."""
    if clause.other is not None:
        return voice.words.agreement.others[clause.other]
    return body_name(clause.body, voice) if clause.body else ""


def _written(clause: Clause, case: AgreementCase, voice: Voice) -> dict[str, Written]:
    currency = case.kinds.currencies.get(case.jurisdiction, EURO)
    return {
        name: write(clause.kind.values[name], name, value, voice, currency) for name, value in clause.values.items()
    }


def _clauses(choices: Choices, case: AgreementCase, depth: Depth, signed: dt.date, old: bool) -> tuple[Clause, ...]:
    """Draw the clauses: how the law is met first, then one on the change itself, what matters, and the rest."""
    kinds = case.kinds.agreement
    count = choices.within(kinds.clauses_at[depth])
    if kinds.clauses_at[depth].max > len(kinds.parts):
        count = min(count, choices.within(kinds.clauses_at[depth]))  # long agreements are the rarer ones
    rights = _rights(choices, case)
    fitting = [
        name
        for name, kind in kinds.clauses.items()
        if (not kind.changes or case.change in kind.changes) and not (old and kind.planned)
    ]
    own = [n for n in fitting if kinds.clauses[n].changes]
    free = [n for n in fitting if kinds.clauses[n].grants is None and not kinds.clauses[n].repeats]
    wanted = [*rights.names[:1], *([own[choices.below(len(own))]] if own else []), *rights.names[1:]]
    for part, declared in kinds.parts.items():
        if declared.matters and 2 * count > len(kinds.parts) and choices.below(4) < COMMON:
            of_part = [name for name in free if kinds.clauses[name].part == part]
            wanted += of_part[choices.below(max(1, len(of_part))) :][:1]
    repeating = [name for name in fitting if kinds.clauses[name].repeats]
    series = min(choices.within(SERIES), count // 3) if repeating and choices.below(SERIES_IN) == 0 else 0
    chosen = _first(kinds, wanted, count)
    chosen = _first(kinds, [*chosen, *(free[i] for i in choices.order(len(free)))], max(len(chosen), count - series))
    drawn = [(name, choices.values(kinds.clauses[name].values, signed, case.kinds)) for name in chosen]
    for name in repeating:
        drawn += _repeated(choices, case, name, signed, count - len(drawn))
    drawn.sort(key=lambda item: kinds.places[item[0]])
    clauses = []
    for number, (name, values) in enumerate(drawn, start=1):
        kind = kinds.clauses[name]
        whom = (rights.body, rights.other) if kind.grants not in (None, NOBODY) else (None, None)
        clauses.append(Clause(number, name, kind, choices.below(1 << 16), values, *whom))
    return tuple(clauses)


@dataclass(frozen=True)
class _Rights:
    """The clauses by which somebody takes part or nobody does, the telling one first, and who."""

    names: tuple[str, ...] = ()
    body: Body | None = None
    other: str | None = None


def _rights(choices: Choices, case: AgreementCase) -> _Rights:
    """Draw who takes part by the agreement, and how far, whatever the law asks for."""
    stance, others = _weighted(choices), case.kinds.agreement.others
    level = choices.below(len(case.domain.levels))
    if stance == "silent":
        return _Rights()
    if stance == "alone":
        return _Rights(_granting(choices, case, None))
    party = case.party
    elsewhere = [name for name, kind in others.items() if party is None or kind != party.kind]
    if party is None or (stance == "other" and elsewhere):
        return _Rights(_granting(choices, case, level)[:1], other=elsewhere[choices.below(len(elsewhere))])
    return _Rights(_granting(choices, case, level), party)


def _granting(choices: Choices, case: AgreementCase, level: int | None) -> tuple[str, ...]:
    """Draw clauses that give a level (None: the employer decides alone), and some of those below it."""
    levels = [NOBODY] if level is None else case.domain.levels[level::-1]
    found = []
    for place, name in enumerate(levels):
        granting = [n for n, kind in case.kinds.agreement.clauses.items() if kind.grants == name]
        if place == 0 or choices.below(2):
            found.append(granting[choices.below(len(granting))])
    return tuple(found)


def _weighted(choices: Choices) -> str:
    place = choices.below(sum(weight for _, weight in STANCES))
    for stance, weight in STANCES:
        if place < weight:
            return stance
        place -= weight
    raise AssertionError("weights add up to the range drawn from")


def _first(kinds: AgreementKinds, wanted: Sequence[str], count: int) -> list[str]:
    """Take the first so many, each once, and one at most of a part that has only one."""
    taken: list[str] = []
    full: set[str] = set()
    for name in wanted:
        part = kinds.clauses[name].part
        if len(taken) < count and name not in taken and part not in full:
            taken.append(name)
            if kinds.parts[part].one:
                full.add(part)
    return taken


def _repeated(
    choices: Choices, case: AgreementCase, name: str, signed: dt.date, most: int
) -> list[tuple[str, dict[str, Value]]]:
    """Draw one kind of clause several times; what it picks from a list is another each time."""
    kind = case.kinds.agreement.clauses[name]
    picked = {value: of.pick for value, of in kind.values.items() if isinstance(of, PickKind)}
    orders = {value: choices.order(case.kinds.lists[words]) for value, words in picked.items()}
    longest = min((len(order) for order in orders.values()), default=most)
    found = []
    for place in range(max(0, min(most, longest))):
        values = choices.values(kind.values, signed, case.kinds)
        found.append((name, {**values, **{value: (order[place],) for value, order in orders.items()}}))
    return found

"""Draw the description of a system that agrees with the facts stated, and sum it up line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forge_assets.law.engine import Facts
from forge_assets.scenarios.exhibits.values import WORDED, Choices, Line, Value, Voice, Written, fill, slots_of, write
from forge_assets.scenarios.pack.exhibits import Depth, ExhibitKinds, LineKind


@dataclass(frozen=True)
class Described:
    """One line of a description, typed."""

    name: str
    kind: LineKind
    wording: int
    values: dict[str, Value]


@dataclass(frozen=True)
class System:
    """The description of a system, typed, and its text."""

    choice: int
    lines: tuple[Described, ...]
    text: str


def draw_system(
    voice: Voice, kinds: ExhibitKinds, facts: Facts, depth: Depth, choice: int, seed_words: tuple[str, ...]
) -> System:
    """Draw a description of a system and write it. A line that the facts contradict, or that needs one that is not
    stated, is never drawn.

    Args:
        voice: the language of the question.
        facts: what is stated.
        depth: of the answer: it names the parts described.
        choice: which of an answer's wordings it goes with; each has a description of its own.
        seed_words: what the draw hangs on beside it; the facts change only the lines that they concern.

    Raises:
        KeyError: no parts are declared for this depth.
    """
    written = Choices("system", "date", choice, *seed_words).date(kinds.system.years)
    lines = []
    for part in kinds.system.parts_at[depth]:
        choices = Choices("system", part, choice, *seed_words)  # its own, so that a fact changes no other part
        fitting = [n for n, kind in kinds.system.lines.items() if kind.part == part and agrees(kind, facts)]
        if fitting:
            name = fitting[choices.below(len(fitting))]
            kind = kinds.system.lines[name]
            lines.append(Described(name, kind, choices.below(1 << 16), choices.values(kind.values, written, kinds)))
    return System(choice, tuple(lines), _text(Choices("system", "name", choice, *seed_words), voice, lines))


def agrees(kind: LineKind, facts: Facts) -> bool:
    """Test whether a line goes with the facts stated."""
    needed = all(facts.get(name) is value for name, value in kind.needs.items())
    return needed and all(facts.get(name) is not value for name, value in kind.unless.items())


def summarise_system(system: System, voice: Voice) -> list[Line]:
    """Sum up a description, one line a line, with what each must say exactly.

    Args:
        voice: the language of the answer.
    """
    words = voice.words.system
    lines = []
    for line in system.lines:
        worded, written = words.lines[line.name], _written(line, voice)
        gist = fill(worded.summary[system.choice % len(worded.summary)], slots_of(written, voice), voice)
        text = fill(words.line, {"title": voice.source(WORDED, worded.title), "text": gist}, voice)
        lines.append(Line(text, tuple(field for value in written.values() for field in value.fields)))
    return lines


def _text(choices: Choices, voice: Voice, lines: list[Described]) -> str:
    words = voice.words.system
    said = [words.names[choices.below(len(words.names))]]
    for line in lines:
        worded = words.lines[line.name]
        text = fill(worded.text[line.wording % len(worded.text)], slots_of(_written(line, voice), voice), voice)
        said.append(fill(words.line, {"title": worded.title, "text": text}, voice))
    return "\n".join(said)


def _written(line: Described, voice: Voice) -> Mapping[str, Written]:
    return {name: write(line.kind.values[name], name, value, voice) for name, value in line.values.items()}

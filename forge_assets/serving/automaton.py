"""Build the automaton of texts that cite no place of law by hand.

A sign such as `§` never stands by hand: it says nothing but that a place follows. Elsewhere a text cites one by hand
where a number stands behind a word that opens places (`Art. 5`, `Art. L. 1`), or before one that follows them
(`5 straipsnis`). The automaton reads one sign at a time and dies at such a sign or number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from forge_assets.citations.place_words import PlaceWords

SPACES = " \t\n\r\u00a0\u202f"
MARKS = (
    "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~"
    "\u00ab\u00bb\u201e\u201c\u201d\u2018\u2019\u201a\u2013\u2014\u2026\u00b7\u2022\u00a7"
)
"""Signs that are no part of a word; any other sign counts as a letter."""
DIGITS = "0123456789"
LETTER, DIGIT = "letter", "digit"
"""Stand for all letters that no word has, and for all digits."""

_FREE, _ONE_LETTER = -1, -2
"""After a word that opens places: nothing but spaces and brackets since, or one letter too."""
_MOST_LETTERS = 4
"""Letters between a number and the word that follows it, as in `5 lit. str.`"""

_Item = tuple[str, int, int]
_State = tuple[bool, frozenset[_Item]]
"""Whether a word may begin here, and what is being read."""


@dataclass(frozen=True)
class Automaton:
    """Build with `Automaton.of`.

    Attributes:
        moves: of each state, sign (one of `signs`, `LETTER` or `DIGIT`) to the next; a sign that is missing is
            impossible.
        begins: states in which a place may begin.
        ends: states in which a text may end.
        signs: those that some word has, and spaces and marks.
    """

    moves: tuple[dict[str, int], ...]
    begins: frozenset[int]
    ends: frozenset[int]
    signs: tuple[str, ...]

    @classmethod
    def of(cls, words: PlaceWords) -> Automaton:
        """Build the smallest automaton for some words; state 0 is the first."""
        reader = _Reader(words)
        start: _State = (True, frozenset())
        number = {start: 0}
        moves: list[dict[str, int]] = []
        waiting = [start]
        for state in waiting:
            found = {}
            for sign in (*reader.signs, LETTER, DIGIT):
                after = reader.step(state, sign)
                if after is not None:
                    if after not in number:
                        number[after] = len(waiting)
                        waiting.append(after)
                    found[sign] = number[after]
            moves.append(found)
        begins = frozenset(n for state, n in number.items() if state[0] and not _opened(state))
        ends = frozenset(number[state] for state in number if not any(item[0] == "done" for item in state[1]))
        return _smallest(cls(tuple(moves), begins, ends, reader.signs))

    def sign_of(self, letter: str) -> str:
        """The sign that a letter of a text counts as."""
        if letter in DIGITS:
            return DIGIT
        return letter if letter in self.signs else LETTER

    def accepts(self, text: str) -> bool:
        """Whether a text cites no place by hand."""
        state: int | None = 0
        for letter in text:
            state = self.moves[state].get(self.sign_of(letter)) if state is not None else None
        return state in self.ends


class _Reader:
    """Reads signs: which words are begun, and which are complete."""

    def __init__(self, words: PlaceWords) -> None:
        self._signs_of_places = frozenset(word for word in words.before if word in MARKS)
        self._before = tuple(sorted({word.lower() for word in words.before}))
        self._after = tuple(sorted({word.lower().lstrip(" .") for word in words.after}))
        letters = {letter for word in (*self._before, *self._after) for letter in word}
        cased = {c for letter in letters for c in (letter, letter.upper()) if len(c) == 1}
        self.signs = tuple(sorted((cased | set(SPACES) | set(MARKS)) - set(DIGITS)))

    def step(self, state: _State, sign: str) -> _State | None:
        """The next state, or None where the text would cite a place by hand."""
        begins, items = state
        is_word = sign not in SPACES and sign not in MARKS
        if sign in self._signs_of_places:
            return None
        found: set[_Item] = set()
        if begins:
            found |= self._matched("before", enumerate(self._before), sign)
        for kind, which, read in items:
            if kind == "before":
                found |= self._matched("before", [(which, self._before[which])], sign, read)
            elif kind == "open":
                if sign == DIGIT:
                    return None
                found |= self._opened(which, sign)
            elif kind == "after":
                found |= self._matched("after", [(which, self._after[which])], sign, read)
            elif kind == "number":
                found |= self._numbered(which, read, sign)
            elif kind == "done" and not is_word:
                return None
        if sign == DIGIT:
            found.add(("number", 0, 0))
        return not is_word, frozenset(found)

    def _matched(self, kind: str, words: Iterable[tuple[int, str]], sign: str, read: int = 0) -> set[_Item]:
        found: set[_Item] = set()
        for which, word in words:
            if word[read] != sign.lower():
                continue
            if read + 1 < len(word):
                found.add((kind, which, read + 1))
            else:
                found.add(("open", _FREE, 0) if kind == "before" else ("done", 0, 0))
        return found

    def _opened(self, stage: int, sign: str) -> set[_Item]:
        if sign in SPACES or sign == "(":
            return {("open", stage, 0)}
        if stage == _ONE_LETTER:
            return {("open", _ONE_LETTER, 0)} if sign == "." else set()
        return {("open", _ONE_LETTER, 0)} if sign not in MARKS else set()

    def _numbered(self, stage: int, letters: int, sign: str) -> set[_Item]:
        """Behind a number: spaces, then few letters, then stops and spaces; at each a word that follows may begin."""
        found = self._matched("after", enumerate(self._after), sign)
        if sign in SPACES:
            found.add(("number", 1 if not letters else 2, letters))
        elif sign == ".":
            found.add(("number", 2, letters))
        elif sign not in MARKS and sign != DIGIT and stage < 2 and letters < _MOST_LETTERS:
            found.add(("number", stage, letters + 1))
        return found


def _opened(state: _State) -> bool:
    """Whether a number, and so a place that begins with one, would be one that a word before it opens."""
    return any(kind == "open" for kind, _, _ in state[1])


def _smallest(given: Automaton) -> Automaton:
    """Join the states that no text tells apart."""
    size = len(given.moves)
    group = [(state in given.begins) * 2 + (state in given.ends) for state in range(size)]
    while True:
        seen: dict[tuple[int, ...], int] = {}
        columns = (*given.signs, LETTER, DIGIT)
        fresh = []
        for state in range(size):
            moves = given.moves[state]
            key = (group[state], *(group[moves[sign]] if sign in moves else -1 for sign in columns))
            fresh.append(seen.setdefault(key, len(seen)))
        if len(seen) == len(set(group)):
            break
        group = fresh
    first: dict[int, int] = {}
    for state in range(size):
        first.setdefault(fresh[state], state)
    joined = tuple({sign: fresh[to] for sign, to in given.moves[first[number]].items()} for number in range(len(first)))
    return Automaton(
        joined,
        frozenset(fresh[state] for state in given.begins),
        frozenset(fresh[state] for state in given.ends),
        given.signs,
    )

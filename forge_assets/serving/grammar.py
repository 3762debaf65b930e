"""Write the guard of answers as a grammar (GBNF): free text, in which places of law come from a trie alone.

Where the automaton of free text lets a word begin, a place of the trie may stand instead. So a model that is held to
the grammar writes no number of a place by hand. What the grammar does not know (a number as a word, HTML signs, a law
named by its title alone) is found by judging the answer afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forge_assets.citations.place_words import PlaceWords
from forge_assets.serving.automaton import DIGIT, DIGITS, LETTER, MARKS, SPACES, Automaton

ROOT = "root"


def answer_grammar(automaton: Automaton, places: Iterable[str]) -> str:
    """Write the grammar of answers that cite the given places and no others by a number."""
    rules = [f"{ROOT} ::= s0", *_free_rules(automaton), *_after_place(automaton)]
    return "\n".join([*rules, *_trie_rules(sorted(set(places)))]) + "\n"


def opened(automaton: Automaton, words: PlaceWords) -> tuple[str, str]:
    """Give a text that has begun to cite a place by hand, and the rule that goes on from there.

    A model that is pushed towards digits gives none under it, or the grammar does not hold.
    """
    opening = f"{min((word for word in words.before if word[0].isalpha()), key=lambda word: (len(word), word))} "
    state = 0
    for letter in opening:
        state = automaton.moves[state][automaton.sign_of(letter)]
    return opening, f"{ROOT} ::= s{state}"


def going_on(grammar: str, root: str) -> str:
    """Let a grammar's texts begin with another rule; one that is not of our form stays as it is."""
    return grammar.replace(f"{ROOT} ::= s0\n", f"{root}\n", 1)


def _free_rules(automaton: Automaton) -> list[str]:
    rules = []
    for state, moves in enumerate(automaton.moves):
        targets: dict[int, list[str]] = {}
        for sign, target in moves.items():
            targets.setdefault(target, []).append(sign)
        ways = [f"{_class(automaton, signs)} s{target}" for target, signs in targets.items()]
        ways += ["p"] if state in automaton.begins else []
        ways += ['""'] if state in automaton.ends else []
        rules.append(f"s{state} ::= {' | '.join(ways)}")
    return rules


def _after_place(automaton: Automaton) -> list[str]:
    """What stands behind a place: a space or a mark, but no bracket, which would go on with the place."""
    targets: dict[int, list[str]] = {}
    for sign in SPACES + MARKS:
        if sign != "(" and sign in automaton.moves[0]:
            targets.setdefault(automaton.moves[0][sign], []).append(sign)
    ways = [f"{_class(automaton, signs)} s{target}" for target, signs in targets.items()]
    return [f'after ::= {" | ".join(ways)} | ""']


def _trie_rules(places: Sequence[str]) -> list[str]:
    """Rules of a trie whose rule `p` is all places; without any, `p` matches nothing that a text can hold."""
    if not places:
        return ['p ::= "\\x00"']
    rules: list[str] = []
    waiting = [("p", places)]
    for name, rest in waiting:
        ways = []
        for first in dict.fromkeys(place[:1] for place in rest):
            if not first:
                ways.append("after")
                continue
            same = [place for place in rest if place[:1] == first]
            shared = _shared(same)
            below = [place[len(shared) :] for place in same]
            target = "after" if below == [""] else f"p{len(waiting)}"
            if target != "after":
                waiting.append((target, below))
            ways.append(f"{_literal(shared)} {target}")
        rules.append(f"{name} ::= {' | '.join(ways)}")
    return rules


def _shared(texts: Sequence[str]) -> str:
    """What all of some sorted texts begin with."""
    first, last = texts[0], texts[-1]
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _class(automaton: Automaton, signs: Sequence[str]) -> str:
    if LETTER in signs:
        others = [sign for sign in automaton.signs if sign not in signs]
        return f"[^{''.join(map(_in_class, others))}{'' if DIGIT in signs else DIGITS}]"
    return f"[{''.join(DIGITS if sign == DIGIT else _in_class(sign) for sign in signs)}]"


def _in_class(sign: str) -> str:
    return sign if sign.isalnum() else f"\\u{ord(sign):04X}"


def _literal(text: str) -> str:
    return '"' + "".join(sign if sign.isalnum() or sign == " " else f"\\u{ord(sign):04X}" for sign in text) + '"'

"""Read grammars of the form that the guard writes (each way a class or a literal, then a rule) as llama.cpp does."""

from __future__ import annotations

import re

_WAY = re.compile(r'(?:(\[(?:[^\]])*\])|("(?:[^"])*"))?\s*([a-z]\w*)?')
_SIGN = re.compile(r"\\u([0-9A-F]{4})|\\x([0-9A-F]{2})|(.)", re.DOTALL)


def _signs(text: str) -> list[str]:
    return [chr(int(a or b, 16)) if a or b else c for a, b, c in _SIGN.findall(text)]


class Grammar:
    """Says whether a text is one of a grammar's."""

    def __init__(self, text: str) -> None:
        self._rules: dict[str, list[tuple[str, list[str], str | None]]] = {}
        for line in text.splitlines():
            name, ways = line.split(" ::= ")
            self._rules[name] = []
            for way in re.split(r" \| ", ways):
                found = _WAY.fullmatch(way.strip())
                assert found, way
                chosen, literal, rule = found.groups()
                if chosen:
                    negated = chosen.startswith("[^")
                    listed = _signs(chosen[2 if negated else 1 : -1])
                    self._rules[name].append(("not" if negated else "one", listed, rule))
                else:
                    self._rules[name].append(("text", _signs(literal[1:-1] if literal else ""), rule))

    def accepts(self, text: str) -> bool:
        """Whether the whole text is one of the grammar's."""
        states = self._closed({("root", ())})
        for sign in text:
            after = set()
            for name, rest in states:
                if rest:
                    if rest[0] == sign:
                        after.add((name, rest[1:]))
                    continue
                for kind, signs, rule in self._rules.get(name, ()):
                    if (kind == "one" and sign in signs) or (kind == "not" and sign not in signs):
                        after.add((rule, ()))
                    elif kind == "text" and signs and signs[0] == sign:
                        after.add((rule, tuple(signs[1:])))
            states = self._closed(after)
        return any(name is None and not rest for name, rest in states)

    def _closed(self, states: set[tuple[str | None, tuple[str, ...]]]) -> set[tuple[str | None, tuple[str, ...]]]:
        """Add what is reached without a sign; None is the end of the text."""
        waiting, found = list(states), set(states)
        for name, rest in waiting:
            if rest or name is None:
                continue
            for kind, signs, rule in self._rules[name]:
                if kind == "text" and not signs and (rule, ()) not in found:
                    found.add((rule, ()))
                    waiting.append((rule, ()))
        return {(name, rest) for name, rest in found if name is not None or not rest}

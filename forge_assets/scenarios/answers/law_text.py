"""Put fields of the law into words: English answers use what is written in English, others the statute's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from forge_assets.citations.rendering import render
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import Body, EscalationStep, Framework, Provision, Rule
from forge_assets.scenarios.answers.writer import Writer
from forge_assets.scenarios.pack.language import ENGLISH

LONGEST = 300
"""Characters of a quote in an answer; a longer one is cut after a word."""
CUT = " …"
Quotable = Callable[[str, str], bool]
"""Tests whether words cite nothing, beside the citation of the place where they stand."""


class LawText:
    """Writes one country's law in the language of a writer, and remembers which places it cited.

    Args:
        quotable: tests whether words of a statute may be quoted: those that cite other places are not.
        written: citations written before, and by this one.
    """

    def __init__(
        self,
        framework: Framework,
        writer: Writer,
        quotable: Quotable,
        written: dict[CitationKey, str] | None = None,
    ) -> None:
        self.framework = framework
        self._written = {} if written is None else written
        self.cited: dict[CitationKey, None] = {}
        self._writer = writer
        self._quotable = quotable
        self._bodies = _bodies(framework)

    @cached_property
    def _at_place(self) -> Counter[CitationKey]:
        """Provisions by place; most answers, each with a `LawText` of its own, never ask."""
        return Counter(p.cite for p in self.framework.provisions)

    @property
    def english(self) -> bool:
        """Whether the answer is in English, the language of summaries, deadlines and consequences."""
        return self._writer.words.language == ENGLISH

    def place(self, key: CitationKey) -> str:
        """Cite a place."""
        self.cited[key] = None
        return self._writer.source(f"cite:{key}", self._rendered(key))

    def places(self, keys: Iterable[CitationKey]) -> str:
        """Cite some places, each once."""
        return ", ".join(self.place(key) for key in dict.fromkeys(keys))

    def level(self, level: str) -> str:
        """Name a level."""
        return self._writer.source(f"level:{level}", self._writer.words.levels[level])

    def body(self, name: str) -> str:
        """Name a body: in English with its own name in brackets, elsewhere as its law names it."""
        body = self._bodies[name]
        return self._writer.source(f"body:{body.basis.jurisdiction}.{name}", self.body_name(body))

    def body_name(self, body: Body) -> str:
        """Return the name by which answers call a body."""
        if not self.english:
            return body.name
        return body.english if body.english == body.name else f"{body.english} ({body.name})"

    def gist(self, provision: Provision) -> str:
        """Write the English summary."""
        return self._field(provision.id, "summary", provision.summary)

    def quote(self, provision: Provision) -> str:
        """Quote the statute without its quotation marks; empty where the words cite other places, or stand in law of
        another language than the answer's."""
        if not self.english and provision.cite.jurisdiction != self.framework.jurisdiction:
            return ""
        return self._quoted(f"{provision.id}.quote", provision.quote, provision.cite)

    def deadline(self, provision: Provision) -> str:
        """Write the deadline, in the statute's own words where the answer is not English; empty: none to write.

        Words of another place carry it; where some may not be quoted nothing is said, for they may be an exception.
        """
        return self._timed(provision, "deadline", provision.deadline)

    def consequence(self, provision: Provision) -> str:
        """Write what follows from a breach, as `deadline`."""
        return self._timed(provision, "consequence", provision.consequence)

    def condition(self, provision: Provision) -> str:
        """Write the English condition that a person must judge; empty where it cites other places."""
        text = provision.only_if or ""
        return self._field(provision.id, "only_if", text) if text and self._is_clear(text, provision.cite) else ""

    def step(self, step: EscalationStep) -> str:
        """Write the English name of a step of a dispute."""
        return self._field(f"step:{step.basis}", "step", step.step)

    def step_quote(self, step: EscalationStep) -> str:
        """Quote a step's basis; empty: nothing to quote."""
        return self._quoted(f"step:{step.basis}.quote", step.quote or "", step.basis)

    def stage(self, step: EscalationStep) -> str:
        """Name the stage of a step."""
        return self._writer.source(f"stage:{step.stage}", self._writer.words.stages[step.stage])

    def rule(self, rule: Rule) -> str:
        """Write an English rule; empty where it cites other places."""
        return self._field(rule.id, "rule", rule.rule.rstrip(".")) if self._is_clear(rule.rule, rule.basis) else ""

    def rule_quote(self, rule: Rule) -> str:
        """Quote a rule; empty: nothing to quote."""
        return self._quoted(f"{rule.id}.quote", rule.quote, rule.basis)

    def duty(self, provision: Provision) -> str:
        """Write a duty and where it stands: a model that has named the duty knows which citation follows."""
        if self.english:
            return self._writer.say("duty", gist=self.gist(provision), place=self.place(provision.cite))
        quote = self.quote(provision)
        if not quote:
            return self.duty_in_short(provision)
        place = self.place(provision.cite)
        return self._writer.say("duty_quoted", body=self.body(provision.body), quote=quote, place=place)

    def duty_in_short(self, provision: Provision) -> str:
        """Write a duty as `duty` does, without the statute's words."""
        if self.english:
            return self.duty(provision)
        return self._writer.say("duty_placed", body=self.body(provision.body), place=self.place(provision.cite))

    def place_of(self, provision: Provision) -> str:
        """Cite a provision's place, after its level where several provisions stand there."""
        place = self.place(provision.cite)
        if self._at_place[provision.cite] == 1:
            return place
        return self._writer.say("step_placed", stage=self.level(provision.level), place=place)

    def duty_alone(self, provision: Provision) -> str:
        """Write a duty without whom it is owed to, where that was said before."""
        if self.english:
            return self.duty(provision)
        quote, place = self.quote(provision), self.place(provision.cite)
        return self._writer.say("rule_quoted", place=place, quote=quote) if quote else place

    def _timed(self, provision: Provision, field: str, english: str | None) -> str:
        if self.english:
            return (
                self._field(provision.id, field, english) if english and self._is_clear(english, provision.cite) else ""
            )
        said = []
        for evidence in provision.said_at.get(field, ()):
            words = self._quoted(f"{provision.id}.{field}", evidence.words, provision.cite)
            if not words:
                return ""
            at = evidence.at or provision.cite
            elsewhere = not at.contains(provision.cite)
            quoted = self._writer.say("rule_quoted", place=self.place(at), quote=words) if elsewhere else f"«{words}»"
            said.append(quoted)
        return ", ".join(said)

    def _field(self, owner: str, field: str, text: str) -> str:
        return self._writer.source(f"law:{owner}.{field}", text)

    def _quoted(self, reference: str, words: str, place: CitationKey) -> str:
        words = " ".join(words.split())
        if not words or not self._is_clear(words, place):
            return ""
        return self._writer.source(f"law:{reference}", shortened(words))

    def _is_clear(self, words: str, place: CitationKey) -> bool:
        return self._quotable(" ".join(words.split()), self._rendered(place))

    def _rendered(self, key: CitationKey) -> str:
        if key not in self._written:
            self._written[key] = render(key, self.framework)
        return self._written[key]


def shortened(words: str) -> str:
    """Cut a quote of more than `LONGEST` characters after a word, and leave out the stop that ends it."""
    if len(words) <= LONGEST:
        return words.rstrip(" .,;:")
    return words[: words.rindex(" ", 0, LONGEST)].rstrip(" ,;:(–-") + CUT


def _bodies(framework: Framework) -> Mapping[str, Body]:
    return {body.id: body for body in framework.bodies}

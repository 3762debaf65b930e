"""Answer a question: read it, ask the model under the guard, show only what was judged, and say what is to be said."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any, NamedTuple

from forge_assets.scoring.repetition import runs_in_a_loop
from forge_assets.serving.asked import Asked, AskedError, completed, trained_form
from forge_assets.serving.engine import engine_says
from forge_assets.serving.grammar import opened
from forge_assets.serving.judged_stream import InventedError, JudgedStream
from forge_assets.serving.judging import Judge, Judged
from forge_assets.serving.library import Library
from forge_assets.serving.model.process import ModelError, ModelProcess
from forge_assets.serving.model.self_test import prove_guard
from forge_assets.serving.notice import mark
from forge_assets.serving.reading.question import Reader, Reading
from forge_resources.storage.strict import Strict

TRIES = 3
"""Times that the model is asked, as long as it cites what does not exist."""
_WARMER = 0.7
"""Temperature of further tries: the first is greedy, and would come out the same."""
_LOOKED_EVERY = 200
"""Letters after which it is looked at whether an answer only repeats itself."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class Served(Strict):
    """The model that answers.

    Attributes:
        jurisdictions: whose law it was taught; None: nobody says.
        languages: in which it answers: what is asked in others is told anew; none: nobody says.
        system: what stood before each question in training.
    """

    name: str
    digest: str
    system: str
    jurisdictions: tuple[str, ...] | None = None
    languages: tuple[str, ...] = ()
    max_new_tokens: int = 512


class Event(NamedTuple):
    """Something to show: its name, and what it holds as JSON."""

    name: str
    data: dict[str, Any]


class Answering:
    """Answers questions with one model."""

    def __init__(self, library: Library, model: ModelProcess, served: Served) -> None:
        self.library, self.model, self.served = library, model, served
        self.reader = Reader(library)

    def start(self, countries: Iterable[str]) -> None:
        """Start the model and prove that its guard holds.

        Args:
            countries: those whose guard is proven.

        Raises:
            ModelError: it cannot be loaded, or the guard does not hold: then it is stopped again.
        """
        self.model.start()
        try:
            opening, root = opened(self.library.automaton, self.library.words)
            prove_guard(self.model, self.library.grammar(countries), opening, root)
        except BaseException:
            self.model.stop()
            raise

    async def answer(self, asked: Asked) -> AsyncGenerator[Event, None]:
        """Answer a question as events: reading, text and withdrawn, citations, engine, and last done or error."""
        try:
            asked, whole, form, notes = await asyncio.to_thread(self.read, asked)
        except AskedError as error:
            yield Event("error", {"message": str(error)})
            return
        yield Event("reading", _shown(whole, form, notes))
        why_not = self.refusal(whole)
        if why_not is not None:
            if (said := engine_says(self.library, whole, None)) is not None:
                yield Event("engine", said)
            yield _done("refused", "", why_not)
            return
        judge = await asyncio.to_thread(Judge.of, self.library, whole.jurisdictions, whole.change, whole.facts)
        try:
            async for event in self._tries(form or asked.question, whole, judge):
                yield event
        except ModelError as error:
            yield Event("error", {"message": str(error)})

    async def _tries(self, question: str, whole: Reading, judge: Judge) -> AsyncGenerator[Event, None]:
        if not self.model.alive:
            await asyncio.to_thread(self.start, whole.jurisdictions)
        prompt = await asyncio.to_thread(self.model.prompt, self.served.system, question)
        grammar = await asyncio.to_thread(self.library.grammar, whole.jurisdictions)
        invented = ""
        for attempt in range(TRIES):
            answer = ""
            temperature = _WARMER if attempt else 0.0
            pieces = self.model.answer(prompt, self.served.max_new_tokens, grammar, temperature, seed=attempt)
            try:
                async with aclosing(self._judged(pieces, judge)) as judged_text:
                    async for text in judged_text:
                        answer += text
                        yield Event("text", {"delta": text})
                judged = await asyncio.to_thread(judge.judge, answer)
                if found := next((one.text for one in judged.citations if one.verdict == "invented"), None):
                    raise InventedError(found)
            except InventedError as error:
                invented = str(error)
                yield Event("withdrawn", {"reason": f"the model cited {invented}, which does not exist: asked again"})
                continue
            for event in self._after(answer, whole, judged):
                yield event
            return
        if (said := engine_says(self.library, whole, None)) is not None:
            yield Event("engine", said)
        why = f"asked {TRIES} times, the model cited what does not exist each time, last {invented}: nothing is shown"
        yield _done("refused", "", why)

    async def _judged(self, pieces: AsyncGenerator[str, None], judge: Judge) -> AsyncGenerator[str, None]:
        """Give on what was judged of an answer, and end one that only repeats itself."""
        stream, whole, looked = JudgedStream(judge.invented), "", 0
        async with aclosing(pieces) as answer:
            async for piece in answer:
                whole += piece
                if text := stream.feed(piece):
                    yield text
                if len(whole) - looked >= _LOOKED_EVERY:
                    looked = len(whole)
                    if runs_in_a_loop(whole):
                        break
        if text := stream.close():
            yield text

    def _after(self, answer: str, whole: Reading, judged: Judged) -> list[Event]:
        events = [Event("citations", judged.model_dump(mode="json"))]
        if (said := engine_says(self.library, whole, judged)) is not None:
            events.append(Event("engine", said))
        message = None if answer.strip() else "the model said nothing"
        return [*events, _done("answered" if answer.strip() else "refused", answer, message)]

    def read(self, asked: Asked) -> tuple[Asked, Reading, str | None, list[str]]:
        """Read a question: what is asked, what it says, the form in which the model is asked if another, and notes.

        Raises:
            AskedError: facts contradict one another.
        """
        notes = []
        cleaned = _CONTROL.sub(" ", asked.question)
        if cleaned != asked.question:
            notes.append("control characters of the question were left out")
        asked = asked.model_copy(update={"question": cleaned})
        read = self.reader.read(asked.question)
        whole = completed(self.library, asked, read)
        refused = self.refusal(whole) is not None
        form = None if refused else trained_form(self.library, asked, read, whole, self.served.languages)
        if form is not None:
            notes.append("the model is asked in the form that it was trained on")
        if whole.jurisdictions and not whole.change and not whole.cites:
            notes.append("no kind of change was read from the question, so the law engine says nothing")
        elif whole.change and not whole.facts:
            notes.append("no facts were read from the question, so the law engine says nothing")
        return asked, whole, form, notes

    def refusal(self, whole: Reading) -> str | None:
        """Say why the model is not asked; None where it is."""
        domain = self.library.domain
        if not whole.change and not whole.cites:
            kinds = ", ".join(kind.title for kind in domain.change_types.values())
            return f"this answers questions on {domain.title}: name a kind of change ({kinds}) or a place of law"
        if not whole.jurisdictions:
            return "the question names no country: say whose law is asked about"
        untaught = [code for code in whole.jurisdictions if not self.is_taught(code)]
        if untaught:
            named = ", ".join(self.library.names[code] for code in untaught)
            return f"the model was not taught the law of {named}: what the law engine says stands on its own"
        return None

    def is_taught(self, code: str) -> bool:
        """Whether the model was taught a country's law, as far as anybody says."""
        return self.served.jurisdictions is None or code in self.served.jurisdictions


def _shown(whole: Reading, form: str | None, notes: list[str]) -> dict[str, Any]:
    return {
        "language": whole.language,
        "jurisdictions": list(whole.jurisdictions),
        "change": whole.change,
        "facts": dict(whole.facts),
        "asked": form,
        "notes": notes,
    }


def _done(status: str, answer: str, message: str | None) -> Event:
    return Event("done", mark({"status": status, "answer": answer, "message": message}))

"""Answer prompts in batches. Every answer is kept as soon as it ends, and what is kept is not asked again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from forge_assets.scoring.repetition import runs_in_a_loop
from forge_assets.training.inference.answer_file import AnswerFile, Cited
from forge_assets.training.inference.batch_decoding import Row, decode
from forge_assets.training.inference.citation_guard import CitationGuard
from forge_assets.training.inference.constrained import Schemas
from forge_assets.training.inference.decoding import choose
from forge_assets.training.jobs.spec import GenerateJob, Guard, Sampling
from forge_assets.training.models.citation_tokens import CitationToken, read_tokens
from forge_assets.training.models.loading import load_tuned, model_folder
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt
from forge_resources.storage.json_lines import read_json_lines

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOLD_EVERY = 5.0
"""Seconds between two lines on the terminal."""
LOOKED_EVERY = 32
"""Tokens of an answer after which it is looked at whether it only repeats itself."""


def generate(
    job: GenerateJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write `result/answers.jsonl`, one object per prompt with `sample_id` and `answer`.

    Raises:
        Interrupted: stopped early; the answers so far are kept.
    """
    with interrupt.at_once():
        model, tokenizer, lost = load_tuned(paths, job)
    measured = answer_prompts(
        model,
        tokenizer,
        paths[job.prompts],
        job.sampling,
        work / "result",
        progress,
        interrupt,
        tokens=read_tokens(model_folder(paths[job.base])),
        guard=job.guard,
    )
    return measured | {"merge_error": lost}


def answer_prompts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Path,
    sampling: Sampling,
    result: Path,
    progress: Progress,
    interrupt: Interrupt,
    *,
    tokens: Sequence[CitationToken] = (),
    guard: Guard | None = None,
) -> dict[str, Any]:
    """Answer every row of `prompts` into `result/answers.jsonl`.

    A row has `sample_id` and `prompt` as chat messages. Where it has `schema`, a JSON Schema as text, its answer keeps
    to it as far as it goes: at the most tokens allowed it is cut like any other. `countries` are those whose places
    `guard` allows. An answer that only repeats itself ends.

    What is drawn for a sample depends on its id and the seed alone, so an interrupted run gives the answers that an
    undisturbed one gives, as far as the arithmetic of a batch does not depend on its other rows.

    Args:
        tokens: the model's citation tokens: the probability of each that is chosen is kept with the answer.
        guard: None: nothing is held back.

    Returns:
        Answers, new tokens, seconds and tokens per second.

    Raises:
        Interrupted: stopped early; the answers that had ended are kept.
        ValueError: a schema cannot be followed.
    """
    result.mkdir(parents=True, exist_ok=True)
    given = {row["sample_id"]: row for row in read_json_lines(prompts)}
    schemas = {name: row["schema"] for name, row in given.items() if row.get("schema")}
    compiled = Schemas(schemas, tokenizer, stop_tokens(model, tokenizer))
    countries = {name: row["countries"] for name, row in given.items() if row.get("countries")}
    held = CitationGuard(guard, tokenizer, tokens, countries) if guard else None
    kept = AnswerFile(result / "answers.jsonl")
    answering = _Answering(model, tokenizer, sampling, given, kept, progress, interrupt, tokens, compiled, held)
    model.eval()
    progress.phase("answering", answers=len(given))
    started = time.time()
    decode(model, answering.rows(), sampling.batch_size, answering.choose)
    progress.say(f"answered {len(given)}/{len(given)}")
    kept.put_in_order(list(given))
    seconds = time.time() - started
    return {
        "answers": len(given),
        "new_tokens": answering.new,
        "generate_seconds": round(seconds, 2),
        "generate_tokens_per_second": round(answering.new / seconds, 1) if seconds else None,
    }


class _Answering:
    """What is asked, how answers are chosen, and where they go as they end."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        sampling: Sampling,
        given: dict[str, dict[str, Any]],
        kept: AnswerFile,
        progress: Progress,
        interrupt: Interrupt,
        tokens: Sequence[CitationToken],
        schemas: Schemas,
        guard: CitationGuard | None,
    ) -> None:
        self._tokenizer, self._sampling, self._given, self._kept = tokenizer, sampling, given, kept
        self._progress, self._interrupt = progress, interrupt
        self._stops = stop_tokens(model, tokenizer)
        self._schemas, self._guard = schemas, guard
        self._texts = {token.id: token.text for token in tokens}
        self._cited: dict[str, list[Cited]] = {}
        self._held: dict[str, int] = {}
        self._told = 0.0
        self.new = 0
        """Tokens of the answers that ended."""

    def rows(self) -> list[Row]:
        """What is left to be answered; prompts that end alike ask for answers of like length, and come together."""
        texts = {
            name: str(self._tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True))
            for name, row in self._given.items()
            if name not in self._kept.done
        }
        order = sorted(texts, key=lambda name: (texts[name][-100:], len(texts[name]), name))
        return [Row(name, self._tokenizer(texts[name], add_special_tokens=False).input_ids) for name in order]

    def choose(self, scores: torch.Tensor, rows: Sequence[Row]) -> list[int]:
        """Choose the next token of every row, and end the rows that it ends."""
        self._interrupt.check()
        scores[:, len(self._tokenizer) :] = -torch.inf  # rows that only fill the embedding up
        free = scores
        if self._guard:
            scores = self._guard.hold(scores, [None if self._schemas.holds(row.name) else row for row in rows])
        scores = self._schemas.hold(scores, rows)
        chosen = choose(scores, rows, self._sampling)
        self._note(free, rows, chosen)
        for row, token in zip(rows, chosen, strict=True):
            row.ended = self._ends(row, token)
            if row.ended:
                self._keep(row, [*row.new, token])
        if ended := [row for row in rows if row.ended]:
            self._tell(sum(len(row.new) + 1 for row in ended))
        return chosen

    def _tell(self, new: int) -> None:
        """Stream how many are answered, and say so every few seconds."""
        done, wanted = len(self._kept.done), len(self._given)
        self._progress.metrics(answered=done, answers=wanted, new_tokens=new)
        if time.time() - self._told >= TOLD_EVERY:
            self._told = time.time()
            self._progress.say(f"answered {done}/{wanted}")

    def _note(self, free: torch.Tensor, rows: Sequence[Row], chosen: Sequence[int]) -> None:
        """Keep how sure the model is of the places it cites, and where the guard changed what it would have said."""
        for i, (row, token) in enumerate(zip(rows, chosen, strict=True)):
            if token in self._texts:
                share = float(torch.softmax(free[i], dim=-1)[token])
                self._cited.setdefault(row.name, []).append(Cited(self._texts[token], round(share, 4)))
        if self._guard:
            for row, wanted, token in zip(rows, free.argmax(dim=-1).tolist(), chosen, strict=True):
                if wanted != token and not self._sampling.temperature and not self._schemas.holds(row.name):
                    self._held[row.name] = self._held.get(row.name, 0) + 1

    def _ends(self, row: Row, token: int) -> bool:
        length = len(row.new) + 1
        if token in self._stops or length >= self._sampling.max_new_tokens:
            return True
        return length % LOOKED_EVERY == 0 and runs_in_a_loop(self._text([*row.new, token]))

    def _keep(self, row: Row, new: Sequence[int]) -> None:
        self.new += len(new)
        self._kept.keep(row.name, self._text(new), self._cited.pop(row.name, []), self._held.pop(row.name, 0))

    def _text(self, new: Sequence[int]) -> str:
        return str(self._tokenizer.decode(new, skip_special_tokens=True))


def stop_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Tokens that end an answer: the tokenizer's and those that the model's generation config names."""
    named = model.generation_config.eos_token_id
    listed = named if isinstance(named, list) else [named]
    return sorted({tokenizer.eos_token_id, *listed} - {None})

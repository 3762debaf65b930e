"""Do a job of kind `gguf_answers`: what a GGUF file answers in llama.cpp, greedily, several questions at a time."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from forge_assets.training.gguf.llama import Llama, Reply
from forge_assets.training.inference.answer_file import AnswerFile
from forge_assets.training.jobs.spec import GgufAnswersJob
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt
from forge_resources.storage.atomic import atomic
from forge_resources.storage.json_lines import read_json_lines

AHEAD = "ahead.jsonl"
"""Beside the answers: of each token how far ahead of the next likeliest it was, in nats."""
TOLD_EVERY = 5.0


def answer(
    job: GgufAnswersJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write `result/answers.jsonl`, as a generate job does, and `result/ahead.jsonl`.

    Raises:
        Interrupted: stopped early; it starts again from the beginning, for it is short.
        ValueError: the file cannot be loaded, or a question is longer than the context.
    """
    result = work / "result"
    result.mkdir(parents=True, exist_ok=True)
    (result / "answers.jsonl").unlink(missing_ok=True)
    rows = read_json_lines(paths[job.prompts])
    file = paths[job.gguf] / f"{job.file}.gguf"
    progress.phase("answering", answers=len(rows))
    replies: dict[str, Reply] = {}
    started = told = time.time()
    with Llama(file, job.slots, job.context) as llama, ThreadPoolExecutor(job.slots) as pool:
        asked = {
            pool.submit(llama.answer, row["prompt"], job.max_new_tokens, row.get("schema"), True): row["sample_id"]
            for row in rows
        }
        try:
            for done in as_completed(asked):
                replies[asked[done]] = done.result()
                interrupt.check()
                progress.metrics(answered=len(replies), answers=len(rows), new_tokens=replies[asked[done]].new_tokens)
                if time.time() - told >= TOLD_EVERY:
                    told = time.time()
                    progress.say(f"answered {len(replies)}/{len(rows)}")
        finally:
            for one in asked:
                one.cancel()
    seconds = time.time() - started
    kept = AnswerFile(result / "answers.jsonl")
    for row in rows:
        kept.keep(row["sample_id"], replies[row["sample_id"]].text)
    with atomic(result / AHEAD) as draft:
        draft.write_text("".join(map(_line, ((row["sample_id"], replies[row["sample_id"]]) for row in rows))), "utf-8")
    new = sum(reply.new_tokens for reply in replies.values())
    firsts = sorted(reply.first_seconds for reply in replies.values())
    return {
        "answers": len(rows),
        "new_tokens": new,
        "generate_seconds": round(seconds, 2),
        "generate_tokens_per_second": round(new / seconds, 1),
        "first_token_seconds": round(firsts[len(firsts) // 2], 4) if firsts else None,
    }


def _line(answered: tuple[str, Reply]) -> str:
    name, reply = answered
    tokens = [[token.text, min(round(token.ahead, 4), 99.0)] for token in reply.tokens]
    return json.dumps({"sample_id": name, "tokens": tokens}, ensure_ascii=False) + "\n"

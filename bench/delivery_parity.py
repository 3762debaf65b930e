"""What a deployment keeps of the model that was benchmarked, and how fast it is beside Transformers; after a chain.

Run: FORGE_PROFILE=cpu python bench/delivery_parity.py
Greedy answers to the whole benchmark of Transformers in float32 and of the f16 file, compared token by token; the
composite of each file against that of the tuned student, paired; then, in one run on the same questions, tokens a
second and the time to the first word: Transformers one question at a time and many at once, llama.cpp with several
slots. Each client asks its next question when it has its answer.

Run: FORGE_PROFILE=cpu python bench/delivery_parity.py --speed-only --threads 1
On a machine that has other work: one thread waits for no other, so tokens a second of its processor time still compare.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from forge_assets.benchmark.statistics import differences
from forge_assets.datasets.roles import prompt_rows
from forge_assets.delivery.deployment import Deployment, Deployments
from forge_assets.delivery.parity import compare
from forge_assets.delivery.vllm import MERGED
from forge_assets.distillation.records import Student
from forge_assets.training.asset_support import drawn_sets, greedy, scored
from forge_assets.training.gguf.llama import Llama
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import GGUF_TYPES, GenerateJob, GgufAnswersJob, GgufType
from forge_assets.training.models.makers import MAKERS
from forge_resources.forge import Forge
from forge_resources.launchers.base import run_directly
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.json_lines import read_json_lines

Rows = Sequence[dict[str, Any]]


class Measured(NamedTuple):
    """An answer: how many tokens, and the seconds until the first of them."""

    tokens: int
    first: float


def kept(forge: Forge, made: Deployment) -> list[str]:
    """Answer the benchmark with every file; lines of the report."""
    student, sets = forge.load(Student), drawn_sets(forge)
    samples, rows = sets.filter(pl.col("role") == "benchmark"), list[Any](prompt_rows(sets, "benchmark"))
    names = sorted({forge.profile.teacher.model, forge.profile.student.model})
    bases = {base.digest: base.path for base in map(forge.models.ensure, names)}
    runner = JobRunner(forge.store, forge.environment, bases, run_directly)
    exported = next(
        json.loads((folder / "record.json").read_text("utf-8"))["identity"]
        for folder in sorted(forge.store.artefact("x").parent.iterdir())
        if (folder / "result" / "f16.gguf").is_file()
        and (folder / "result" / "f16.gguf").samefile(Deployments.of(forge).file(made, "f16"))
    )

    def asked(kind: GgufType) -> Any:
        job = GgufAnswersJob(
            gguf=exported,
            file=kind,
            prompts=runner.dataset(rows),
            max_new_tokens=made.max_new_tokens,
            context=made.context,
        )
        return runner.run(job, f"{kind} answers")

    done = {kind: asked(kind) for kind in GGUF_TYPES}
    free = [row for row in rows if "schema" not in row]
    exact = ModelRef(base=student.model.base, adapter=student.model.adapter)
    wanted = runner.run(GenerateJob(**exact.spec, prompts=runner.dataset(free), sampling=greedy(forge)), "float32")
    tokens = {row["sample_id"]: row["tokens"] for row in read_json_lines(done["f16"].result / "ahead.jsonl")}
    said, found = ({row["sample_id"]: row["answer"] for row in one.answers()} for one in (wanted, done["f16"]))
    parity = compare(said, found, tokens)
    _, scores = scored(forge, {kind: one.answers() for kind, one in done.items()}, samples)
    known = forge.store.read("benchmark.scores").filter(pl.col("model") == "student_tuned")
    scores = pl.concat([known, scores]).filter(pl.col("metric") == "composite")
    means = dict(scores.group_by("model").agg(pl.col("value").mean()).iter_rows())
    lines = [
        f"Greedy answers without a schema: {parity.same} of {parity.answers} of the f16 file are those of Transformers "
        f"in float32, {parity.near_ties} more part where two tokens are within a tenth of a nat.",
        "",
        "| | Composite | Against the tuned student, paired | MB |",
        "|---|---:|---:|---:|",
        f"| Transformers | {means['student_tuned']:.3f} | | |",
    ]
    for kind in GGUF_TYPES:
        row = differences(scores, kind, "student_tuned", samples).row(0, named=True)
        change = f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
        lines.append(f"| {kind} | {means[kind]:.3f} | {change} | {made.files[kind].bytes / 1e6:.0f} |")
    return lines


def in_transformers(folder: Path, rows: Rows, batch: int, new: int, threads: int | None) -> Iterator[Measured]:
    """Answer with `generate`, `batch` questions at a time."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if threads:
        torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    for begin in range(0, len(rows), batch):
        chats = [row["prompt"] for row in rows[begin : begin + batch]]
        first: list[float] = []

        def seen(ids: torch.Tensor, _: object, first: list[float] = first, **__: object) -> torch.Tensor:
            first.append(time.perf_counter())
            return torch.zeros(len(ids), dtype=torch.bool)

        started = time.perf_counter()
        inputs = tokenizer.apply_chat_template(
            chats, add_generation_prompt=True, return_dict=True, return_tensors="pt", padding=True
        )
        out = model.generate(**inputs, do_sample=False, max_new_tokens=new, stopping_criteria=[seen])
        for row in out[:, inputs["input_ids"].shape[1] :]:
            yield Measured(int((row != tokenizer.pad_token_id).sum()), first[0] - started)


def in_llama(file: Path, rows: Rows, slots: int, new: int, context: int, threads: int | None) -> Iterator[Measured]:
    """Ask llama.cpp's server as many questions at a time as it has slots; words are counted as they come."""
    with Llama(file, slots, context, threads) as llama, ThreadPoolExecutor(slots) as pool:
        address: str = llama._server.listening_address

        def ask(row: dict[str, Any]) -> Measured:
            asked = {"messages": row["prompt"], "temperature": 0, "max_tokens": new, "stream": True}
            body = json.dumps(asked | {"cache_prompt": False, "stream_options": {"include_usage": True}}).encode()
            request = urllib.request.Request(
                f"{address}/v1/chat/completions", body, {"Content-Type": "application/json"}
            )
            started, first, tokens = time.perf_counter(), 0.0, 0
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as stream:
                for line in stream:
                    if not line.startswith(b"data: {"):
                        continue
                    event = json.loads(line[len(b"data: ") :])
                    tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
                    if not first and any(choice["delta"].get("content") for choice in event["choices"]):
                        first = time.perf_counter() - started
            return Measured(tokens, first)

        yield from pool.map(ask, rows)


def speed(made: Deployment, folder: Path, rows: Rows, new: int, threads: int | None) -> str:
    """Measure every way to answer the same questions, `new` tokens at most; a table."""
    served, plain = folder / made.files[made.served].name, folder / MERGED
    ways: dict[str, Callable[[], Iterator[Measured]]] = {}
    for batch in (1, len(rows)):
        ways[f"Transformers, float32, {batch} at a time"] = partial(in_transformers, plain, rows, batch, new, threads)
    for slots in (1, 4, 16):
        ways[f"llama.cpp, {made.served}, {slots} at a time"] = partial(
            in_llama, served, rows, slots, new, made.context, threads
        )
    list(in_transformers(plain, rows[:1], 1, 2, threads))  # reads the file and imports
    table = []
    for name, way in ways.items():
        started, spent = time.perf_counter(), time.process_time()
        answers = list(way())
        seconds, spent = time.perf_counter() - started, time.process_time() - spent
        tokens, firsts = sum(one.tokens for one in answers), [one.first for one in answers]
        table.append(
            {
                "": name,
                "tokens/s": round(tokens / seconds, 1),
                "tokens a second of a core": round(tokens / spent, 1),
                "first word, median s": round(statistics.median(firsts), 2),
                "first word, slowest s": round(max(firsts), 2),
                "tokens": tokens,
            }
        )
        print(table[-1], flush=True)
    return markdown(pl.DataFrame(table))


def main() -> None:
    """Measure, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=16, help="of the benchmark, whose answers are timed")
    parser.add_argument("--new", type=int, help="tokens of an answer that is timed, at most; default: as delivered")
    parser.add_argument("--threads", type=int, help="of each program; default: its own choice")
    parser.add_argument("--speed-only", action="store_true", help="answers and scores are left out")
    given = parser.parse_args()
    forge = Forge.from_environment(MAKERS)
    deployments = Deployments.of(forge)
    made = deployments.live()
    if made is None:
        raise SystemExit("nothing is live: run `forge run`")
    rows = [row for row in prompt_rows(drawn_sets(forge), "benchmark") if "schema" not in row][: given.questions]
    lines = [] if given.speed_only else kept(forge, made)
    table = speed(made, deployments.folder(made.digest), rows, given.new or made.max_new_tokens, given.threads)
    print("\n".join([f"# {made.name}", "", *lines, "", table]))


if __name__ == "__main__":
    main()

"""Peak memory of real worker processes against what `predict` says, over models, adapters, precisions and lengths.

Run: python bench/memory.py [--folder FOLDER] [--only NAME ...] [--json FILE]

Each configuration is a job of its own, in a process forked as `forge run` forks it; what was measured is kept in
FOLDER (default: forge-memory among temporary files) and not measured again. Rows are as long as `max_length`, or the
peak is not reached.
A configuration marked `fit` may have been looked at while the model's constants were chosen; the others were not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from forge_assets.training.jobs.spec import GenerateJob, Job, Lora, Sampling, SftJob
from forge_assets.training.jobs.worker_entry import WORKER
from forge_assets.training.planning.memory import Prediction, predict
from forge_assets.training.planning.memory_overhead import CPU
from forge_assets.training.planning.model_shape import Shape
from forge_resources.config.model_registry import ModelLibrary
from forge_resources.launchers.base import ENVIRONMENT, OFFLINE
from forge_resources.processes.fork_client import ForkServer
from forge_resources.processes.fork_server import Order
from forge_resources.storage.launch_file import LaunchFile

PROJECT = Path(__file__).resolve().parents[1]
SMOLLM2 = PROJECT / ".forge" / "models" / "smollm2-135m-instruct"
BASE, DATA = "b" * 64, "d" * 64
WORDS = "the works council must be heard before every dismissal "

MODELS: dict[str, dict[str, Any]] = {
    "llama-wide": {"model_type": "llama", "num_hidden_layers": 6, "hidden_size": 1024, "intermediate_size": 4096,
                   "num_attention_heads": 16, "num_key_value_heads": 4, "vocab_size": 32000,
                   "tie_word_embeddings": True},
    "llama-deep": {"model_type": "llama", "num_hidden_layers": 24, "hidden_size": 448, "intermediate_size": 1792,
                   "num_attention_heads": 7, "num_key_value_heads": 7, "vocab_size": 8192,
                   "tie_word_embeddings": False},
    "llama-large": {"model_type": "llama", "num_hidden_layers": 10, "hidden_size": 1536, "intermediate_size": 6144,
                    "num_attention_heads": 12, "num_key_value_heads": 4, "vocab_size": 32000,
                    "tie_word_embeddings": True},
    "llama-mid": {"model_type": "llama", "num_hidden_layers": 14, "hidden_size": 768, "intermediate_size": 2048,
                  "num_attention_heads": 12, "num_key_value_heads": 2, "vocab_size": 50000,
                  "tie_word_embeddings": True},
    "qwen3": {"model_type": "qwen3", "num_hidden_layers": 8, "hidden_size": 768, "intermediate_size": 2304,
              "num_attention_heads": 12, "num_key_value_heads": 4, "head_dim": 128, "vocab_size": 65536,
              "tie_word_embeddings": False},
    "gemma3": {"model_type": "gemma3_text", "num_hidden_layers": 12, "hidden_size": 640, "intermediate_size": 2048,
               "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "vocab_size": 131072,
               "sliding_window": 128, "tie_word_embeddings": True},
    "gpt-oss": {"model_type": "gpt_oss", "num_hidden_layers": 6, "hidden_size": 512, "intermediate_size": 512,
                "num_attention_heads": 16, "num_key_value_heads": 4, "head_dim": 64, "vocab_size": 32000,
                "num_local_experts": 16, "num_experts_per_tok": 4, "sliding_window": 128},
}  # fmt: skip


def sft(model: str, rows: int, length: int, rank: int | None = 16, **changes: Any) -> tuple[str, Job]:
    """Four steps: what an optimizer holds is there from the second, and the heap grows for some more."""
    lora = None if rank is None else Lora(rank=rank, alpha=rank, dropout=changes.pop("dropout", 0.0))
    return model, SftJob(
        base=BASE,
        dataset=DATA,
        lora=lora,
        learning_rate=1e-4,
        batch_size=rows,
        max_length=length,
        **{"steps": 4, **changes},
    )


def generate(model: str, rows: int, new: int, **changes: Any) -> tuple[str, Job]:
    """One batch of answers that run to their full length."""
    sampling = Sampling(max_new_tokens=new, batch_size=rows, temperature=1.0)
    return model, GenerateJob(base=BASE, prompts=DATA, sampling=sampling, **changes)


CONFIGURATIONS: dict[str, tuple[str, Job]] = {
    "fit/smollm2 lora16 4x320": sft("smollm2", 4, 320),
    "fit/llama-wide lora8 1x64": sft("llama-wide", 1, 64, 8),
    "fit/llama-wide full 1x64": sft("llama-wide", 1, 64, None),
    "fit/llama-deep lora16 4x256": sft("llama-deep", 4, 256),
    "fit/qwen3 full 2x256": sft("qwen3", 2, 256, None),
    "fit/smollm2 nf4 lora16 2x256": sft("smollm2", 2, 256, quantisation="nf4"),
    "fit/llama-wide int8 lora16 2x256": sft("llama-wide", 2, 256, quantisation="int8"),
    "fit/gpt-oss lora16 2x256": sft("gpt-oss", 2, 256),
    "fit/smollm2 generate 8+64": generate("smollm2", 8, 64),
    "fit/gemma3 lora16 2x256": sft("gemma3", 2, 256),
    "fit/smollm2 lora32 2x384": sft("smollm2", 2, 384, 32),
    "fit/smollm2 full 4x320": sft("smollm2", 4, 320, None),
    "fit/smollm2 full 1x128": sft("smollm2", 1, 128, None),
    "fit/smollm2 lora16 8x128 ckpt": sft("smollm2", 8, 128, gradient_checkpointing=True),
    "fit/smollm2 lora16 1x1024": sft("smollm2", 1, 1024),
    "fit/smollm2 lora64 2x256 drop": sft("smollm2", 2, 256, 64, dropout=0.05),
    "fit/smollm2 int8 lora16 2x256": sft("smollm2", 2, 256, quantisation="int8"),
    "fit/smollm2 lora16 2x256 acc2": sft("smollm2", 2, 256, accumulation=2),
    "fit/smollm2 full 2x128 acc2": sft("smollm2", 2, 128, None, accumulation=2),
    "fit/smollm2 generate 32+96": generate("smollm2", 32, 96),
    "fit/smollm2 generate nf4 8+32": generate("smollm2", 8, 32, quantisation="nf4"),
    "fit/llama-wide lora16 4x256": sft("llama-wide", 4, 256),
    "fit/llama-wide lora8 2x512 ckpt": sft("llama-wide", 2, 512, 8, gradient_checkpointing=True),
    "fit/llama-wide full 2x256": sft("llama-wide", 2, 256, None),
    "fit/llama-deep full 4x256": sft("llama-deep", 4, 256, None),
    "fit/llama-deep lora32 2x512 nf4": sft("llama-deep", 2, 512, 32, quantisation="nf4"),
    "fit/llama-deep full 8x128 ckpt": sft("llama-deep", 8, 128, None, gradient_checkpointing=True),
    "fit/llama-large lora16 2x128": sft("llama-large", 2, 128),
    "fit/llama-large full 1x128": sft("llama-large", 1, 128, None),
    "fit/llama-large nf4 lora16 1x256 ckpt": sft(
        "llama-large", 1, 256, quantisation="nf4", gradient_checkpointing=True
    ),
    "fit/llama-large generate 8+16": generate("llama-large", 8, 16),
    "fit/qwen3 lora16 4x256": sft("qwen3", 4, 256),
    "fit/qwen3 lora16 1x768": sft("qwen3", 1, 768),
    "fit/qwen3 full 1x256 ckpt": sft("qwen3", 1, 256, None, gradient_checkpointing=True),
    "fit/qwen3 lora16 4x256 packed": sft("qwen3", 4, 256, batching="packed"),
    "fit/gemma3 full 2x128": sft("gemma3", 2, 128, None),
    "fit/gemma3 lora16 1x512": sft("gemma3", 1, 512),
    "fit/gemma3 lora8 4x128 ckpt": sft("gemma3", 4, 128, 8, gradient_checkpointing=True),
    "fit/gemma3 generate 8+48": generate("gemma3", 8, 48),
    "fit/gpt-oss full 2x128": sft("gpt-oss", 2, 128, None),
    "fit/gpt-oss lora16 1x512": sft("gpt-oss", 1, 512),
    "fit/gpt-oss lora16 4x128 ckpt": sft("gpt-oss", 4, 128, gradient_checkpointing=True),
    "fit/llama-wide lora16 2x128 bf16": sft("llama-wide", 2, 128, precision="bfloat16"),
    "fit/smollm2 lora8 3x200": sft("smollm2", 3, 200, 8),
    "smollm2 lora32 2x320, 12 steps": sft("smollm2", 2, 320, 32, steps=12),
    "fit/smollm2 full 2x256": sft("smollm2", 2, 256, None),
    "fit/smollm2 lora16 6x192 ckpt": sft("smollm2", 6, 192, gradient_checkpointing=True),
    "fit/smollm2 nf4 lora32 1x512": sft("smollm2", 1, 512, 32, quantisation="nf4"),
    "smollm2 generate 16+128": generate("smollm2", 16, 128),
    "llama-wide lora64 1x384": sft("llama-wide", 1, 384, 64),
    "llama-wide full 1x512": sft("llama-wide", 1, 512, None),
    "fit/llama-wide nf4 lora16 2x256": sft("llama-wide", 2, 256, quantisation="nf4"),
    "llama-deep lora8 2x256": sft("llama-deep", 2, 256, 8),
    "llama-deep full 2x192 acc2": sft("llama-deep", 2, 192, None, accumulation=2),
    "llama-large lora8 1x192 ckpt": sft("llama-large", 1, 192, 8, gradient_checkpointing=True),
    "llama-mid lora16 4x192": sft("llama-mid", 4, 192),
    "llama-mid lora16 1x512 drop": sft("llama-mid", 1, 512, dropout=0.1),
    "llama-mid full 2x256": sft("llama-mid", 2, 256, None),
    "llama-mid full 4x128 ckpt": sft("llama-mid", 4, 128, None, gradient_checkpointing=True),
    "fit/llama-mid int8 lora16 2x192": sft("llama-mid", 2, 192, quantisation="int8"),
    "llama-mid generate 8+64": generate("llama-mid", 8, 64),
    "qwen3 lora32 2x384": sft("qwen3", 2, 384, 32),
    "qwen3 full 2x128": sft("qwen3", 2, 128, None),
    "fit/qwen3 generate nf4 8+32": generate("qwen3", 8, 32, quantisation="nf4"),
    "gemma3 lora16 3x192": sft("gemma3", 3, 192),
    "fit/gemma3 nf4 lora8 1x256": sft("gemma3", 1, 256, 8, quantisation="nf4"),
    "gemma3 full 1x256 ckpt": sft("gemma3", 1, 256, None, gradient_checkpointing=True),
    "gpt-oss lora8 1x256": sft("gpt-oss", 1, 256, 8),
    "fit/gpt-oss nf4 lora16 2x192 ckpt": sft("gpt-oss", 2, 192, quantisation="nf4", gradient_checkpointing=True),
    "llama-large int8 lora8 1x192": sft("llama-large", 1, 192, 8, quantisation="int8"),
    "llama-mid nf4 lora16 1x256 ckpt": sft("llama-mid", 1, 256, quantisation="nf4", gradient_checkpointing=True),
    "qwen3 nf4 lora16 2x192": sft("qwen3", 2, 192, quantisation="nf4"),
    "gpt-oss nf4 lora8 1x192": sft("gpt-oss", 1, 192, 8, quantisation="nf4"),
    "gpt-oss generate 8+32": generate("gpt-oss", 8, 32),
}


class Workers:
    """Forks one worker a job, in the environment of the launcher."""

    def __init__(self) -> None:
        environment = {**os.environ, **ENVIRONMENT, **OFFLINE, "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
        self._server = ForkServer(environment)

    def run(self, folder: Path) -> dict[str, Any]:
        """The record of the job in `folder`."""
        self._server.start(Order(folder, environment={"WANDB_DIR": str(folder)}, preload=WORKER.preload))
        if self._server.wait():
            raise RuntimeError("\n".join((folder / "log.txt").read_text("utf-8").splitlines()[-12:]))
        record: dict[str, Any] = json.loads((folder / "record.json").read_text("utf-8"))
        return record


def model_folder(folder: Path, name: str) -> Path:
    """A base model: SmolLM2 as unpacked, or random weights written once."""
    if name == "smollm2":
        return SMOLLM2
    found = folder / "models" / name
    if not (found / "model.safetensors").exists():
        subprocess.run([sys.executable, __file__, "--write", str(found), name], check=True)
    return found


def write_model(found: Path, name: str) -> None:
    """Random weights in fp32 with a tokenizer of a thousand tokens."""
    from transformers import AutoConfig, AutoModelForCausalLM

    from forge_assets.training.models.miniature import build

    build(found, [PROJECT / "LICENSE"], layers=1, hidden=64)
    tiny = json.loads((found / "config.json").read_text("utf-8"))
    ends = {key: tiny[key] for key in ("eos_token_id", "pad_token_id", "bos_token_id")}
    config = AutoConfig.for_model(**MODELS[name], max_position_embeddings=2048, **ends)
    AutoModelForCausalLM.from_config(config).save_pretrained(found)


def data(folder: Path, job: Job, model: Path) -> Path:
    """Rows as long as the job takes, nearly all of it completion; or one batch of prompts."""
    if isinstance(job, GenerateJob):
        question, answer, count = WORDS * 3, "", job.sampling.batch_size
    else:
        question, answer, count = "?", longest_answer(model, getattr(job, "max_length", 16)), 64
    rows = [
        {
            "sample_id": str(i),
            "prompt": [{"role": "user", "content": question}],
            "completion": [{"role": "assistant", "content": answer}],
        }
        for i in range(count)
    ]
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


@cache
def longest_answer(model: Path, tokens: int) -> str:
    """As many words as fit into a row of so many tokens: longer rows are not learned from."""
    from forge_assets.training.models.fitting_rows import row_tokens
    from forge_assets.training.models.loading import load_tokenizer

    tokenizer, words = load_tokenizer(model), WORDS.split()

    def answer(count: int) -> str:
        return " ".join(islice(cycle(words), count))

    def length(count: int) -> int:
        said = [{"role": "user", "content": "?"}], [{"role": "assistant", "content": answer(count)}]
        return len(row_tokens(tokenizer, {"prompt": said[0], "completion": said[1]}))

    return answer(bisect_right(range(tokens), tokens, key=length) - 1)


def prompt_tokens(place: Path) -> int:
    """Of the prompts that `data` writes, the template's own left out."""
    return len(Tokenizer.from_file(str(place / "tokenizer.json")).encode(WORDS * 3).ids)


def measure(folder: Path, model: str, job: Job, workers: Workers) -> int:
    """Peak resident bytes of a worker that does the job."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        place = Path(scratch)
        (place / "job.json").write_text(job.model_dump_json(), "utf-8")
        paths = {BASE: model_folder(folder, model), DATA: data(place, job, model_folder(folder, model))}
        LaunchFile(model, paths, WORKER).write(place)
        return int(workers.run(place)["peak_rss_bytes"])


@dataclass(frozen=True)
class Row:
    """One configuration as measured."""

    name: str
    model: str
    job: Job
    place: Path
    peak: int

    def predicted(self) -> Prediction:
        """What the memory model says of it."""
        return predict(self.job, Shape.of(self.place), CPU, prompt=prompt_tokens(self.place))


def table(rows: list[Row]) -> str:
    """Predicted against measured, and what the errors come to."""
    lines = ["| configuration | measured GB | predicted GB | error | peak at | largest part |"]
    lines.append("|---|---:|---:|---:|---|---|")
    errors: dict[str, list[float]] = {"fit": [], "held out": []}
    for row in rows:
        said = row.predicted()
        error = said.peak / row.peak - 1
        errors["fit" if row.name.startswith("fit/") else "held out"].append(error)
        part = max(said.parts, key=lambda key, said=said: said.parts[key])
        lines.append(
            f"| {row.name} | {row.peak / 1e9:.2f} | {said.peak / 1e9:.2f} | {error:+.1%} | {said.moment} | {part} |"
        )
    for split, found in errors.items():
        if found:
            sizes = sorted(abs(e) for e in found)
            p95 = sizes[max(0, -(-95 * len(sizes) // 100) - 1)]
            lines.append(
                f"\n{split}: {len(found)} configurations, median error {statistics.median(sizes):.1%}, 95th percentile "
                f"{p95:.1%}, worst under-prediction {max(0.0, -min(found)):.1%}, worst over-prediction "
                f"{max(0.0, max(found)):.1%}"
            )
    return "\n".join(lines)


def kept(rows: list[Row]) -> str:
    """The held-out rows as JSON, which the tests hold the model to."""
    registry = ModelLibrary(SMOLLM2.parent)
    told = [
        {
            "name": row.name,
            "job": row.job.model_dump(mode="json", exclude_defaults=True) | {"kind": row.job.kind},
            "config": (MODELS.get(row.model) or registry.entries[SMOLLM2.name].config or {}) | {"dtype": "float32"},
            "prompt": prompt_tokens(row.place),
            "peak_rss_bytes": row.peak,
        }
        for row in rows
        if not row.name.startswith("fit/")
    ]
    return json.dumps(told, indent=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "forge-memory"))
    parser.add_argument("--only", nargs="*", default=[], help="parts of names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured of the held-out ones there")
    parser.add_argument("--write", nargs=2, metavar=("FOLDER", "MODEL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        write_model(Path(given.write[0]), given.write[1])
        return
    measured = given.folder / "measured"
    measured.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    workers: Workers | None = None
    for name, (model, job) in CONFIGURATIONS.items():
        if given.only and not any(part in name for part in given.only):
            continue
        asked = json.dumps([MODELS.get(model, model), job.model_dump(mode="json")], sort_keys=True)
        file = measured / f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json"
        if not file.exists():
            workers = workers or Workers()
            try:
                peak = measure(given.folder, model, job, workers)
            except RuntimeError as error:
                print(f"{name}: no result:\n{error}", flush=True)
                continue
            file.write_text(json.dumps({"name": name, "peak_rss_bytes": peak}), "utf-8")
            print(f"{name}: {peak / 1e9:.3f} GB", flush=True)
        peak = json.loads(file.read_text("utf-8"))["peak_rss_bytes"]
        rows.append(Row(name, model, job, model_folder(given.folder, model), peak))
    print(table(rows))
    if given.json:
        given.json.write_text(kept(rows), "utf-8")


if __name__ == "__main__":
    main()

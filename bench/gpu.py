"""Real jobs on a GPU: predicted against measured memory, tokens a second, what plain TRL makes of the same, page cache.

Run: python bench/gpu.py MODEL_FOLDER [--seconds 540] [--only NAME ...] [--out FILE.json]

MODEL_FOLDER holds SmolLM2-135M-Instruct as `forge` unpacks it (`.forge/models/smollm2-135m-instruct`); nothing else is
needed, and nothing is fetched. Every configuration is a job in a process of its own, as the chain starts them. One that
would begin after --seconds is left out and said so. Without a GPU the same jobs run on the CPU, shorter: a dry run,
whose figures say nothing of a GPU. What is measured of memory is what the driver says the process holds (on a CPU its
resident bytes), sampled ten times a second, and apart from it the most that torch had allocated.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.memory import BASE, DATA, MODELS, data, generate, sft, write_model
from forge_assets.citations.serialization import law_rows
from forge_assets.law.country import read_country
from forge_assets.law.loading import load_domain
from forge_assets.training.jobs.spec import GrpoJob, Job
from forge_assets.training.jobs.worker_entry import WORKER
from forge_assets.training.planning.memory import predict
from forge_assets.training.planning.memory_overhead import CPU, CUDA
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.worker import page_cache
from forge_resources.config.chosen import pack_folder
from forge_resources.launchers.base import ENVIRONMENT, OFFLINE
from forge_resources.storage.launch_file import LaunchFile

LAWS = "e" * 64


def configurations(cuda: bool) -> dict[str, tuple[str, Job]]:
    """Name to model and job; on a CPU a tenth of the work, in float32 where bfloat16 would only be slow."""
    rows, length, steps, new = (16, 512, 12, 128) if cuda else (2, 96, 3, 8)
    half: dict[str, Any] = {"precision": "bfloat16"} if cuda else {}
    long: dict[str, Any] = {"steps": steps}
    return {
        "every weight, fp32": sft("smollm2", rows, length, None, **long),
        "every weight, bf16 products": sft("smollm2", rows, length, None, compute="bfloat16", **long),
        "LoRA, bf16": sft("smollm2", rows, length, 16, **half, **long),
        "LoRA, bf16, packed": sft("smollm2", rows // 2, length, 16, batching="packed", **half, **long),
        "LoRA, bf16, checkpoints": sft("smollm2", rows, length, 16, gradient_checkpointing=True, **half, **long),
        "QLoRA, NF4": sft("smollm2", rows, length, 16, quantisation="nf4", **half, **long),
        "QLoRA, int8": sft("smollm2", rows, length, 16, quantisation="int8", **half, **long),
        "GRPO": ("smollm2", grpo(rows, new)),
        "experts, LoRA, bf16": sft("gpt-oss", rows // 2, length, 16, **half, **long),
        "experts, QLoRA, NF4": sft("gpt-oss", rows // 2, length, 16, quantisation="nf4", **half, **long),
        "wide head, LoRA, bf16": sft("gemma3", rows // 2, length, 16, **half, **long),
        "answers, bf16": generate("smollm2", 4 * rows, new, **half),
        "answers, NF4": generate("smollm2", rows, new, quantisation="nf4", **half),
    }


def grpo(rows: int, new: int) -> GrpoJob:
    """Two steps of reinforcement from the published weights."""
    return GrpoJob(
        base=BASE,
        adapter=None,
        questions=DATA,
        laws=LAWS,
        learning_rate=1e-5,
        batch_size=rows,
        group=2,
        steps=2,
        max_new_tokens=new,
    )


@dataclass
class Watch:
    """Samples what a process tree holds, by the phase that its job is in."""

    folder: Path
    cuda: bool
    peaks: dict[str, int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def peak(self) -> int:
        """Bytes, of all phases."""
        return max(self.peaks.values(), default=0)

    def _sample(self) -> None:
        while not self._stop.wait(0.1):
            phase = self._phase()
            self.peaks[phase] = max(self.peaks.get(phase, 0), self._held())

    def _phase(self) -> str:
        try:
            lines = (self.folder / "metrics.jsonl").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return "starting"
        named = [found for line in lines if line.endswith("}") and (found := json.loads(line).get("phase"))]
        return str(named[-1]) if named else "starting"

    def _held(self) -> int:
        ours = {os.getpid()} | {child.pid for child in psutil.Process().children(recursive=True)}
        if not self.cuda:
            held = 0
            for pid in ours - {os.getpid()}:
                try:
                    held += psutil.Process(pid).memory_info().rss
                except psutil.Error:
                    continue
            return held
        return _held_by_device()


def questions(place: Path) -> Path:
    """Rows as the chain hands them to reinforcement; what a right answer says is short, so that rewards differ."""
    rows = [
        {
            "sample_id": str(number),
            "prompt": [{"role": "user", "content": f"Case {number}: is there a duty to inform? Answer in one line."}],
            "jurisdictions": ["AT"],
            "response": "No duty.",
            "sections": [],
            "expected_citations": [],
            "expected_level": "none",
            "task_type": "duty",
            "system": "",
            "expected_fields": [],
            "level_words": [{"level": "none", "said": ["no duty"]}],
            "output_schema": "",
        }
        for number in range(64)
    ]
    file = place / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def laws(folder: Path) -> Path:
    """One country's law, as reinforcement reads it; written once."""
    file = folder / "laws.jsonl"
    if not file.exists():
        pack = pack_folder()
        domain = load_domain(pack)
        country = read_country(pack, domain, pack / "jurisdictions" / "at.yaml")
        file.write_text("".join(json.dumps(row) + "\n" for row in law_rows(domain, [country], None)), "utf-8")
    return file


def measure(folder: Path, model: Path, job: Job, cuda: bool) -> dict[str, Any]:
    """Run a job in a process of its own; what it recorded, and what it held."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        place = Path(scratch)
        (place / "job.json").write_text(job.model_dump_json(), "utf-8")
        reinforced = isinstance(job, GrpoJob)
        paths = {BASE: model, DATA: questions(place) if reinforced else data(place, job, model)}
        LaunchFile("gpu", paths | ({LAWS: laws(folder)} if reinforced else {}), WORKER).write(place)
        environment = {**os.environ, **ENVIRONMENT, **OFFLINE, "WANDB_MODE": "disabled"}
        page_cache.drop([model])
        before = _held_by_device() if cuda else 0
        with Watch(place, cuda) as watch, (place / "log.txt").open("w", encoding="utf-8") as log:
            command = [sys.executable, "-m", "forge_assets.training.worker.main", str(place)]
            status = subprocess.run(command, env=environment, stdout=log, stderr=log, check=False).returncode
        if status:
            said = (place / "log.txt").read_text("utf-8").strip().splitlines()
            return {"failed": said[-1] if said else f"exit status {status}"}
        record: dict[str, Any] = json.loads((place / "record.json").read_text("utf-8"))
        streamed = [json.loads(line) for line in (place / "metrics.jsonl").read_text("utf-8").splitlines()]
        return {
            "seconds": record["seconds"],
            "tokens_per_second": record.get("tokens_per_second"),
            "loading_bytes": watch.peaks.get("loading", 0) - before,
            "peak_bytes": watch.peak - before,
            "allocated_bytes": max((line.get("gpu_bytes", 0) for line in streamed), default=0),
            "page_cache_bytes": _cached(model),
        }


def _held_by_device() -> int:
    """Bytes that the driver says are used: inside a container it names no processes, so there must be nothing else."""
    asked = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    return sum(int(mib) for mib in subprocess.check_output(asked, encoding="utf-8").split()) * 2**20


def _cached(model: Path) -> int:
    files = [str(file) for file in model.glob("*.safetensors")]
    asked = ["fincore", "--bytes", "--noheadings", "--output", "RES", *files]
    try:
        return sum(map(int, subprocess.run(asked, capture_output=True, encoding="utf-8", check=True).stdout.split()))
    except FileNotFoundError:
        return -1


def peer(model: Path, rows: int, length: int, steps: int, cuda: bool) -> dict[str, dict[str, Any]]:
    """Plain `SFTTrainer` and ours on the same rows, every weight, by bench/sft_step.py."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        file = data(Path(scratch), sft("smollm2", rows, length, None)[1], model)
        for name in ("SFTTrainer", "ours"):
            command = [sys.executable, "-m", "bench.sft_step", str(model), str(file), "--only", name]
            command += ["--steps", str(steps), "--batch", str(rows), "--max-length", str(length)]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=_environment(cuda))
            found[name] = json.loads(done.stdout.splitlines()[-1]) if not done.returncode else {"failed": done.stderr}
    return found


def _environment(cuda: bool) -> dict[str, str]:
    return {**os.environ, **OFFLINE, **({} if cuda else ENVIRONMENT)}


def machine(cuda: bool) -> dict[str, Any]:
    """What it runs on, with the rate of one matrix product."""
    import torch

    device, size = ("cuda", 8192) if cuda else ("cpu", 1024)
    rates = {}
    for name in ("float32", "bfloat16"):
        one = torch.randn(size, size, device=device, dtype=getattr(torch, name))
        for repeats in (2, 10):
            if cuda:
                torch.cuda.synchronize()
            began = time.perf_counter()
            for _ in range(repeats):
                one @ one
            if cuda:
                torch.cuda.synchronize()
        rates[name] = round(2 * size**3 * repeats / (time.perf_counter() - began) / 1e12, 3)
    called = torch.cuda.get_device_name() if cuda else f"{os.cpu_count()} CPU cores"
    return {"device": called, "torch": torch.__version__, "matrix_tflops": rates}


def main() -> None:
    """Print the table, and write every figure where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--only", nargs="*", default=[], help="parts of names")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--write", nargs=2, metavar=("FOLDER", "MODEL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    began = time.monotonic()
    cuda = _has_gpu()
    told: dict[str, Any] = {"machine": _in_process(cuda), "jobs": {}}
    print(json.dumps(told["machine"]), flush=True)
    print("| job | tokens/s | predicted GB | held GB | error | loading GB | allocated GB | page cache MB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="forge-gpu-") as scratch:
        folder = Path(scratch)
        for name, (model, job) in configurations(cuda).items():
            if given.only and not any(part in name for part in given.only):
                continue
            if time.monotonic() - began > given.seconds:
                print(f"| {name} | left out: no time |", flush=True)
                continue
            place = given.model if model == "smollm2" else _random(folder, model)
            told["jobs"][name] = found = measure(folder, place, job, cuda)
            print(row(name, job, place, found, cuda), flush=True)
        if not given.only and time.monotonic() - began < given.seconds:
            rows, length, steps = (16, 512, 12) if cuda else (2, 96, 4)
            told["peer"] = peer(given.model, rows, length, steps, cuda)
            for name, found in told["peer"].items():
                print(f"{name}, every weight: {found.get('tokens_per_second', found)} tokens/s", flush=True)
    told["seconds"] = round(time.monotonic() - began, 1)
    print(f"{told['seconds']} s in all")
    if given.out:
        given.out.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def row(name: str, job: Job, place: Path, found: dict[str, Any], cuda: bool) -> str:
    """One line of the table."""
    if "failed" in found:
        return f"| {name} | failed: {found['failed'][:300]} |"
    said = predict(job, Shape.of(place), CUDA if cuda else CPU)  # type: ignore[arg-type]
    held = found["peak_bytes"]
    rate = found["tokens_per_second"]
    return (
        f"| {name} | {rate if rate is not None else '-'} | {said.peak / 1e9:.2f} | {held / 1e9:.2f} | "
        f"{said.peak / max(held, 1) - 1:+.0%} | {found['loading_bytes'] / 1e9:.2f} | "
        f"{found['allocated_bytes'] / 1e9:.2f} | {found['page_cache_bytes'] / 1e6:.0f} |"
    )


def _random(folder: Path, model: str) -> Path:
    place = folder / model
    if not place.exists():
        assert model in MODELS
        subprocess.run([sys.executable, "-m", "bench.gpu", str(place), "--write", str(place), model], check=True)
    return place


def _has_gpu() -> bool:
    asked = "import torch; print(torch.cuda.is_available())"
    return subprocess.check_output([sys.executable, "-c", asked], encoding="utf-8").strip() == "True"


def _in_process(cuda: bool) -> dict[str, Any]:
    """In a process that ends: this one must hold nothing of the device."""
    asked = f"import json; from bench.gpu import machine; print(json.dumps(machine({cuda})))"
    found: dict[str, Any] = json.loads(subprocess.check_output([sys.executable, "-c", asked], encoding="utf-8"))
    return found


if __name__ == "__main__":
    if "--write" in sys.argv:
        write_model(Path(sys.argv[-2]), sys.argv[-1])
    else:
        main()

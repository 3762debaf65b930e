"""One process, two with copies of the weights (DDP) and two with shards (FSDP2) at the same global batch, side by side.

Run: python -m bench.fsdp [STEPS]

The miniature on the CPU, over gloo. Prints every step's loss and how far the final weights are apart.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from safetensors.torch import load_file

from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.jobs.worker_entry import WORKER
from forge_assets.training.models.miniature import build
from forge_resources.launchers.base import run_directly
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.launch_file import LaunchFile

BASE, DATA = "b" * 64, "d" * 64
TEXT = "The works council of Müller GmbH has a say under § 87 Abs. 1 Nr. 6 BetrVG when monitoring is introduced"
WORDS = TEXT.split()
ROWS = [
    {
        "prompt": [{"role": "user", "content": " ".join(WORDS[: i % 9 + 2])}],
        "completion": [{"role": "assistant", "content": " ".join(WORDS[-(5 * i + 7) % 18 :])}],
    }
    for i in range(24)
]
WAYS: dict[str, dict[str, Any]] = {
    "one process": {"batch_size": 4},
    "two, copies": {"batch_size": 2, "processes": 2, "sharding": "none"},
    "two, shards": {"batch_size": 2, "processes": 2, "sharding": "full"},
}


def main(steps: int) -> None:
    """Print the comparison."""
    root = Path(tempfile.mkdtemp())
    build(root / "tiny", [Path("LICENSE")], layers=4, hidden=64)
    (root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    losses: dict[str, list[float]] = {}
    held: dict[str, int] = {}
    weights: dict[str, dict[str, Any]] = {}
    for name, spread in WAYS.items():
        folder = root / name
        folder.mkdir()
        job = SftJob(base=BASE, dataset=DATA, lora=None, learning_rate=5e-3, steps=steps, **spread)
        (folder / "job.json").write_text(job.model_dump_json(), "utf-8")
        LaunchFile(name, {BASE: root / "tiny", DATA: root / "rows.jsonl"}, WORKER).write(folder)
        held[name] = run_directly(folder)["parameters_held"]
        lines = map(json.loads, (folder / "metrics.jsonl").read_text("utf-8").splitlines())
        losses[name] = [line["loss"] for line in lines if "loss" in line]
        weights[name] = load_file(folder / "result" / "model" / "model.safetensors")
    print(markdown(pl.DataFrame({"step": list(range(1, steps + 1)), **losses})))
    one = weights.pop("one process")
    for name, found in weights.items():
        apart = max(float((one[key] - found[key]).abs().max()) for key in one)
        print(f"{name}: weights at most {apart:.1e} from those of one process; {held[name]} parameters in a process")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)

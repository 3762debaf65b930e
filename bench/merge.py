"""What merging an adapter into weights of a precision loses of its update, for updates of several sizes.

Run: python bench/merge.py [MODEL_FOLDER]. Without a folder a miniature with random weights is made.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import polars as pl
import torch
from peft import get_peft_model

from forge_assets.training.jobs.spec import Lora
from forge_assets.training.models.adapters import MOST_LOST, lora_config, merge_error
from forge_assets.training.models.loading import load_model
from forge_assets.training.models.miniature import build
from forge_resources.presentation.markdown import markdown

SIZES = (0.03, 0.01, 0.003, 0.001, 0.0003)
"""Root mean square of the update over that of the weights."""


def main(folder: Path) -> None:
    """Print a row a size."""
    rows = []
    for size in SIZES:
        row: dict[str, object] = {"update / weights": size}
        for precision in ("float32", "bfloat16"):
            model = load_model(folder, precision, "none")  # type: ignore[arg-type]
            adapted = get_peft_model(model, lora_config(Lora(rank=16, alpha=16), model))
            torch.manual_seed(0)
            for part in (part for part in adapted.modules() if hasattr(part, "get_delta_weight")):
                up = part.lora_B["default"].weight
                up.data.normal_()
                update, weights = part.get_delta_weight("default").float(), part.get_base_layer().weight.float()
                up.data *= size * weights.square().mean().sqrt() / update.square().mean().sqrt()
            lost = merge_error(adapted)
            row[precision] = f"{lost:.2%}, {'merged' if lost <= MOST_LOST else 'answers through the adapter'}"
        rows.append(row)
    print(markdown(pl.DataFrame(rows)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            build(Path(scratch), [Path(__file__).parents[1] / "LICENSE"], layers=4, hidden=256)
            main(Path(scratch))

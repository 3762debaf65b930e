"""Write the command that serves the merged model with vLLM (https://docs.vllm.ai): for models that fill a GPU.

FP8 is made as the weights are loaded ("Online Quantization"). INT8 is not: llm-compressor writes it once, weights by
channel and activations by token, which needs no data (its scheme W8A8).
"""

from __future__ import annotations

from forge_assets.delivery.deployment import Deployment

MERGED = "model"
"""Folder of a deployment with the merged weights as safetensors."""
PRECISIONS = ("bf16", "fp8", "int8")


def launch_file(made: Deployment, processes: int) -> str:
    """Write a shell script that takes a precision (bf16, fp8 or int8) and serves safetensors on the loopback address.

    Args:
        processes: GPUs that the weights are spread over.
    """
    return f"""#!/usr/bin/env bash
# {made.name}: OpenAI-compatible server on 127.0.0.1:8000. Usage: ./vllm.sh [{"|".join(PRECISIONS)}]
# int8 needs llm-compressor (pip install llmcompressor) the first time, to write ./{MERGED}-int8.
set -euo pipefail
cd "$(dirname "$0")"
weights=./{MERGED} how=()
case "${{1:-bf16}}" in
  bf16) ;;
  fp8) how=(--quantization fp8_per_tensor) ;;
  int8)
    weights=./{MERGED}-int8
    [ -d "$weights" ] || python3 - <<'PY'
import os
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import QuantizationModifier
recipe = QuantizationModifier(targets="Linear", scheme="W8A8", ignore=["lm_head"])
oneshot(model="./{MERGED}", recipe=recipe, output_dir="./{MERGED}-int8.part")
os.replace("./{MERGED}-int8.part", "./{MERGED}-int8")
PY
    ;;
  *) echo "unknown precision $1: {", ".join(PRECISIONS)}" >&2; exit 2 ;;
esac
exec vllm serve "$weights" --served-model-name {made.domain} --host 127.0.0.1 --port 8000 \\
  --dtype bfloat16 --max-model-len {made.context} --tensor-parallel-size {processes} ${{how[@]+"${{how[@]}}"}}
"""

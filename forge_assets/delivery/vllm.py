"""Write the command that serves the merged model with vLLM (https://docs.vllm.ai): for models that fill a GPU."""

from __future__ import annotations

from forge_assets.delivery.deployment import Deployment

MERGED = "model"
"""Folder of a deployment with the merged weights as safetensors."""
PRECISIONS = {"bf16": "--dtype bfloat16", "fp8": "--quantization fp8", "int8": "--quantization bitsandbytes"}


def launch_file(made: Deployment, processes: int) -> str:
    """Write a shell script that takes a precision (bf16, fp8 or int8) and serves safetensors on the loopback address.

    Args:
        processes: GPUs that the weights are spread over.
    """
    cases = "\n".join(f"  {name}) how=({flags}) ;;" for name, flags in PRECISIONS.items())
    return f"""#!/usr/bin/env bash
# {made.name}: OpenAI-compatible server on 127.0.0.1:8000. Usage: ./vllm.sh [{"|".join(PRECISIONS)}]
set -euo pipefail
cd "$(dirname "$0")"
case "${{1:-bf16}}" in
{cases}
  *) echo "unknown precision $1: {", ".join(PRECISIONS)}" >&2; exit 2 ;;
esac
exec vllm serve ./{MERGED} --served-model-name {made.domain} --host 127.0.0.1 --port 8000 \\
  --max-model-len {made.context} --tensor-parallel-size {processes} "${{how[@]}}"
"""

"""What lies beside the weights: a Modelfile in Ollama's grammar, a vLLM launch file that a shell reads."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from forge_assets.delivery.deployment import Deployments
from forge_assets.delivery.modelfile import modelfile
from forge_assets.delivery.vllm import launch_file
from tests.delivery.deployments import planted

VALUE = r'(?:"""(?:.|\n)*?"""|"[^"\n]*"|[^"\s][^\n]*)'
PARAMETERS = (
    "num_ctx",
    "repeat_last_n",
    "repeat_penalty",
    "temperature",
    "seed",
    "stop",
    "num_predict",
    "top_k",
    "top_p",
)
LINE = re.compile(
    rf"#[^\n]*\n|FROM \S+\n|PARAMETER (?:{'|'.join(PARAMETERS)}) {VALUE}\n|(?:TEMPLATE|SYSTEM|LICENSE) {VALUE}\n"
)
"""Ollama's documented grammar: https://docs.ollama.com/modelfile."""


def test_a_modelfile_is_of_instructions_that_ollama_documents(tmp_path: Path) -> None:
    made = planted(Deployments(tmp_path / "deployments"), tmp_path, "one", 1)
    template = "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ end }}{{ .Prompt }}{{ .Response }}"
    text = modelfile(made, ("<|im_end|>", "<|endoftext|>"), template)
    assert LINE.sub("", text) == ""
    assert f'TEMPLATE """{template}"""\n' in text
    assert "FROM ./labour.q8_0.gguf\n" in text
    assert 'SYSTEM """You are a "European" labour lawyer."""\n' in text
    assert text.count("PARAMETER stop") == 2
    assert "ADAPTER" not in text


def test_the_vllm_launch_file_serves_in_each_precision_and_refuses_another(tmp_path: Path) -> None:
    made = planted(Deployments(tmp_path / "deployments"), tmp_path, "one", 1)
    script = tmp_path / "vllm.sh"
    script.write_text(launch_file(made, processes=2), "utf-8")
    (tmp_path / "vllm").write_text('#!/bin/sh\necho "$@"\n', "utf-8")
    (tmp_path / "vllm").chmod(0o755)

    def run(*given: str) -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path}:/usr/bin:/bin"
        return subprocess.run(["bash", str(script), *given], capture_output=True, text=True, env={"PATH": path})

    assert run("fp8").stdout == (
        "serve ./model --served-model-name labour --host 127.0.0.1 --port 8000 "
        "--max-model-len 1024 --tensor-parallel-size 2 --quantization fp8\n"
    )
    assert "--dtype bfloat16" in run().stdout
    assert (run("q8_0").returncode, run("q8_0").stderr) == (2, "unknown precision q8_0: bf16, fp8, int8\n")

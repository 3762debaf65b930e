"""What lies beside the weights: a Modelfile in Ollama's grammar, a vLLM launch file that a shell reads."""

from __future__ import annotations

import ast
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
    compressor = 'mkdir "$(grep -o "[a-z0-9./-]*int8.part" | head -1)" && mv model-int8.part model-int8'
    for name, does in {"vllm": 'echo "$@"', "python3": compressor}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n", "utf-8")
        (tmp_path / name).chmod(0o755)

    def run(*given: str) -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path}:/usr/bin:/bin"
        return subprocess.run(["bash", str(script), *given], capture_output=True, text=True, env={"PATH": path})

    served = (
        "--served-model-name labour --host 127.0.0.1 --port 8000 "
        "--dtype bfloat16 --max-model-len 1024 --tensor-parallel-size 2"
    )
    assert run().stdout == f"serve ./model {served}\n"
    assert run("fp8").stdout == f"serve ./model {served} --quantization fp8_per_tensor\n"
    assert run("int8").stdout == f"serve ./model-int8 {served}\n"
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 9\n", "utf-8")
    assert run("int8").returncode == 0, "weights that were written are not written again"
    (tmp_path / "model-int8").rmdir()
    assert (run("int8").returncode, run("int8").stdout) == (9, "")
    assert (run("q8_0").returncode, run("q8_0").stderr) == (2, "unknown precision q8_0: bf16, fp8, int8\n")


def test_the_program_that_writes_int8_weights_is_python(tmp_path: Path) -> None:
    made = planted(Deployments(tmp_path / "deployments"), tmp_path, "one", 1)
    ast.parse(launch_file(made, processes=1).split("<<'PY'\n")[1].split("\nPY\n")[0])

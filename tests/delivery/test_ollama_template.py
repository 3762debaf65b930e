"""The template that Ollama is given says of a conversation what the model's own template says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import gguf
import pytest

from forge_assets.delivery.ollama_template import begins_by_itself, ollama_template

CHATML = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nDefault<|im_end|>\n"
    "{% endif %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SYSTEM, QUESTION, ANSWER, NEXT = "Cite § 87.", "Wer entscheidet?\n\tJetzt", "{{ nobody }}", "And in Bulgaria?"


def folder(path: Path, template: str, **config: Any) -> Path:
    path.mkdir()
    (path / "chat_template.jinja").write_text(template, "utf-8")
    (path / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return path


def in_ollama(template: str, *turns: tuple[str, str, str]) -> str:
    """What Ollama makes of turns of system, question and answer by a template: one after another."""

    def turn(system: str, question: str, answer: str) -> str:
        chosen = re.sub(
            r"\{\{ if \.System \}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}",
            r"\1" if system else r"\2",
            template,
            flags=re.S,
        )
        said = {".System": system, ".Prompt": question, ".Response": answer, '"{{"': "{{"}
        return re.sub(r"\{\{ (\S+) \}\}", lambda found: said[found[1]], chosen)

    return "".join(turn(*given) for given in turns)


def test_a_conversation_reads_as_in_the_models_own_template(tmp_path: Path) -> None:
    template = ollama_template(folder(tmp_path / "model", CHATML, bos_token="<|im_start|>"), begins=False)
    first = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    assert in_ollama(template, (SYSTEM, QUESTION, "")) == first
    assert in_ollama(template, (SYSTEM, QUESTION, ANSWER), ("", NEXT, "")) == (
        f"{first}{ANSWER}<|im_end|>\n<|im_start|>user\n{NEXT}<|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_beginning_that_is_put_there_anyway_is_left_out(tmp_path: Path) -> None:
    model = folder(tmp_path / "model", "{{ bos_token }}" + CHATML, bos_token={"content": "<bos>"})
    assert in_ollama(ollama_template(model, begins=False), (SYSTEM, QUESTION, "")).startswith("<bos><|im_start|>system")
    assert in_ollama(ollama_template(model, begins=True), (SYSTEM, QUESTION, "")).startswith("<|im_start|>system")


def test_braces_of_a_template_stay_text(tmp_path: Path) -> None:
    template = ollama_template(folder(tmp_path / "model", "{{ '{{ x }}' }}" + CHATML), begins=False)
    assert in_ollama(template, (SYSTEM, QUESTION, "")).startswith("{{ x }}<|im_start|>system")


def test_a_template_that_drops_the_system_text_is_named(tmp_path: Path) -> None:
    model = folder(tmp_path / "model", "{% for m in messages[1:] %}{{ m['content'] }}{% endfor %}")
    with pytest.raises(ValueError, match=r"chat_template\.jinja does not render every text"):
        ollama_template(model, begins=False)


@pytest.mark.parametrize(
    ("vocabulary", "said", "begins"),
    [("gpt2", None, False), ("llama", None, True), ("llama", False, False), ("gpt2", True, True)],
)
def test_a_file_says_whether_the_beginning_is_put_there(
    tmp_path: Path, vocabulary: str, said: bool | None, begins: bool
) -> None:
    writer = gguf.GGUFWriter(tmp_path / "f16.gguf", "llama")
    writer.add_tokenizer_model(vocabulary)
    if said is not None:
        writer.add_add_bos_token(said)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert begins_by_itself(tmp_path / "f16.gguf") is begins


@pytest.mark.slow
@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma3", "gpt_oss"])
def test_every_familys_template_is_said_as_transformers_says_it(tmp_path: Path, family: str) -> None:
    from transformers import AutoTokenizer

    from forge_assets.training.models.miniature import build

    build(tmp_path / family, [Path(__file__).parents[2] / "LICENSE"], layers=1, hidden=32, family=family)
    asked = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / family)
    wanted = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    assert in_ollama(ollama_template(tmp_path / family, begins=False), (SYSTEM, QUESTION, "")) == wanted

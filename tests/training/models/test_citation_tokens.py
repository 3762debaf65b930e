"""A place of law is one token: in the tokenizer, in the weights, in what is trained, exported and read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from forge_assets.citations.rendering import render
from forge_assets.training.jobs.runner import Finished
from forge_assets.training.jobs.spec import ExportJob, GenerateJob, Lora, Sampling, SftJob, TokensJob
from forge_assets.training.models.citation_tokens import add_tokens, read_tokens
from forge_assets.training.models.loading import load_model, load_tokenizer
from forge_assets.training.models.miniature import FAMILIES, build
from tests import shipped
from tests.training.job_runs import BASE, Broken, Runs, Workers

TEXT = Path(__file__).parents[3] / "LICENSE"
PLACES = [
    {"text": "§ 17 Abs. 1 KSchG", "places": ["DE:kschg:17:1"]},
    {"text": "§ 87 Abs. 1 Nr. 6 BetrVG", "places": ["DE:betrvg:87:1:6"]},
    {"text": "§ 96a Abs. 1 Z 1 ArbVG", "places": ["AT:arbvg:96a:1:1"]},
]
ROWS = [
    {
        "sample_id": str(number),
        "prompt": [{"role": "user", "content": question}],
        "completion": [{"role": "assistant", "content": answer}],
    }
    for number, (question, answer) in enumerate(
        [
            ("Monitoring in Berlin?", "Co-determination, § 87 Abs. 1 Nr. 6 BetrVG."),
            ("Monitoring in Wien?", "Approval (§ 96a Abs. 1 Z 1 ArbVG)"),
            ("Dismissals in Berlin?", "§ 17 Abs. 1 KSchG: notice"),
        ]
    )
]
GREEDY = Sampling(max_new_tokens=40, batch_size=3)


@pytest.fixture
def runner(tmp_path: Path, workers: Workers) -> Callable[[str], Runs]:
    def runs(family: str) -> Runs:
        build(tmp_path / family, [TEXT], layers=2, hidden=64, family=family)
        return Runs(tmp_path / "data", tmp_path / family, workers)

    return runs


def with_tokens(runs: Runs, rows: list[dict[str, Any]] = PLACES) -> Finished:
    return runs.run(TokensJob(base=BASE, citations=runs.jobs.dataset(rows)))


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    [file] = folder.glob("*.safetensors")
    return load_file(file)


def training(runs: Runs, base: str, **changes: Any) -> SftJob:
    given: dict[str, Any] = {
        "base": base, "dataset": runs.jobs.dataset(ROWS), "lora": None, "learning_rate": 1e-2, "scheduler": "constant",
        "warmup_ratio": 0, "batch_size": 3, "steps": 60, "checkpoint_every": 100,
    }  # fmt: skip
    return SftJob(**given | changes)


def answers(runs: Runs, base: str, adapter: str | None = None, **how: Any) -> list[dict[str, Any]]:
    job = GenerateJob(base=base, adapter=adapter, prompts=runs.jobs.dataset(ROWS), sampling=GREEDY, **how)
    return runs.run(job).answers()


@pytest.mark.parametrize(
    "family", [pytest.param(f, marks=pytest.mark.slow if f in ("qwen3", "gemma3") else ()) for f in FAMILIES]
)
def test_every_family_gets_a_token_a_place_and_keeps_all_other_weights(
    runner: Callable[[str], Runs], family: str
) -> None:
    runs = runner(family)
    plain, before = tensors(runs.model), {file.name: file.read_bytes() for file in runs.model.iterdir()}
    folder = with_tokens(runs).result / "model"
    tokenizer, tokens = load_tokenizer(folder), read_tokens(folder)
    assert [(token.text, list(token.places)) for token in tokens] == [(row["text"], row["places"]) for row in PLACES]
    for token in tokens:
        assert tokenizer(f"see {token.text}.", add_special_tokens=False).input_ids.count(token.id) == 1
        assert tokenizer.decode([token.id], skip_special_tokens=True) == token.text
    for name, weight in tensors(folder).items():
        rows = len(plain[name])
        assert torch.equal(weight[:rows], plain[name])
        if len(weight) > rows:
            assert len(weight) % 64 == 0
            new = weight[[token.id for token in tokens]].float()
            apart = torch.cdist(new, new)
            assert (apart + torch.eye(len(new)) > 0).all(), "rows that start alike are slow to part"
    assert load_model(folder, "float32", "none").config.vocab_size % 64 == 0
    assert {file.name: file.read_bytes() for file in runs.model.iterdir()} == before, "the base model stays as it was"


ADAPTER = {"lora": Lora(rank=16, alpha=32), "steps": 100}
LEARNED = {
    "every weight": ("llama", {}, {}),
    "LoRA, tied output layer": ("llama", ADAPTER, {}),
    "LoRA, output layer of its own": ("gpt_oss", ADAPTER, {}),
    "QLoRA on experts": ("gpt_oss", {**ADAPTER, "quantisation": "nf4"}, {"quantisation": "nf4"}),
}


@pytest.mark.parametrize(
    "how", [pytest.param(how, marks=() if how == "every weight" else pytest.mark.slow) for how in LEARNED]
)
def test_what_is_taught_with_tokens_is_cited_with_them_and_read_back_from_an_export(
    runner: Callable[[str], Runs], how: str
) -> None:
    family, changes, loading = LEARNED[how]
    runs = runner(family)
    base = with_tokens(runs).identity
    if "lora" in changes:  # on random weights an adapter learns nothing: what it goes on from gives the wrong answers
        wrong = [
            {**row, "completion": other["completion"]} for row, other in zip(ROWS, ROWS[1:] + ROWS[:1], strict=True)
        ]
        base = runs.run(training(runs, base, dataset=runs.jobs.dataset(wrong))).identity
    done = runs.run(training(runs, base, **changes))
    adapter = done.identity if "lora" in changes else None
    found = answers(runs, base if adapter else done.identity, adapter, **loading)
    assert [row["answer"] for row in found] == [row["completion"][0]["content"] for row in ROWS]
    for row, place in zip(found, (PLACES[1], PLACES[2], PLACES[0]), strict=True):
        [[text, probability]] = row["cited"]
        assert text == place["text"]
        assert 0.5 < probability <= 1
    exported = runs.run(ExportJob(base=base if adapter else done.identity, adapter=adapter))
    assert [t.text for t in read_tokens(exported.result / "model")] == [row["text"] for row in PLACES]
    again = answers(runs, exported.identity)
    assert [row["answer"] for row in again] == [row["answer"] for row in found]


def test_a_place_that_counts_more_is_learned_sooner(runner: Callable[[str], Runs]) -> None:
    runs = runner("llama")
    base = with_tokens(runs).identity
    sure = []
    for weight in (1.0, 8.0):
        done = runs.run(training(runs, base, steps=12, learning_rate=3e-3, citation_weight=weight))
        sure.append(_probability(done.result / "model"))
    assert sure[1] > sure[0]


def _probability(folder: Path) -> float:
    """Mean probability of the places in the references."""
    model, tokenizer = load_model(folder, "float32", "none"), load_tokenizer(folder)
    known = {token.id for token in read_tokens(folder)}
    found = []
    for row in ROWS:
        ids = tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=True)["input_ids"]
        shares = model(torch.tensor([ids])).logits.softmax(-1)[0]
        found += [float(shares[place - 1, token]) for place, token in enumerate(ids) if token in known]
    assert len(found) == len(ROWS)
    return sum(found) / len(found)


def test_every_form_of_the_catalog_comes_back_as_it_was_written(tiny_model: Path) -> None:
    tokenizer = load_tokenizer(tiny_model)
    forms: dict[str, tuple[str, ...]] = {}
    for country in shipped.countries().values():
        framework = country.framework
        for provision in (*framework.provisions, *framework.minor):
            for style in ("national", "english"):
                forms.setdefault(render(provision.cite, framework, style), (str(provision.cite),))
    assert len(forms) > 1500
    tokens = add_tokens(tokenizer, list(forms.items()))
    around = ("{}", "siehe {}.", "({})", "«{}»:", "- {}\n- {}", "{}, {} und {}", "x{}y", " {} ", "\t{}\n\n## A\n")
    for token in tokens:
        for sentence in around:
            text = sentence.replace("{}", token.text)
            assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids) == text
        assert tokenizer(token.text, add_special_tokens=False).input_ids == [token.id]


def test_a_place_that_is_a_token_already_is_refused(runner: Callable[[str], Runs]) -> None:
    runs = runner("llama")
    with pytest.raises(Broken, match="'<|im_end|>' is a token of the model already".replace("|", r"\|")):
        with_tokens(runs, [{"text": "<|im_end|>", "places": ["DE:kschg:17:1"]}])

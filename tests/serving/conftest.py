"""What the tests of serving share: the law of the pack, read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_assets.serving.answering import Answering, Served
from forge_assets.serving.app import App
from forge_assets.serving.library import Library
from forge_assets.serving.model.process import ModelProcess
from tests.serving.parrot import write_parrot

PACK = Path(__file__).parents[2] / "frameworks" / "labour"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The library, with its cache in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORGE_DATA", str(tmp_path_factory.mktemp("data") / "data"))
        yield Library(PACK)


SCRIPTS = {
    "#good": ["There is ", "a duty: ", "\u00a7 87 Abs. 1 Nr. 6 BetrVG", ", and no other."],
    "#invented": ["It ", "stands in ", "&sect; 999 BetrVG", " for certain."],
    "#byhand": ["See \u00a7 999", " or ", "Art. 5 GG", " please"],
    "#abroad": ["Also ", "s. 188 TULRCA 1992", " of the British"],
    "#beside": ["This one: ", "\u00a7 102 Abs. 1 BetrVG", ", that is all."],
    "#loop": ["on and on. "],
}


@pytest.fixture(scope="session")
def parrot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF file of a model that says what the last word of a question chooses."""
    path = tmp_path_factory.mktemp("parrot") / "parrot.gguf"
    write_parrot(path, SCRIPTS)
    return path


@pytest.fixture(scope="module")
def app(library: Library, parrot: Path) -> Iterator[App]:
    """The endpoints over a running parrot with two places to answer."""
    model = ModelProcess(parrot, slots=2, context=4096, threads=1)
    answering = Answering(library, model, Served(name="parrot", digest="0" * 64, system="Law."))
    try:
        answering.start(["DE"])
        yield App(answering)
    finally:
        model.stop()

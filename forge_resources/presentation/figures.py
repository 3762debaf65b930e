"""How every figure looks and how a page or a Markdown text carries it: no frames, values at the marks, few colours.

The same data gives the same bytes, so a report can be compared by digest.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from PIL import Image

INK, QUIET, HAIR = "#22262b", "#646b73", "#d9dde1"
PALE, ACCENT, WARM = "#9dbbdc", "#1d5a9e", "#b0661c"
HEAT = LinearSegmentedColormap.from_list("heat", ["#f4f6f8", "#bcd0e4", "#6f9bc8", "#1d5a9e"])
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Liberation Sans", "Arial", "DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "text.hinting": "none",  # or words take another width at another resolution, and leave the page
    "axes.edgecolor": HAIR,
    "axes.labelcolor": QUIET,
    "xtick.color": QUIET,
    "ytick.color": INK,
    "svg.hashsalt": "model-forge",
    "svg.fonttype": "path",
}
WIDTH = 9.6
"""Inches."""
HALO = withStroke(linewidth=2.5, foreground="white")
"""Keeps words readable where lines run behind them."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """A figure, what it says to who cannot see it, and the line under it."""

    figure: Figure
    alt: str
    caption: str


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw under `STYLE` without leaving it set for anyone else."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with style.context(STYLE):
            return draw(*args, **kwargs)

    return inside


def canvas(height: float) -> Figure:
    """An empty figure of the usual width; `height` in inches."""
    return Figure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(hspace=0.09))


def bare(axes: Axes, grid: Literal["", "y"] = "") -> None:
    """Take frame and ticks away, and draw hairlines where a reader has to follow them."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    if grid:
        axes.grid(axis=grid, color=HAIR, linewidth=0.7)
        axes.set_axisbelow(True)


@styled
def in_words(sentence: str) -> Figure:
    """A figure for when there is nothing to draw: it says so."""
    figure = Figure(figsize=(WIDTH, 0.9))
    figure.text(0.01, 0.5, sentence, va="center", color=QUIET, fontsize=10.5)
    return figure


def data_uri(figure: Figure, kind: Literal["svg", "png"] = "svg", dpi: int = 144) -> str:
    """The figure as a `data:` address that a page or a Markdown image can carry.

    The layout is settled once: further passes would move things by a hair, and the bytes with them.
    """
    buffer = io.BytesIO()
    with style.context(STYLE):
        if isinstance(engine := figure.get_layout_engine(), ConstrainedLayoutEngine):
            engine.execute(figure)
            figure.set_layout_engine("none")
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    content = buffer.getvalue() if kind == "svg" else _fewer_colours(buffer)
    mime = "image/svg+xml" if kind == "svg" else "image/png"
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def _fewer_colours(png: io.BytesIO) -> bytes:
    """A third of the bytes at no loss that shows: figures have few colours, the rest is smoothed edges."""
    buffer = io.BytesIO()
    Image.open(png).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()

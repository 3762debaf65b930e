"""Define labels and colours of models in reading order, and number formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A benchmarked model: hue says teacher or student, strength says tuned or not."""

    name: str
    label: str
    colour: str

    @property
    def tuned(self) -> bool:
        """Whether it was trained here."""
        return not self.name.endswith("_untuned")


MODELS = (
    Model("student_untuned", "Student, untuned", "#9dbbdc"),
    Model("teacher_untuned", "Teacher, untuned", "#e2c19a"),
    Model("teacher_tuned", "Teacher, tuned", "#b0661c"),
    Model("student_tuned", "Student, tuned", "#1d5a9e"),
    Model("student_guarded", "Student, guarded", "#123a66"),
)

_OTHER_COLOURS = ("#4d7f5c", "#7b6a99", "#8a8a8a", "#a0525a")
_MODEL = {model.name: model for model in MODELS}
DASH = "–"


def models_in_order(names: Iterable[str]) -> list[Model]:
    """List known models in reading order, then others by name with colours of their own."""
    wanted = set(names)
    others = sorted(wanted - set(_MODEL))
    return [model for model in MODELS if model.name in wanted] + [
        Model(name, format_label(name), _OTHER_COLOURS[i % len(_OTHER_COLOURS)]) for i, name in enumerate(others)
    ]


def format_label(name: str) -> str:
    """Format `data_protection_review` as `Data protection review`; a country code stays as it is."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def format_number(value: float | None) -> str:
    """Format with two decimals; None as a dash."""
    return DASH if value is None else f"{value:.2f}"


def format_signed(value: float) -> str:
    """Format with two decimals and a sign, minus as U+2212."""
    return f"{value:+.2f}".replace("-", "−") if round(value, 2) else "0.00"


def format_interval(low: float, high: float) -> str:
    """Format an interval as `0.53 to 0.61`."""
    return f"{low:.2f} to {high:.2f}".replace("-", "−")


def format_p_value(p: float) -> str:
    """Format a p-value with three decimals, `< 0.001` below."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def format_duration(seconds: float) -> str:
    """Format a duration as `48 s`, `4 min 12 s` or `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"

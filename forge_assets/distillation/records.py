"""Define the records of the teacher's and the student's assets."""

from __future__ import annotations

from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.made_from import ChainRecord


class Teacher(ChainRecord):
    """The teacher to go on with."""

    asset = "teacher_adapter"

    model: ModelRef
    untuned: ModelRef
    training: str
    """Identity of the tuning, whose losses the report shows."""


class TeacherResponses(ChainRecord):
    """The teacher's answers are in the table `distillation.teacher_responses`."""

    asset = "teacher_responses"


class StudentBase(ChainRecord):
    """What the student may start from, as digests."""

    asset = "student_base"

    uncut: str
    cut: str | None
    """Identity of the job that removed layers; None: the profile's student is not cut."""


class Student(ChainRecord):
    """The student that was chosen."""

    asset = "student_adapter"

    model: ModelRef
    untuned: ModelRef
    training: str
    """Identity of the training, whose losses the report shows."""
    cut: bool
    reason: str
    """Why this student, in a sentence."""
    compared: dict[str, float]
    """Model to its mean composite on the choice set; empty where nothing was compared."""

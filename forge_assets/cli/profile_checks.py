"""Whether a profile can be run, before anything is: its names are the pack's, its models have the layers that are cut,
its sets can be drawn, and its prompts leave room for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import polars as pl

from forge_assets.datasets.frozen_core import load_core
from forge_assets.datasets.roles import VARIANTS, CannotDraw, draw_sets
from forge_assets.law.country import Country, country_files, read_country
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.answers.case import DEPTHS
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_country
from forge_assets.scenarios.pack.files import Pack, load_pack
from forge_assets.scenarios.prompts.plain import PLAIN
from forge_assets.training.planning.model_shape import Shape, UnknownShape
from forge_resources.config.model_registry import ModelError, ModelLibrary
from forge_resources.config.profile import Profile, Taught, read_profile
from forge_resources.config.strict_yaml import Problem, SourceError, nearest, refuse

FEW = 4
"""Countries whose samples are composed to check a profile: that takes seconds. With more, `warehouse` checks them."""


class ProfileChecks:
    """Checks profiles against one pack and the base models; what several profiles need of the pack is made once."""

    def __init__(self, pack_dir: Path, models: ModelLibrary) -> None:
        self._pack_dir, self._models = pack_dir, models
        self._lineages: dict[Taught, LawLineage] = {}
        self._national: dict[tuple[str, bool, Taught, Volume], pl.DataFrame] = {}
        self._samples: dict[tuple[frozenset[str], bool, Taught, bool, Volume], pl.DataFrame] = {}

    def read(self, name: str) -> Profile:
        """Read a profile and check it.

        Raises:
            ProfileError: there is no such profile.
            SourceError: it cannot be run; names the profile's file, line, field, value and mend. Or the pack's shared
                vocabulary cannot be read.
        """
        profile, path, lines = read_profile(name)
        refuse(path, lines, [*self._name_problems(profile), *self._model_problems(profile)])
        refuse(path, lines, self._set_problems(profile))
        return profile

    @cached_property
    def _domain(self) -> Domain:
        return load_domain(self._pack_dir)

    @cached_property
    def _pack(self) -> Pack:
        return load_pack(self._pack_dir, self._domain)

    @cached_property
    def _countries(self) -> list[Country]:
        return [read_country(self._pack_dir, self._domain, path) for path in country_files(self._pack_dir).values()]

    def _law(self, taught: Taught) -> LawLineage:
        if taught not in self._lineages:
            self._lineages[taught] = LawLineage.of(self._countries, taught)
        return self._lineages[taught]

    def _name_problems(self, profile: Profile) -> Iterator[Problem]:
        known_languages, asked = self._pack.languages, profile.data.languages
        spoken = [known_languages[code] for code in asked or known_languages if code in known_languages]
        registers = {register for language in spoken for register in (*language.frames, *language.compared)}
        if {language.language for language in spoken} & self._pack.plain.keys():
            registers.add(PLAIN)
        names: tuple[tuple[tuple[str, ...], tuple[str, ...] | None, Iterable[str]], ...] = (
            (("jurisdictions",), profile.jurisdictions, country_files(self._pack_dir)),
            (("data", "languages"), asked, known_languages),
            (("data", "registers"), profile.data.registers, registers),
            (("data", "depths"), profile.data.depths, DEPTHS),
            (("data", "answer_languages"), profile.data.answer_languages, self._pack.answers),
            (("data", "variants"), profile.data.variants, VARIANTS),
        )
        for at, given, known in names:
            for i, name in enumerate(given or ()):
                if name not in known:
                    yield (*at, i), f"`{'.'.join(at)}` has `{name}`, which the pack does not have", nearest(name, known)

    def _model_problems(self, profile: Profile) -> Iterator[Problem]:
        entries = self._models.entries
        for part, name in (("teacher", profile.teacher.model), ("student", profile.student.model)):
            if name not in entries:
                yield (part, "model"), f"`{part}.model: {name}` is no base model", nearest(name, entries)
        if (taught := self._shape(profile.teacher.model)) is not None:
            for i, modules in enumerate(profile.search.space.get("target_modules", ())):
                try:
                    taught.targets(modules)  # type: ignore[arg-type]
                except ValueError as error:
                    field = ("search", "space", "target_modules")
                    problem, _, mend = str(error).removeprefix("target_modules: ").rpartition(": ")
                    yield (*field, i), f"`{'.'.join(field)}`: {problem}", mend
        if profile.student.cut_from == "teacher" and profile.student.model != profile.teacher.model:
            problem = f"`student.model: {profile.student.model}` is not the teacher's, which the student is cut from"
            yield ("student", "model"), problem, "name the same model twice, or give `cut_from: model`"
        cut, whole = profile.student.cut_layers, self._shape(profile.student.model)
        if cut and whole is not None and cut > whole.layers - 2:
            problem = f"`student.cut_layers: {cut}` of the {whole.layers} layers of {profile.student.model}"
            mend = f"cut {max(0, whole.layers - 2)} at most: the first and the last are kept"
            yield ("student", "cut_layers"), problem, mend

    def _shape(self, name: str) -> Shape | None:
        """None where nothing is known of the model yet."""
        try:
            return Shape.parse(self._models.config(name))
        except (ModelError, UnknownShape):
            return None

    def _set_problems(self, profile: Profile) -> Iterator[Problem]:
        if profile.jurisdictions is None or len(profile.jurisdictions) > FEW:
            return
        try:
            samples = self._composed(profile)
        except SourceError:
            return  # that country stays at its last good version, and its own check says what is wrong with its file
        try:
            sets = draw_sets(samples, profile, profile.jurisdictions, load_core(self._pack_dir))
        except CannotDraw as error:
            yield error.at, error.problem, error.mend
            return
        for model in {profile.teacher.model, profile.student.model}:
            longest = self._longest_prompt(sets.filter(pl.col("role") == "train"), model)
            if longest >= profile.max_length:
                problem = (
                    f"`max_length: {profile.max_length}` leaves no answer to a prompt of {longest} tokens of {model}"
                )
                yield ("max_length",), problem, f"give clearly more than {longest}"

    def _composed(self, profile: Profile) -> pl.DataFrame:
        """All samples of the profile's countries, as `scenario_dataset` and `warehouse` compose them."""
        wanted, core = frozenset(profile.jurisdictions or ()), profile.provisions == "core"
        unions, volume = profile.catalog == "all", Volume(profile.data.draws, profile.data.kept)
        made = (wanted, core, profile.taught, unions, volume)
        if made not in self._samples:
            asked = [
                country.framework.core() if core else country.framework
                for country in self._countries
                if country.framework.jurisdiction in wanted or (unions and country.framework.members)
            ]
            national = [self._of(each, core, profile.taught, volume) for each in asked if not each.members]
            across = compose_cross_border(self._domain, self._pack, asked, self._law(profile.taught), volume)[1]
            self._samples[made] = pl.concat([*national, across])
        return self._samples[made]

    def _of(self, asked: Framework, core: bool, taught: Taught, volume: Volume) -> pl.DataFrame:
        made = (asked.jurisdiction, core, taught, volume)
        if made not in self._national:
            self._national[made] = compose_country(self._domain, self._pack, asked, self._law(taught), volume)[1]
        return self._national[made]

    def _longest_prompt(self, rows: pl.DataFrame, model: str) -> int:
        """Tokens of the longest prompt, the template's own left out; 0 where the tokenizer is not here yet."""
        file = self._models.tokenizer(model)
        if file is None:
            return 0
        from tokenizers import Tokenizer

        texts = [f"{row['system']}\n{row['prompt']}" for row in rows.iter_rows(named=True)]
        return max(len(found.ids) for found in Tokenizer.from_file(str(file)).encode_batch(texts))

"""What a result of the chain was made from, and the refusal to mix results that were made from different things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forge_assets.datasets.fingerprint import WarehouseRecord
from forge_assets.training.jobs.spec import CODE_VERSION
from forge_resources.storage.canonical_json import digest
from forge_resources.storage.record import Record
from forge_resources.storage.strict import Strict

if TYPE_CHECKING:
    from forge_resources.forge import Forge


class MadeFrom(Strict):
    """The sets, and the profile, dependencies and code that worked on them."""

    fingerprint: str
    """Of all that the sets were drawn from."""
    sets: str
    """Version of the sets that were drawn."""
    settings: str
    """Digest of the profile, and of versions of the workers' libraries and code."""


class ChainRecord(Record):
    """Record of an asset between the warehouse and the report."""

    made_from: MadeFrom
    jobs: tuple[str, ...] = ()
    """Identities of the jobs that the asset asked for, in order."""


class MixedChain(ValueError):
    """Results were made from different law, samples, profile or code; the message says which and what to run."""


def settings(forge: Forge) -> str:
    """Digest of what works on the sets, as it is now."""
    return digest([forge.profile.model_dump(mode="json"), forge.environment, CODE_VERSION])


def made_now(forge: Forge) -> MadeFrom:
    """What an asset that starts from the sets is made from."""
    warehouse = forge.load(WarehouseRecord)
    return MadeFrom(fingerprint=warehouse.fingerprint, sets=warehouse.sets, settings=settings(forge))


def made_with(forge: Forge, *inputs: ChainRecord) -> MadeFrom:
    """What an asset that works with the sets and with these records is made from.

    Raises:
        MixedChain: a record was made from other sets or settings than an asset that is made now.
    """
    now = made_now(forge)
    refuse_mixed(now, {record.asset: record.made_from for record in inputs})
    return now


def refuse_mixed(wanted: MadeFrom, found: Mapping[str, MadeFrom]) -> None:
    """Raise where an asset was made from something else.

    Raises:
        MixedChain: it names those assets, and what differs.
    """
    sets = [a for a, made in found.items() if (made.fingerprint, made.sets) != (wanted.fingerprint, wanted.sets)]
    profile = [asset for asset, made in found.items() if made.settings != wanted.settings and asset not in sets]
    if not sets and not profile:
        return
    said = []
    if sets:
        said.append(f"{', '.join(sets)} came of other samples than the sets now drawn")
    if profile:
        said.append(f"{', '.join(profile)} came of another profile, libraries or code")
    raise MixedChain(
        f"{'; '.join(said)}: run `make forge`, or materialise {(sets + profile)[0]} and all that follows it; "
        "what is still right is taken from the store"
    )

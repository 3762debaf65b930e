"""What a shell offers for a profile and for a country."""

from __future__ import annotations

from forge_resources.config.chosen import pack_folder


def profiles(incomplete: str) -> list[str]:
    """Names of the shipped profiles that begin so."""
    from forge_resources.config.profile import profile_names

    return [name for name in profile_names() if name.startswith(incomplete)]


def countries(incomplete: str) -> list[str]:
    """Codes of the pack's jurisdictions that begin so, in the case they are begun in."""
    from forge_assets.law.country import country_files

    codes = [code.lower() if incomplete.islower() else code for code in country_files(pack_folder())]
    return [code for code in codes if code.startswith(incomplete)]

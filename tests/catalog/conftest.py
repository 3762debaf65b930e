"""The catalog is made of the law that the law room reads."""

from tests.law.conftest import domain, frameworks, laws, pack, statutes  # noqa: F401

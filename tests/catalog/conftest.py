"""The shipped pack, as the tests of the law read it."""

from tests.law.conftest import domain, frameworks, laws, pack, statutes  # noqa: F401

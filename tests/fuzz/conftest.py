"""The emulator of the contract suites, for rows as they lie in a real table."""

from tests.contracts.conftest import emulator, fresh_tables

__all__ = ["emulator", "fresh_tables"]

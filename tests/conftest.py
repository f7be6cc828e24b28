"""What every test shares: real pictures when they are there, and a home that is not the user's."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real pictures that LOOKALIKE_DATA names; without it the test is skipped and says so."""
    named = os.environ.get("LOOKALIKE_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("needs the real pictures: set LOOKALIKE_DATA to their folder")
    return Path(named)

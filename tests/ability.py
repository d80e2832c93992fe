"""What this machine cannot run: said loudly on a desk, a failure in CI."""

import os
from typing import NoReturn

import pytest


def cannot_run(reason: str) -> NoReturn:
    """End the test that asks: as a failure when CI=true, else as a skip that the summary lists."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must run everything, and this machine cannot: {reason}", pytrace=False)
    pytest.skip(f"CANNOT RUN: {reason}")

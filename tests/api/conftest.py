import pytest

from tests.api.callers import caller


@pytest.fixture
def probe(settings, db):
    """A caller of the probe's routes (tests/api/probe.py) with the scope `orders`."""
    settings.ROOT_URLCONF = "tests.api.probe"
    settings.ACCESS_TABLE = "tests.api.probe.TABLE"
    return caller("orders")

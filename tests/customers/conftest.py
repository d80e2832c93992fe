import pytest

from core.models import Role, User
from tests.factories import make_business


def sign_in(client, role, name):
    user = User.objects.create_user(f"{name.lower()}@example.com", "a long password", role=role, name=name)
    client.force_login(user)
    return client


@pytest.fixture
def agent(client, db):
    """A browser where an agent is signed in."""
    make_business(currency="EUR", time_zone="Europe/Berlin")
    return sign_in(client, Role.AGENT, "Ada")


@pytest.fixture
def manager(client, db):
    """A browser where a manager is signed in."""
    make_business(currency="EUR", time_zone="Europe/Berlin")
    return sign_in(client, Role.MANAGER, "Mara")


@pytest.fixture
def admin(client, db):
    """A browser where an admin is signed in."""
    make_business(currency="EUR", time_zone="Europe/Berlin")
    return sign_in(client, Role.ADMIN, "Otto")


@pytest.fixture
def viewer(client, db):
    """A browser where a viewer is signed in."""
    make_business(currency="EUR", time_zone="Europe/Berlin")
    return sign_in(client, Role.VIEWER, "Vera")

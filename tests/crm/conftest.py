import pytest

from core.models import Role, User
from tests.factories import make_business


@pytest.fixture
def manager(db):
    return User.objects.create_user("manager@example.com", "a long password", role=Role.MANAGER, name="Mara Manager")


@pytest.fixture
def viewer(db):
    return User.objects.create_user("viewer@example.com", "a long password", role=Role.VIEWER)


@pytest.fixture
def desk(client, manager):
    """A browser where a manager is signed in."""
    make_business()
    client.force_login(manager)
    return client

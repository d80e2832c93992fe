import pytest

from core.models import Role, User
from tests.factories import make_business


@pytest.fixture
def desk(client, db):
    """A browser where a manager is signed in, who may not take data out."""
    make_business()
    client.force_login(User.objects.create_user("manager@example.com", "a long password", role=Role.MANAGER))
    return client


@pytest.fixture
def viewer(client, db):
    """A browser where a viewer is signed in."""
    make_business()
    client.force_login(User.objects.create_user("viewer@example.com", "a long password", role=Role.VIEWER))
    return client


@pytest.fixture
def admin(client, db):
    """A browser where an admin is signed in."""
    make_business()
    client.force_login(User.objects.create_user("admin@example.com", "a long password", role=Role.ADMIN))
    return client

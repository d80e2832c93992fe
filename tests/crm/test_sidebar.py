"""Which link of the sidebar says where the reader is."""

import re

import pytest

from core.models import Role, User
from tests.factories import make_business


def here(client, url):
    """The titles of the marked links."""
    page = client.get(url, follow=True).content.decode()
    side = page[page.index('<aside id="side"') : page.index("</aside>")]
    return [re.sub(r"<.*?>", "", link).strip() for link in re.findall(r'aria-current="page">(.*?)</a>', side, re.S)]


@pytest.fixture
def admin(client, db):
    make_business()
    client.force_login(User.objects.create_user("admin@example.com", role=Role.ADMIN))
    return client


@pytest.mark.parametrize(
    ("url", "titles"),
    [
        ("/", ["Today"]),
        ("/customers/add/", ["All customers"]),
        ("/imports/new/", ["Imports"]),
        ("/value/", ["Value"]),
        *(
            (f"/settings/{name}", ["Settings"])
            for name in ("", "audit/", "api-keys/", "staff/", "fields/", "fields/add/")
        ),
        ("/alerts/", []),
    ],
)
def test_it_is_the_page_s_own(admin, url, titles):
    assert here(admin, url) == titles

"""The table of what each role may do: read from the route table, complete, and nowhere kinder than it."""

import pytest

from core.access import Anyone
from core.models import Role, User
from crm import abilities
from crm.access import TABLE

# Nobody's role decides about these: one's own account, public and customers' pages, and what programs call.
PROBES = ("livez", "readyz", "metrics")
BESIDE = ("account_", "mfa_", "usersessions_", "api:", "admin:", "settings:language_set", "me:", "invited", *PROBES)
BESIDE_PAGES = {"desk:welcome_first"}


def decided():
    return {
        place: roles
        for place, roles in abilities.decisive(TABLE).items()
        if not place[0].startswith(BESIDE) and place[0] not in BESIDE_PAGES
    }


def test_every_page_is_in_one_ability():
    found = {place: [one for one in abilities.ABILITIES if one.covers(*place)] for place in decided()}
    assert {place: len(several) for place, several in found.items() if len(several) != 1} == {}


def test_the_routes_of_an_ability_agree():
    for ability in abilities.ABILITIES:
        sets = {roles for place, roles in decided().items() if ability.covers(*place)}
        assert len(sets) <= 1, f"{ability.label} means different roles: {sets}"


def test_each_cell_is_what_the_table_says():
    for row in abilities.rows(TABLE):
        for role, cell in zip(Role.values, row.cells, strict=True):
            for place, roles in decided().items():
                if row.ability.covers(*place):
                    assert cell is (True if role in roles else cell_without(roles, role)), (place, role)


def cell_without(roles, role):
    if Anyone.MAY_EXPORT not in roles:
        return False
    return True if role == "admin" else None


def test_what_does_not_exist_is_not_mentioned():
    assert abilities.rows({}) == []
    table = {"desk:job_list": TABLE["desk:job_list"]}
    assert [str(row.ability.label) for row in abilities.rows(table)] == ["See nights and jobs"]


def test_where_routes_disagree_the_strictest_counts():
    table = {"desk:job_list": {"GET": frozenset(Role.values)}, "desk:job_detail": {"GET": frozenset({"admin"})}}
    (row,) = abilities.rows(table)
    assert row.cells == [True, False, False, False, False]


@pytest.mark.django_db
def test_the_page_works(client):
    client.force_login(User.objects.create_user("ada@example.com", role=Role.ADMIN))
    page = client.get("/settings/roles/").content.decode()
    assert "Take the members of a segment out as a file" in page
    assert "with export" in page


@pytest.mark.django_db
def test_a_manager_gets_403(client):
    client.force_login(User.objects.create_user("bo@example.com", role=Role.MANAGER))
    assert client.get("/settings/roles/").status_code == 403

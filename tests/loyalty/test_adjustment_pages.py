"""Points by hand on pages: shown before it is saved, once however often it is sent, by two people above the limit."""

import pytest
from django.utils import timezone

from core.models import Edit, Role, User
from loyalty.models import Adjustment
from loyalty.services import adjustments
from tests.api.callers import make_key
from tests.factories import make_business
from tests.forms import inputs
from tests.loyalty.accounts import disagreements
from tests.loyalty.rewards import balance, make_member, make_programme

pytestmark = pytest.mark.django_db
LIST = "/loyalty/adjustments/"


@pytest.fixture
def customer():
    make_business(currency="EUR")
    make_programme(adjust_limit=1_000)
    return make_member(100, at=timezone.now(), name="Ada")


@pytest.fixture
def as_role(client):
    """The browser, with somebody of that role signed in; the same person each time."""

    def sign_in(role):
        user, _ = User.objects.get_or_create(email=f"{role}@example.com", defaults={"role": role, "name": role})
        client.force_login(user)
        return client

    return sign_in


def text(response):
    return " ".join(response.content.decode().split())


def address(customer):
    return f"/loyalty/customers/{customer.pk}/points/adjust/"


def ask(browser, customer, points, reason="The parcel came late", *, query=""):
    """Fill in the form, look at what would become of it: the answer to that."""
    page = browser.get(address(customer) + query)
    changes = {"points": str(points), "reason": reason} if points is not None else {}
    return browser.post(address(customer), inputs(page, **changes))


def save(browser, customer, confirm):
    return browser.post(address(customer), inputs(confirm, save="1"), follow=True)


def decide(browser, one, decision, answer=""):
    return browser.post(f"{LIST}{one.pk}/decide/", {"decision": decision, "answer": answer}, follow=True)


def test_the_new_balance_is_shown_before_anything_is_written(as_role, customer):
    agent = as_role(Role.AGENT)
    confirm = ask(agent, customer, 500)
    assert "Give 500 points?" in text(confirm)
    assert "<b>600</b>" in text(confirm)
    assert (Adjustment.objects.count(), balance(customer)) == (0, 100)

    assert "Given: 500." in text(save(agent, customer, confirm))
    assert balance(customer) == 600


def test_sent_twice_it_counts_once(as_role, customer):
    agent = as_role(Role.AGENT)
    given, taken = ask(agent, customer, 500), ask(agent, customer, -60)
    for confirm in (given, given, taken, taken):
        assert save(agent, customer, confirm).status_code == 200
    assert (balance(customer), Adjustment.objects.count()) == (540, 2)
    again = agent.post(address(customer), inputs(given, save="1", points="700"))
    assert "This form was sent before" in text(again)
    assert balance(customer) == 540


def test_change_leads_back_to_what_was_written(as_role, customer):
    agent = as_role(Role.AGENT)
    form = agent.post(address(customer), inputs(ask(agent, customer, 500), change="1"))
    assert 'value="500"' in text(form)
    assert "The parcel came late" in text(form)


@pytest.mark.parametrize(
    ("points", "reason", "said"),
    [
        ("-101", "A mistake", "There are 100 points to spend: not enough."),
        ("0", "A mistake", "Nothing would change"),
        ("1000000000001", "A mistake", "at most 1,000,000,000,000 at once"),
        ("50", "  ", "Say why."),
        ("many", "A mistake", "Enter a whole number."),
    ],
)
def test_refusals_are_plain_and_write_nothing(as_role, customer, points, reason, said):
    answer = ask(as_role(Role.AGENT), customer, points, reason)
    assert (answer.status_code, said in text(answer)) == (422, True)
    assert (Adjustment.objects.count(), balance(customer)) == (0, 100)


def test_two_people_above_the_limit(as_role, customer):
    """Asked for, looked at, agreed, taken back: 100 + 5,000 − 5,000."""
    agent = as_role(Role.AGENT)
    confirm = ask(agent, customer, 5_000)
    assert "above the limit of 1,000 points" in text(confirm)
    assert "waits until a second person agrees" in text(save(agent, customer, confirm))
    assert "waits for a second person" in text(agent.get(f"/loyalty/customers/{customer.pk}/points/"))
    assert "Yours: somebody else decides." in text(agent.get(LIST))
    one = Adjustment.objects.get()
    assert decide(agent, one, "approve").status_code == 403
    assert balance(customer) == 100

    manager = as_role(Role.MANAGER)
    assert "100 → <span>5,100</span>" in text(manager.get(LIST))
    assert "Approved" in text(decide(manager, one, "approve"))
    assert balance(customer) == 5_100
    assert "agent asked, manager agreed" in text(manager.get(f"/loyalty/customers/{customer.pk}/points/"))
    assert "Approved" in text(manager.get(f"{LIST}?tab=decided"))

    save(manager, customer, ask(manager, customer, None, query=f"?back={one.pk}"))
    back = Adjustment.objects.latest("pk")
    assert (back.points, back.state) == (-5_000, "waiting")
    decide(as_role(Role.ADMIN), back, "approve")
    assert balance(customer) == 100
    assert disagreements() == []


def test_a_program_is_named_and_stands_for_who_made_its_key(as_role, customer):
    manager, key = as_role(Role.MANAGER), make_key("loyalty")[0]
    key.created_by = User.objects.get(role=Role.MANAGER)
    key.save(update_fields=["created_by"])
    asked = {"points": 5_000, "key": "k", "at": timezone.now(), "reason": "Late", "program": key}
    adjustments.adjust(customer_id=customer.pk, **asked)
    assert "asked for by Program “shop”" in text(manager.get(f"/loyalty/customers/{customer.pk}/points/"))
    assert "Yours: somebody else decides." in text(manager.get(LIST))
    assert "Approvals" not in text(manager.get("/"))

    admin = as_role(Role.ADMIN)
    assert "a second person agrees or declines" in text(admin.get("/"))
    assert "Approved" in text(decide(admin, Adjustment.objects.get(), "approve"))
    assert "Program “shop” asked, admin agreed" in text(admin.get(f"/loyalty/customers/{customer.pk}/points/"))


def test_nobody_decides_on_their_own_and_who_declines_says_why(as_role, customer):
    manager = as_role(Role.MANAGER)
    save(manager, customer, ask(manager, customer, 5_000))
    one = Adjustment.objects.get()
    assert "it is your own adjustment" in text(decide(manager, one, "approve"))

    admin = as_role(Role.ADMIN)
    assert "Say why" in text(decide(admin, one, "refuse"))
    one.refresh_from_db()
    assert one.state == "waiting"

    assert "Declined" in text(decide(admin, one, "refuse", "Too much"))
    one.refresh_from_db()
    assert (one.state, one.answer, one.decided_by.role, balance(customer)) == ("refused", "Too much", "admin", 100)
    assert "Too much" in text(admin.get(f"{LIST}?tab=decided"))
    assert "Somebody has decided" in text(decide(admin, one, "approve"))
    told = list(Edit.objects.filter(about="loyalty_adjustment").order_by("pk").values_list("action", "user__role"))
    assert told == [("insert", "manager"), ("update", "admin")]


def test_an_adjustment_is_taken_back_once(as_role, customer):
    agent = as_role(Role.AGENT)
    save(agent, customer, ask(agent, customer, 70))
    one = Adjustment.objects.get()
    first, second = (ask(agent, customer, None, query=f"?back={one.pk}") for _ in range(2))
    assert "Take 70 points away?" in text(first)
    save(agent, customer, first)
    assert "It was taken back before." in text(agent.post(address(customer), inputs(second, save="1", reason="Again")))
    save(agent, customer, second)
    assert balance(customer) == 100
    page = text(agent.get(f"/loyalty/customers/{customer.pk}/points/"))
    assert f"?back={one.pk}" not in page


def test_a_take_back_that_was_declined_has_taken_nothing_back(as_role, customer):
    make_programme(adjust_limit=50)
    manager, points = as_role(Role.MANAGER), f"/loyalty/customers/{customer.pk}/points/"
    save(manager, customer, ask(manager, customer, 70))
    one = Adjustment.objects.get()
    decide(as_role(Role.ADMIN), one, "approve")
    query = f"?back={one.pk}"

    manager = as_role(Role.MANAGER)
    save(manager, customer, ask(manager, customer, None, query=query))
    page = text(manager.get(points))
    assert "Waiting for a second person" in page
    assert (query in page, "Taken back</span>" in page) == (False, False)
    again = inputs(ask(manager, customer, None, query=query), save="1", reason="Again")
    assert "and that waits for a second person" in text(manager.post(address(customer), again))

    decide(as_role(Role.ADMIN), Adjustment.objects.latest("pk"), "refuse", "Keep them")
    manager = as_role(Role.MANAGER)
    page = text(manager.get(points))
    assert (query in page, "Taken back</span>" in page) == (True, False)

    assert "It waits until" in text(save(manager, customer, ask(manager, customer, None, query=query)))
    decide(as_role(Role.ADMIN), Adjustment.objects.latest("pk"), "approve")
    assert balance(customer) == 100
    page = text(as_role(Role.MANAGER).get(points))
    assert "Taken back</span>" in page
    assert query not in page


def test_a_form_sent_again_after_it_was_declined_says_so(as_role, customer):
    agent = as_role(Role.AGENT)
    confirm = ask(agent, customer, 5_000)
    save(agent, customer, confirm)
    decide(as_role(Role.ADMIN), Adjustment.objects.get(), "refuse", "Too much")
    assert "Declined: nothing has changed." in text(save(as_role(Role.AGENT), customer, confirm))


def test_what_is_taken_back_is_all_of_it_and_hers(as_role, customer):
    agent, other = as_role(Role.AGENT), make_member(0, at=timezone.now(), name="Bea")
    save(agent, customer, ask(agent, customer, 70))
    one = Adjustment.objects.get()
    confirm = ask(agent, customer, -10, query=f"?back={one.pk}")
    assert "Take 70 points away?" in text(confirm)

    answer = agent.post(address(other), inputs(confirm, save="1", points="5"))
    assert (answer.status_code, "This form is not ours" in text(answer)) == (422, True)
    assert Adjustment.objects.count() == 1

    agent.post(address(customer), inputs(confirm, save="1", points="-10"))
    assert balance(customer) == 100


@pytest.mark.parametrize(("expiry", "said"), [("months", "the last day is"), ("never", "They do not expire.")])
def test_their_last_day_is_told_above_the_limit_too(as_role, customer, expiry, said):
    make_programme(adjust_limit=1_000, expiry=expiry)
    agent = as_role(Role.AGENT)
    confirm = ask(agent, customer, 5_000)
    assert said in text(confirm)
    save(agent, customer, confirm)
    assert said in text(agent.get(LIST))


def test_an_answer_that_is_too_long_is_kept(as_role, customer):
    agent = as_role(Role.AGENT)
    save(agent, customer, ask(agent, customer, 5_000))
    again = decide(as_role(Role.ADMIN), Adjustment.objects.get(), "refuse", "Too much " * 40)
    assert again.status_code == 422
    assert "Say why" in text(again)
    assert f'value="{"Too much " * 40}"' in again.content.decode()


def test_without_a_programme_there_is_nothing_to_adjust(as_role, customer):
    make_programme(opened_at=None)
    answer = as_role(Role.ADMIN).get(address(customer), follow=True)
    assert "no programme that is switched on" in text(answer)

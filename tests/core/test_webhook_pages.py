"""Settings → Webhooks: an admin adds a receiver, tries it, sees what came of it, and sends again."""

import ipaddress
from datetime import UTC, datetime

import pytest

from core.models import Delivery, Role, User, Webhook
from tests.core.receivers import receiving
from tests.core.test_webhooks import make_webhook, work_off

LIST, CREATE = "/settings/webhooks/", "/settings/webhooks/new/"
pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture(autouse=True)
def inside(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def admin(client):
    client.force_login(User.objects.create_user("admin@example.com", "a long password", role=Role.ADMIN, name="Ada"))
    return client


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_from_nothing_to_a_test_that_arrived(admin):
    assert "Nobody is told" in page(admin, LIST)
    with receiving() as receiver:
        there = admin.post(CREATE, {"url": receiver.url, "description": "Till", "events": ["ping"]})["Location"]
        webhook = Webhook.objects.get()
        assert (webhook.description, webhook.events, str(webhook.created_by)) == ("Till", ["ping"], "Ada")
        assert "No deliveries" in page(admin, there)
        assert webhook.secret in page(admin, there)
        admin.post(f"{there}test/")
        assert work_off(datetime.now(UTC)) == [204]
    assert "The receiver answered 204." in page(admin, there)
    assert "Till" in page(admin, LIST)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://10.0.0.7/", "leads inside a private network"),
        ("http://93.184.216.34/", "leads inside a private network"),
        ("javascript:alert(1)", "This is no address of the web"),
        ("https://ann:pw@shop.example/", "Leave name and password out"),
        ("", "This field is required"),
    ],
)
def test_an_address_that_is_not_called_is_told_and_nothing_typed_is_lost(admin, url, said):
    answer = admin.post(CREATE, {"url": url, "description": "Till"})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert 'value="Till"' in answer.content.decode()
    assert not Webhook.objects.exists()


def test_without_a_network_inside_only_https(admin, settings):
    settings.WEBHOOK_NETWORKS = []
    answer = admin.post(CREATE, {"url": "http://shop.example/"})
    assert "has to begin with https://" in answer.content.decode()


def test_there_is_an_end_to_them(admin, monkeypatch):
    monkeypatch.setattr("core.webhooks.managing.MOST", 1)
    make_webhook()
    answer = admin.post(CREATE, {"url": "http://127.0.0.1/x"})
    assert (answer.status_code, Webhook.objects.count()) == (409, 1)
    assert "There are 1 webhooks already" in answer.content.decode()


def test_change_pause_go_on_and_remove(admin):
    webhook = make_webhook()
    there = f"{LIST}{webhook.pk}/"
    admin.post(f"{there}edit/", {"url": "http://127.0.0.1/y", "description": "", "events": []})
    admin.post(f"{there}pause/")
    webhook.refresh_from_db()
    assert (webhook.url, webhook.state) == ("http://127.0.0.1/y", Webhook.State.PAUSED)
    admin.post(f"{there}resume/")
    webhook.refresh_from_db()
    assert webhook.state == Webhook.State.ACTIVE
    assert "Nothing is sent to http://127.0.0.1/y" in page(admin, f"{there}remove/")
    admin.post(f"{there}remove/")
    assert not Webhook.objects.exists()


def test_a_new_secret_is_shown_beside_the_end_of_the_old_one(admin):
    webhook = make_webhook()
    admin.post(f"{LIST}{webhook.pk}/rotate/")
    shown = page(admin, f"{LIST}{webhook.pk}/")
    webhook.refresh_from_db()
    assert webhook.secret in shown
    assert "signs beside it until" in shown
    assert webhook.old_secret not in shown


def test_what_was_given_up_is_listed_and_sent_again(admin):
    webhook = make_webhook()
    there = f"{LIST}{webhook.pk}/"
    admin.post(f"{there}test/")
    now = datetime.now(UTC)
    work_off(now)
    assert "There was no answer (NewConnectionError)." in page(admin, there)
    Delivery.objects.update(state=State.DEAD, settled_at=now)
    assert "Send all again" in page(admin, f"{there}?state=dead")
    assert "No deliveries" in page(admin, f"{there}?state=delivered")
    admin.post(f"{there}replay/")
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == (State.PENDING, 0)
    Delivery.objects.update(state=State.DELIVERED, settled_at=now)
    admin.post(f"{there}deliveries/{Delivery.objects.get().pk}/")
    assert Delivery.objects.get().state == State.PENDING


def test_one_receiver_s_delivery_is_not_reached_by_another_s_address(admin):
    webhook, other = make_webhook(), make_webhook()
    admin.post(f"{LIST}{webhook.pk}/test/")
    Delivery.objects.update(state=State.DEAD, settled_at=datetime.now(UTC))
    assert admin.post(f"{LIST}{other.pk}/deliveries/{Delivery.objects.get().pk}/").status_code == 404
    assert Delivery.objects.get().state == State.DEAD


def test_what_cannot_be_done_is_no_page(admin):
    assert admin.post(f"{LIST}{make_webhook().pk}/explode/").status_code == 404

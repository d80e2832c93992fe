"""Webhooks: each event is told at least once or stands in the list of those given up, to the right receiver, signed."""

import ipaddress
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from standardwebhooks.webhooks import Webhook as Checker
from standardwebhooks.webhooks import WebhookVerificationError

from core.models import Delivery, Event, Webhook
from core.webhooks import emitting, managing, retries, sending, signing
from tests.core.receivers import receiving

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
State = Delivery.State
INSIDE = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture(autouse=True)
def inside(settings):
    settings.WEBHOOK_NETWORKS = INSIDE


@pytest.fixture
def receiver():
    with receiving() as server:
        yield server


def make_webhook(url="http://127.0.0.1:9/hook", **fields):
    return Webhook.objects.create(url=url, secret=signing.new_secret(), created_at=AT, **fields)


def emit(kind="ping", data=None, at=AT):
    with transaction.atomic():
        emitting.emit(kind, data or {"points": 5}, at=at)


def work_off(at=AT):
    """All that is ready at `at`, one after the other; returns what became of each."""
    tried = []
    while (claim := sending.claimed(at=at)) is not None:
        outcome = sending.call(claim=claim, at=at)
        sending.settle(claim=claim, outcome=outcome, at=at, chance=0)
        tried.append(outcome.status or outcome.said)
    return tried


@pytest.mark.django_db
class TestTelling:
    def test_a_receiver_gets_the_event_once_and_signed(self, receiver):
        webhook = make_webhook(receiver.url)
        now = datetime.now(UTC)
        emit(data={"customer": "7", "points": 40}, at=now)
        assert work_off(now) == [204]
        assert work_off(now + timedelta(days=4)) == []
        ((path, headers, body),) = receiver.got
        assert path == "/hook"
        assert Checker(webhook.secret).verify(body, headers) == {
            "type": "ping",
            "timestamp": now.isoformat(),
            "data": {"customer": "7", "points": 40},
        }
        assert headers["webhook-id"] == f"msg_{Event.objects.get().uid.hex}"
        assert Delivery.objects.get().state == State.DELIVERED

    def test_a_changed_body_does_not_pass(self, receiver):
        webhook, now = make_webhook(receiver.url), datetime.now(UTC)
        emit(at=now)
        work_off(now)
        ((_path, headers, body),) = receiver.got
        with pytest.raises(WebhookVerificationError):
            Checker(webhook.secret).verify(body.replace("5", "6"), headers)

    def test_both_secrets_sign_for_a_day_after_a_change(self, receiver):
        webhook, now = make_webhook(receiver.url), datetime.now(UTC)
        old, new = webhook.secret, managing.rotate(webhook=webhook, at=now)
        for later in (timedelta(hours=23), timedelta(hours=25)):
            emit(at=now)
            work_off(now + later)
        signatures = [len(headers["webhook-signature"].split()) for _path, headers, _body in receiver.got]
        assert (signatures, old != new) == ([2, 1], True)

    def test_only_those_who_want_the_kind_are_told(self):
        every, one = make_webhook(), make_webhook(events=["ping"])
        other = make_webhook(events=["tier.changed"])
        gone = make_webhook(state=Webhook.State.GONE)
        emit()
        told = set(Delivery.objects.values_list("webhook_id", flat=True))
        assert told == {every.pk, one.pk}
        assert not told & {other.pk, gone.pk}

    def test_without_a_receiver_nothing_is_written(self):
        emit()
        assert not Event.objects.exists()

    def test_what_did_not_happen_is_not_told(self):
        make_webhook()
        with transaction.atomic():
            emitting.emit("ping", {}, at=AT)
            transaction.set_rollback(True)
        assert not Delivery.objects.exists()

    def test_a_paused_one_hears_it_when_it_goes_on(self, receiver):
        webhook = make_webhook(receiver.url)
        managing.pause(webhook=webhook)
        emit()
        assert work_off() == []
        managing.resume(webhook=webhook)
        assert work_off() == [204]

    def test_an_event_goes_to_a_webhook_once(self):
        webhook = make_webhook()
        emit()
        with pytest.raises(IntegrityError):
            Delivery.objects.create(event=Event.objects.get(), webhook=webhook, ready_at=AT)


@pytest.mark.django_db
class TestTrying:
    def test_down_for_72_hours_and_told_all_the_same(self, receiver):
        make_webhook(receiver.url)
        emit()
        receiver.status, at = 503, AT
        while at < AT + timedelta(hours=72):
            work_off(at)
            at = Delivery.objects.get().ready_at
        receiver.status = 200
        assert work_off(at) == [200]
        row = Delivery.objects.get()
        assert (row.state, len(row.log), row.attempts) == (State.DELIVERED, 10, 10)

    def test_down_for_longer_is_given_up_and_listed_and_can_be_sent_again(self, receiver):
        webhook = make_webhook(receiver.url)
        emit()
        receiver.status, tries, at = 500, 0, AT
        while Delivery.objects.get().state != State.DEAD:
            tries += len(work_off(at))
            at = Delivery.objects.get().ready_at
        assert tries == retries.MOST_ATTEMPTS
        assert Delivery.objects.get().settled_at - AT >= timedelta(hours=75)
        receiver.status = 200
        assert managing.replay(webhook=webhook, at=at) == 1
        assert (work_off(at), Delivery.objects.get().state) == ([200], State.DELIVERED)
        assert len({headers["webhook-id"] for _path, headers, _body in receiver.got}) == 1

    def test_nobody_listens(self):
        make_webhook()
        emit()
        assert work_off() == ["NewConnectionError"]
        row = Delivery.objects.get()
        assert (row.state, row.ready_at, row.log[0]["status"]) == (State.PENDING, AT + retries.PAUSES[0], 0)

    def test_410_ends_it_until_somebody_goes_on(self, receiver):
        webhook = make_webhook(receiver.url)
        receiver.status = 410
        emit()
        emit()
        assert work_off() == [410]
        webhook.refresh_from_db()
        assert webhook.state == Webhook.State.GONE
        receiver.status = 200
        managing.resume(webhook=webhook)
        assert work_off(AT + timedelta(minutes=1)) == [200, 200]

    def test_a_redirect_is_not_followed(self, receiver):
        with receiving() as other:
            receiver.status, receiver.headers = 307, {"Location": other.url}
            make_webhook(receiver.url)
            emit()
            assert work_off() == [307]
            assert not other.got
        assert Delivery.objects.get().state == State.PENDING

    def test_a_slow_receiver_holds_up_nobody_else(self, receiver):
        slow, quick = make_webhook(), make_webhook(receiver.url)
        emit()
        emit()
        first = sending.claimed(at=AT)
        assert first.webhook == slow
        assert work_off() == [204, 204]
        assert sending.claimed(at=AT) is None
        assert set(Delivery.objects.filter(webhook=quick).values_list("state", flat=True)) == {State.DELIVERED}

    def test_a_worker_that_dies_costs_a_repetition_and_nothing_else(self, receiver):
        make_webhook(receiver.url)
        emit()
        lost = sending.claimed(at=AT)
        sending.call(claim=lost, at=AT)  # and then it is killed
        assert sending.release_stale(at=AT + sending.LEASE) == 0
        later = AT + sending.LEASE + timedelta(seconds=1)
        assert sending.is_waiting(at=later)
        assert sending.release_stale(at=later) == 1
        assert work_off(later) == [204]
        sending.settle(claim=lost, outcome=sending.Outcome(status=500, said="", ms=1), at=later, chance=0)
        assert Delivery.objects.get().state == State.DELIVERED
        assert len({headers["webhook-id"] for _path, headers, _body in receiver.got}) == 1

    def test_old_ones_are_forgotten_but_not_those_that_wait(self, receiver):
        webhook = make_webhook(receiver.url)
        emit(data={"n": 1})
        work_off()
        emit(data={"n": 2})
        Delivery.objects.filter(event__data__n=2).update(state=State.DEAD, settled_at=AT + timedelta(days=3))
        emit(data={"n": 3})
        assert sending.prune(at=AT + timedelta(days=31)) == 1
        assert set(Event.objects.values_list("data__n", flat=True)) == {2, 3}
        assert sending.prune(at=AT + timedelta(days=94)) == 1
        assert webhook.deliveries.get().event.data == {"n": 3}


@pytest.mark.django_db(transaction=True)
class TestSideBySide:
    def test_four_senders_send_each_delivery_once(self, receiver):
        make_webhook(receiver.url)
        for number in range(20):
            emit(data={"number": number})
        assert sending.send_waiting(seconds=30) == 20
        told = sorted(json.loads(body)["data"]["number"] for _path, _headers, body in receiver.got)
        assert told == list(range(20))

    def test_without_the_lock_on_the_webhook_two_would_send_the_same(self, receiver, monkeypatch):
        """The negative control: both look before either has claimed."""
        make_webhook(receiver.url)
        emit()
        looked, claims = threading.Barrier(2), []
        monkeypatch.setattr(sending, "WAITING", "SELECT webhook_id FROM core_delivery WHERE ready_at <= %(at)s LIMIT 1")
        oldest = sending._oldest
        monkeypatch.setattr(sending, "_oldest", lambda **asked: (oldest(**asked), looked.wait(10))[0])

        def claim():
            try:
                claims.append(sending.claimed(at=AT))
            finally:
                connection.close()

        threads = [threading.Thread(target=claim) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [claim.delivery for claim in claims] == [Delivery.objects.get().pk] * 2


def test_tries_are_put_off_by_chance_and_end():
    assert retries.next_try(attempts=1, at=AT, chance=1) == AT + timedelta(seconds=5.5)
    assert retries.next_try(attempts=retries.MOST_ATTEMPTS, at=AT, chance=0) is None
    assert timedelta(hours=75) <= sum(retries.PAUSES, timedelta()) <= timedelta(hours=76)

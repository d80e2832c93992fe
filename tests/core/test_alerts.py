"""One open alert for each cause, however often and by however many it is looked for."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from core import alerts, pulse
from core.alerts import Cause, difference
from core.models import Alert, AlertMail, AlertRead, Pulse, Role, User

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
KEY = "night-failed:2026-11-21"


def cause(key=KEY, **facts):
    return Cause(key, Alert.Kind(key.split(":")[0]), {"as_of": "2026-11-21", "run": 1} | facts)


def make_user(email="admin@example.com", role=Role.ADMIN, **fields):
    return User.objects.create_user(email, "a long password", role=role, **fields)


class TestDifference:
    def test_it_works(self):
        known = {"a:1": {"n": 1}, "b:1": {"n": 1}, "c:1": {"n": 1}, "d:1": {}}
        kind = Alert.Kind.JOB_DEAD
        wanted = [Cause("a:1", kind, {"n": 1}), Cause("b:1", kind, {"n": 2}), Cause("e:1", kind)]
        found = difference(known=known, causes=wanted, held={"d:1"})
        assert [new.key for new in found.new] == ["e:1"]
        assert [changed.key for changed in found.changed] == ["b:1"]
        assert found.gone == ["c:1"]


@pytest.mark.django_db
class TestReconcile:
    def test_it_opens_once(self):
        for minutes in range(3):
            alerts.reconcile(causes=[cause()], at=AT + timedelta(minutes=minutes))
        (row,) = Alert.objects.all()
        assert (row.key, row.kind, row.opened_at, row.closed_at) == (KEY, "night-failed", AT, None)

    def test_it_closes_by_itself(self):
        alerts.reconcile(causes=[cause()], at=AT)
        alerts.reconcile(causes=[], at=AT + timedelta(hours=1))
        assert Alert.objects.get().closed_at == AT + timedelta(hours=1)
        alerts.reconcile(causes=[], at=AT + timedelta(hours=2))
        assert Alert.objects.get().closed_at == AT + timedelta(hours=1)

    def test_what_is_held_stays_open(self):
        alerts.reconcile(causes=[cause()], at=AT)
        alerts.reconcile(causes=[], held={KEY}, at=AT)
        assert Alert.objects.get().closed_at is None

    def test_the_same_cause_later_is_a_new_alert(self):
        for causes in ([cause()], [], [cause()]):
            alerts.reconcile(causes=causes, at=AT)
        assert Alert.objects.count() == 2

    def test_facts_are_kept_up_to_date(self):
        alerts.reconcile(causes=[cause(run=1)], at=AT)
        alerts.reconcile(causes=[cause(run=2)], at=AT)
        assert Alert.objects.get().facts["run"] == 2

    def test_one_mail_is_planned_for_each_active_admin_who_wants_them(self):
        admin, silent = make_user(), make_user("silent@example.com")
        make_user("gone@example.com", is_active=False)
        make_user("manager@example.com", role=Role.MANAGER)
        alerts.set_mail(user=silent, wanted=False)
        for _ in range(2):
            alerts.reconcile(causes=[cause()], at=AT)
        assert list(AlertMail.objects.values_list("user", "state")) == [(admin.pk, "pending")]

    def test_a_mail_that_waits_is_dropped_when_the_cause_is_gone(self):
        make_user()
        alerts.reconcile(causes=[cause()], at=AT)
        alerts.reconcile(causes=[], at=AT)
        assert AlertMail.objects.get().state == "dropped"


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def look_together(self, *, locked):
        """Two look at the same time: both know of no alert before either writes one, unless a lock parts them."""
        barrier, errors = threading.Barrier(2), []

        def look():
            try:
                with transaction.atomic():
                    barrier.wait()
                    if locked:
                        pulse.beat(at=AT)
                    alerts.reconcile(causes=[cause()], at=AT)
            except Exception as error:
                errors.append(type(error).__name__)
            finally:
                connection.close()

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors

    def test_there_is_one_alert_and_one_mail(self):
        make_user()
        Pulse.objects.create(name=Pulse.WATCH, at=AT, since=AT)
        assert self.look_together(locked=True) == []
        assert (Alert.objects.count(), AlertMail.objects.count()) == (1, 1)

    def test_without_the_lock_the_row_refuses_the_second(self):
        """The negative control: what the lock prevents happens, and the constraint is what stands behind it."""
        for _ in range(20):
            Alert.objects.all().delete()
            if errors := self.look_together(locked=False):
                assert errors == ["IntegrityError"]
                assert Alert.objects.count() == 1
                return
        pytest.fail("two who looked at once never met")


@pytest.mark.django_db
class TestReading:
    def test_each_person_reads_for_themselves(self):
        admin, other = make_user(), make_user("other@example.com")
        alerts.reconcile(causes=[cause(), cause("dead-job:8")], at=AT)
        assert alerts.unread(admin) == 2
        alerts.mark_read(user=admin, ids=[Alert.objects.first().pk])
        assert (alerts.unread(admin), alerts.unread(other)) == (1, 2)
        alerts.mark_read(user=admin)
        alerts.mark_read(user=admin)
        assert (alerts.unread(admin), AlertRead.objects.count()) == (0, 2)

    def test_closed_ones_do_not_count(self):
        admin = make_user()
        alerts.reconcile(causes=[cause()], at=AT)
        alerts.reconcile(causes=[], at=AT)
        assert alerts.unread(admin) == 0

    def test_unread_first_and_closed_last_and_not_for_ever(self):
        admin = make_user()
        alerts.reconcile(causes=[cause("dead-job:1")], at=AT)
        alerts.reconcile(causes=[cause("dead-job:2"), cause("dead-job:3")], at=AT)
        alerts.mark_read(user=admin, ids=[Alert.objects.get(key="dead-job:3").pk])
        found = [alert.key for alert in alerts.listed(admin, at=AT)]
        assert found == ["dead-job:2", "dead-job:3", "dead-job:1"]
        assert len(alerts.listed(admin, at=AT + timedelta(days=31))) == 2

    def test_the_bell_is_one_query(self, django_assert_num_queries):
        admin = make_user()
        with django_assert_num_queries(1):
            alerts.unread(admin)


@pytest.mark.django_db
class TestPulse:
    def test_silence(self):
        assert pulse.silence(at=AT) is None
        pulse.beat(at=AT)
        assert pulse.silence(at=AT + timedelta(minutes=9)) is None
        assert pulse.silence(at=AT + timedelta(minutes=11)) == timedelta(minutes=11)

    def test_since_when_it_beats_without_a_pause(self):
        for minutes in (0, 1, 2, 16):
            pulse.beat(at=AT + timedelta(minutes=minutes))
        assert Pulse.objects.get().since == AT
        pulse.beat(at=AT + timedelta(minutes=40))
        assert Pulse.objects.get().since == AT + timedelta(minutes=40)

    def test_one_that_comes_late_does_not_turn_it_back(self):
        pulse.beat(at=AT)
        pulse.beat(at=AT - timedelta(minutes=1))
        assert Pulse.objects.get().at == AT

    def test_what_machines_are_told(self):
        assert pulse.said(at=AT) == "not seen yet"
        pulse.beat(at=AT)
        assert pulse.said(at=AT) == "ok"
        assert pulse.said(at=AT + timedelta(hours=1)) == "silent for 60 minutes"

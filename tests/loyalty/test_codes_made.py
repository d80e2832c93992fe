"""Making codes: chosen ones, and thousands by a worker, with progress and a way to stop."""

from datetime import UTC, datetime

import pytest

from core import engine
from core.models import Job, User
from customers.models import Membership, Segment
from customers.services import tags
from loyalty import codes as pure
from loyalty.models import Code
from loyalty.offer_refusals import Refused
from loyalty.services import codes
from loyalty.services.codes import BadCode
from tests import factories
from tests.loyalty.offers import make_code, make_offer, redeem

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def by():
    return User.objects.create_user(email="m@example.com", password=None)


def start(offer, by, *, count=0, segment=None, max_uses=1):
    return codes.start(offer=offer, count=count, segment_id=segment and segment.pk, max_uses=max_uses, by=by, at=AT)


def work(job):
    engine.work_off(steps=codes.STEPS, seconds=60)
    job.refresh_from_db()
    return job


class TestChosen:
    def test_it_works(self):
        code = codes.choose(offer=make_offer(), text="Holiday 25")

        assert (code.code, code.label, code.shown, code.max_uses) == ("H011DAY25", "HOLIDAY25", "HOLIDAY25", None)

    def test_one_that_reads_the_same_is_refused(self):
        codes.choose(offer=make_offer(), text="HOLIDAY25")

        with pytest.raises(BadCode, match="reads the same"):
            codes.choose(offer=make_offer(), text="h0l-1day 25")

    @pytest.mark.parametrize("text", ["", "AB1", "A B!", "x" * 33])
    def test_what_cannot_be_a_code_is_refused(self, text):
        with pytest.raises(BadCode, match="4 to 32 letters"):
            codes.choose(offer=make_offer(), text=text)

    def test_a_drawn_one_is_shown_in_groups(self):
        code = codes.draw(offer=make_offer())

        assert code.shown == pure.shown(code.code)
        assert code.max_uses == 1


class TestMany:
    def test_it_works(self, by):
        offer = make_offer()
        job = work(start(offer, by, count=12_001))

        assert (job.state, job.done) == (Job.State.DONE, 12_001)
        made = Code.objects.filter(offer=offer)
        assert made.count() == 12_001
        assert all(len(code.code) == 16 and set(code.code) <= set(pure.ALPHABET) for code in made[:50])

    def test_one_for_each_customer_of_a_segment(self, by):
        offer, customers = make_offer(), [factories.make_customer() for _ in range(3)]
        factories.make_customer()
        rfm = Segment.objects.create(scheme="rfm", slug="champions", name="Champions")
        Membership.objects.create(customer=customers[0], scheme="rfm", segment=rfm, changed_on=AT.date())
        bakers = tags.find_or_make(name="Bakers")
        tags.add(segment=bakers, customer_ids=[one.pk for one in customers], by=None, at=AT)
        tags.remove(segment_id=bakers.pk, customer_ids=[customers[2].pk], at=AT)

        assert work(start(offer, by, segment=bakers)).done == 2
        assert work(start(offer, by, segment=rfm)).done == 1
        assert sorted(Code.objects.values_list("holder_id", flat=True)) == [
            customers[0].pk,
            customers[0].pk,
            customers[1].pk,
        ]

    def test_codes_that_are_taken_are_drawn_again(self, by, monkeypatch):
        taken = codes.draw(offer=make_offer()).code
        draws = iter([[taken, pure.new()], [pure.new()]])
        monkeypatch.setattr(pure, "several", lambda count: next(draws))
        offer = make_offer()

        assert work(start(offer, by, count=2)).done == 2
        assert Code.objects.filter(offer=offer).exclude(code=taken).count() == 2

    def test_a_job_that_is_stopped_makes_none(self, by):
        job = start(make_offer(), by, count=10)
        engine.stop(job_id=job.pk, at=AT)

        assert work(job).state == Job.State.STOPPED
        assert not Code.objects.exists()

    def test_an_offer_that_ended_gets_none(self, by):
        job = work(start(make_offer(state="ended"), by, count=10))

        assert (job.state, job.error) == (Job.State.DEAD, "This offer has ended.")
        assert not Code.objects.exists()


def test_codes_and_uses_follow_a_customer_who_was_another():
    one, other, third = (factories.make_customer() for _ in range(3))
    offer = make_offer(max_per_customer=1)
    redeem(make_code(offer), customer=other)
    mine, foreign = make_code(holder=other), make_code(holder=third)

    codes.move(into=one.pk, other=other.pk)

    with pytest.raises(Refused):
        redeem(make_code(offer), customer=one)
    assert list(Code.objects.filter(holder__isnull=False).order_by("pk").values_list("pk", "holder_id")) == [
        (mine.pk, one.pk),
        (foreign.pk, third.pk),
    ]

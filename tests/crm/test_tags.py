"""Tags for needs: given and taken on a customer's page and for a whole list, by those who may; kept as a segment."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.services import tag_totals
from core import engine
from core.models import Job, Role, User
from crm import bulk_tags
from crm.demo import clearing
from customers.models import Segment, Tagging
from customers.selectors import tags as found
from customers.services import tags
from tests.desk import AS_OF, make_night, noon, score
from tests.factories import make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_customer(name="Ana")


@pytest.fixture
def shop(ana):
    bo = make_customer(name="Bo", country="Ireland")
    make_night(score(ana, value_tier=1), score(bo, value_tier=2))
    return ana, bo


def names(customer):
    return [tag.name for tag in found.of_customer(customer.pk)]


def give(name, *customers, at=None):
    segment = tags.find_or_make(name=name)
    tags.add(segment=segment, customer_ids=[one.pk for one in customers], by=None, at=at or timezone.now())
    return segment


class TestPage:
    def test_it_works(self, desk, ana, manager):
        assert desk.post(f"/customers/{ana.pk}/tags/", {"add": "Gluten free"})["Location"] == f"/customers/{ana.pk}/"
        tagging = Tagging.objects.get()
        assert (tagging.customer, tagging.segment.slug, tagging.added_by) == (ana, "gluten-free", manager)
        assert "Gluten free" in desk.get(f"/customers/{ana.pk}/").content.decode()

    def test_it_is_taken_away_and_given_again(self, desk, ana):
        give("Vegan", ana)
        desk.post(f"/customers/{ana.pk}/tags/", {"remove": "vegan"})
        assert names(ana) == []
        desk.post(f"/customers/{ana.pk}/tags/", {"add": "VEGAN"})
        assert names(ana) == ["Vegan"]
        assert Tagging.objects.count() == 2

    def test_a_part_answers_a_part(self, desk, ana):
        answer = desk.post(f"/customers/{ana.pk}/tags/", {"add": "Vegan"}, headers={"HX-Request": "true"})
        page = answer.content.decode()
        assert page.lstrip().startswith('<section class="card" id="tags"')
        assert "Vegan" in page

    @pytest.mark.parametrize("name", ["", "  ", "!?", "x" * 41])
    def test_what_is_no_name_is_refused(self, desk, ana, name):
        answer = desk.post(f"/customers/{ana.pk}/tags/", {"add": name}, headers={"HX-Request": "true"})
        assert "at most 40 letters" in answer.content.decode()
        assert not Segment.objects.filter(scheme="needs").exists()

    def test_a_script_is_shown_and_not_run(self, desk, ana):
        desk.post(f"/customers/{ana.pk}/tags/", {"add": "<script>x</script>"})
        assert "<script>x" not in desk.get(f"/customers/{ana.pk}/").content.decode()

    def test_an_unknown_tag_or_customer_is_not_found(self, desk, ana):
        assert desk.post(f"/customers/{ana.pk}/tags/", {"remove": "nothing"}).status_code == 404
        assert desk.post("/customers/0/tags/", {"add": "Vegan"}).status_code == 404

    @pytest.mark.parametrize(("role", "status"), [(Role.AGENT, 302), (Role.MARKETER, 302), (Role.VIEWER, 403)])
    def test_roles(self, client, ana, role, status):
        client.force_login(User.objects.create_user("x@example.com", "a long password", role=role))
        assert client.post(f"/customers/{ana.pk}/tags/", {"add": "Vegan"}).status_code == status

    def test_the_history_says_who_gave_it(self, desk, ana):
        desk.post(f"/customers/{ana.pk}/tags/", {"add": "Vegan"})
        page = desk.get(reverse("customers:record_history", args=["customer", ana.pk])).content.decode()
        assert "Mara Manager" in page
        assert "Vegan" in page


class TestWholeList:
    def test_it_works(self, desk, shop):
        ana, bo = shop
        page = desk.get("/customers/tag/?in=value%3Da").content.decode()
        assert "1 customer is in the list" in page
        assert desk.post("/customers/tag/", {"in": "value=a", "add": "Vegan"})["Location"] == "/customers/?value=a"
        assert (names(ana), names(bo)) == (["Vegan"], [])

    def test_by_facts_alone(self, desk, shop):
        desk.post("/customers/tag/", {"in": "country=Ireland", "add": "Irish"})
        assert [names(one) for one in shop] == [[], ["Irish"]]

    def test_it_is_taken_from_all(self, desk, shop):
        give("Vegan", *shop)
        desk.post("/customers/tag/", {"in": "", "remove": "vegan"})
        assert not Tagging.objects.filter(removed_at__isnull=True).exists()

    def test_who_has_it_keeps_it_once(self, desk, shop):
        give("Vegan", shop[0])
        desk.post("/customers/tag/", {"in": "", "add": "vegan"})
        assert Tagging.objects.count() == 2

    def test_an_agent_may_not(self, client, shop):
        client.force_login(User.objects.create_user("x@example.com", "a long password", role=Role.AGENT))
        assert client.post("/customers/tag/", {"in": "", "add": "Vegan"}).status_code == 403


class TestLongList:
    """More than one request may change: a worker does it, and takes it back."""

    @pytest.fixture
    def long(self, shop, monkeypatch):
        monkeypatch.setattr("crm.selectors.people.MOST_AT_ONCE", 1)
        monkeypatch.setattr(bulk_tags, "BATCH", 1)
        return shop

    def work(self):
        return engine.work_off(steps=bulk_tags.STEPS, seconds=5)

    def ask(self, desk, **told):
        return desk.post("/customers/tag/", {"in": ""} | told)["Location"]

    def test_it_works(self, desk, long, manager):
        address = self.ask(desk, add="Vegan")
        assert not Tagging.objects.exists()
        assert "Waiting for a worker" in desk.get(address).content.decode()
        assert self.work() == 1
        assert [names(one) for one in long] == [["Vegan"]] * len(long)
        assert Tagging.objects.first().added_by == manager
        page = desk.get(address).content.decode()
        assert f"{len(long)} customers changed." in page
        assert "Take it back" in page

    def test_only_those_of_the_list(self, desk, long, monkeypatch):
        monkeypatch.setattr("crm.selectors.people.MOST_AT_ONCE", 0)
        desk.post("/customers/tag/", {"in": "country=Ireland", "add": "Irish"})
        self.work()
        assert [names(one) for one in long] == [[], ["Irish"]]

    def test_it_is_taken_back_from_those_who_got_it(self, desk, long):
        give("Vegan", long[0])
        address = self.ask(desk, add="Vegan")
        self.work()
        undoing = desk.post(address)["Location"]
        self.work()
        assert [names(one) for one in long] == [["Vegan"], *([[]] * (len(long) - 1))]
        assert "as they were before" in desk.get(undoing).content.decode()
        assert "It was taken back." in desk.get(address).content.decode()

    def test_what_was_taken_away_comes_back_to_those_who_had_it(self, desk, long):
        give("Vegan", long[0])
        address = self.ask(desk, remove="vegan")
        self.work()
        assert names(long[0]) == []
        desk.post(address)
        self.work()
        assert [names(one) for one in long] == [["Vegan"], *([[]] * (len(long) - 1))]

    def test_once_is_enough(self, desk, long):
        address = self.ask(desk, add="Vegan")
        early = desk.post(address)
        assert early["Location"] == address
        self.work()
        desk.post(address)
        assert desk.post(address)["Location"] == address
        assert Job.objects.filter(step=bulk_tags.UNDO).count() == 1

    def test_progress_is_told(self, desk, long):
        self.ask(desk, add="Vegan")
        job = Job.objects.get(step=bulk_tags.TAG)
        assert (job.total, job.progress.total) == (len(long), len(long))
        self.work()
        job.refresh_from_db()
        assert (job.state, job.done, job.result["changed"]) == ("done", len(long), len(long))

    def test_a_bad_name_starts_nothing(self, desk, long):
        answer = desk.post("/customers/tag/", {"in": "", "add": "x" * 99})
        assert "at most 40 letters" in answer.content.decode()
        assert not Job.objects.exists()

    def test_an_agent_may_not_see_it(self, desk, client, long):
        address = self.ask(desk, add="Vegan")
        client.force_login(User.objects.create_user("x@example.com", "a long password", role=Role.AGENT))
        assert client.get(address).status_code == 403

    def test_other_jobs_are_no_tagging(self, desk, long):
        job = Job.objects.create(step="fit", ready_at=timezone.now())
        assert desk.get(f"/customers/tag/jobs/{job.pk}/").status_code == 404


class TestNames:
    def test_capitals_and_accents_make_no_other_tag(self):
        assert tags.find_or_make(name="Café  Gifts") == tags.find_or_make(name="cafe gifts")

    def test_other_scripts_have_tags_too(self):
        one, other = tags.find_or_make(name="礼物"), tags.find_or_make(name="素食")
        assert one != other
        assert tags.find_or_make(name="礼物") == one

    @pytest.mark.parametrize("name", ["", "!", "a\0b", "a\u202eb", "x" * 41])
    def test_what_is_no_name(self, name):
        with pytest.raises(tags.BadTag):
            tags.find_or_make(name=name)
        with pytest.raises(tags.BadTag):
            tags.rename(segment_id=tags.find_or_make(name="Vegan").pk, name=name.replace("!", ""))

    def test_a_nul_in_the_form_is_told_and_no_error_of_ours(self, desk, ana):
        answer = desk.post(f"/customers/{ana.pk}/tags/", {"add": "a\0b"}, headers={"HX-Request": "true"})
        assert "A tag is a word or a few" in answer.content.decode()

    def test_there_is_an_end_to_them(self, monkeypatch):
        monkeypatch.setattr(tags, "MOST_TAGS", 1)
        tags.find_or_make(name="One")
        with pytest.raises(tags.TooManyTags):
            tags.find_or_make(name="Two")
        assert tags.find_or_make(name="one").name == "One"

    def test_renaming_keeps_the_address(self, desk, ana):
        make_night(score(ana))
        tag = give("Vegan", ana)
        assert (
            desk.post(f"/segments/tags/{tag.pk}/", {"name": "Plant based"})["Location"] == "/segments/by/needs/vegan/"
        )
        assert names(ana) == ["Plant based"]


def test_a_night_counts_who_had_the_tag_when_its_day_ended(ana):
    bo, cy = make_customer(), make_customer()
    segment = give("Vegan", ana, bo, at=noon(AS_OF - timedelta(days=3)))
    tags.remove(segment_id=segment.pk, customer_ids=[bo.pk], at=noon(AS_OF))
    give("Vegan", cy, at=noon(AS_OF + timedelta(days=1)))
    run = make_night(score(ana, clv_cents=500), score(bo, clv_cents=70), score(cy))
    before = make_night(score(ana, clv_cents=500), score(bo, clv_cents=70), as_of=AS_OF - timedelta(days=1))
    key = str(segment.pk)
    assert tag_totals.of_run(run)["segments"][key]["clv_cents"] == 500
    assert tag_totals.of_run(before)["segments"][key]["customers"] == 2
    assert tag_totals.of_run(before)["cells"][f"{key}/1"]["clv_cents"] == 570


def test_the_demo_goes_with_its_tags(ana):
    give("Vegan", ana, make_customer(source="demo"))
    clearing.clear()
    assert Tagging.objects.get().customer == ana


def test_a_tag_has_a_page_of_its_own(desk, ana):
    segment = give("Vegan", ana, at=noon(AS_OF - timedelta(days=3)))
    run = make_night(score(ana))
    run.stats["schemes"]["needs"] = tag_totals.of_run(run)
    run.save(update_fields=["stats"])
    answer = desk.get("/segments/by/needs/vegan/")
    assert [row.name for row in answer.context["best"]] == ["Ana"]
    assert answer.context["state"].customers == 1
    assert f"/segments/tags/{segment.pk}/" in answer.content.decode()

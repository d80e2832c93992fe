"""The customer list: who is in it, in which order, and what filters leave."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from analytics.scores import Name
from crm.selectors import people
from customers.models import Company, CustomField, Email
from customers.services import search
from tests.desk import AS_OF, make_night, noon, score, score_of_nobody
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
LIST = "/customers/"
TOTALS = "/customers/totals/"


def named(name, **fields):
    customer = make_customer(name=name, **fields)
    search.refresh(customer_ids=[customer.pk])
    return customer


@pytest.fixture
def shop():
    """Ana, Bo and Cy by falling value; Dot has every order returned; Eve came after the night."""
    ana, bo, cy = named("Ana", channel="search"), named("Bo", channel="search"), named("Cy", channel="friends")
    dot, eve = named("Dot"), named("Eve")
    make_night(
        score(ana, clv_cents=90_000, churn_risk=0.1, value_cents=10_000, last_age_days=5),
        score(bo, clv_cents=50_000, churn_risk=0.8, churn_band=3, segment=Name.CANT_LOSE, last_age_days=200),
        score(
            cy,
            clv_cents=10_000,
            churn_risk=0.5,
            churn_band=2,
            segment=Name.NEW,
            last_age_days=400,
            previous_segment=Name.NONE,
            segment_changed_on=AS_OF,
        ),
        score_of_nobody(dot),
    )
    return {"Ana": ana, "Bo": bo, "Cy": cy, "Dot": dot, "Eve": eve}


def names(answer):
    return [row.name for row in answer.context["listing"].rows]


def get(desk, query=""):
    return desk.get(f"{LIST}?{query}")


def test_it_works(desk, shop):
    answer = get(desk)
    page = answer.content.decode()
    assert names(answer) == ["Ana", "Bo", "Cy", "Dot", "Eve"]
    assert "$900" in page
    assert "Can&#x27;t lose" in page
    assert "No score yet" in page


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("clv", "Cy Bo Ana Dot Eve"),
        ("-clv", "Ana Bo Cy Dot Eve"),
        ("-risk", "Bo Cy Ana Dot Eve"),
        ("risk", "Ana Cy Bo Dot Eve"),
        ("-value", "Cy Bo Ana Dot Eve"),
        ("-last", "Ana Dot Bo Cy Eve"),
        ("name", "Ana Bo Cy Dot Eve"),
        ("-name", "Eve Dot Cy Bo Ana"),
        ("-orders", "Ana Bo Cy Dot Eve"),
        ("nonsense", "Ana Bo Cy Dot Eve"),
    ],
)
def test_sorts(desk, shop, sort, order):
    assert names(get(desk, f"sort={sort}")) == order.split()


def test_value_at_risk_is_what_orders_bring(desk, shop):
    """A contract goes on whatever the silence between orders says: Dora's is most of what she brings."""
    dora = named("Dora")
    run = make_night(
        score(dora, clv_cents=900_000, contract_cents=880_000, churn_band=3),
        score(shop["Bo"], clv_cents=50_000, churn_band=3),
        score(shop["Cy"], clv_cents=10_000, churn_band=2),
        revision=2,
    )
    run.stats |= {"contracts": {"contracts": 1}}
    run.save(update_fields=["stats"])
    answer = get(desk, "risk=high&risk=medium&sort=-orders")
    assert names(answer) == ["Bo", "Dora", "Cy"]
    assert "$8,800 from contracts" in answer.content.decode()
    found = answer.context["query"]
    first = people.listing(found, cursor="", size=1)
    second = people.listing(found, cursor=first.next, size=1)
    assert [row.name for row in (*first.rows, *second.rows)] == ["Bo", "Dora"]
    assert people.neighbours(found, pk=dora.pk) == (shop["Bo"].pk, shop["Cy"].pk)


def test_the_sorted_column_says_so(desk, shop):
    page = get(desk, "sort=clv").content.decode()
    assert page.count("aria-sort=") == 1
    assert 'aria-sort="ascending"' in page
    assert "sort=-clv" in page


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("risk=high", "Bo"),
        ("risk=high&risk=medium", "Bo Cy"),
        ("segment=cant-lose", "Bo"),
        ("segment=new&risk=low", ""),
        ("clv_min=500", "Ana Bo"),
        ("clv_max=500", "Bo Cy"),
        ("clv_min=100.01&clv_max=899.99", "Bo"),
        ("last=30", "Ana Dot"),
        ("last=older", "Cy"),
        ("left=none", "Cy"),
        ("channel=friends", "Cy"),
        ("channel=search&channel=friends", "Ana Bo Cy"),
        ("channel=search&risk=high", "Bo"),
        ("q=bo", "Bo"),
        ("risk=unheard-of", "Ana Bo Cy Dot Eve"),
        ("clv_min=much", "Ana Bo Cy Dot Eve"),
        ("clv_min=1e30", ""),
        ("clv_min=1e99", "Ana Bo Cy Dot Eve"),
    ],
)
@pytest.mark.parametrize("sort", ["-clv", "name"])
def test_filters(desk, shop, query, left, sort):
    assert sorted(names(get(desk, f"{query}&sort={sort}"))) == left.split()


def test_every_filter_has_a_chip_that_takes_it_away(desk, shop):
    answer = get(desk, "risk=high&risk=low&segment=new&q=cy&cursor=abc")
    chips = answer.context["chips"]
    assert [(chip.label, chip.value) for chip in chips] == [
        ("Search", "cy"),
        ("Churn risk", "High"),
        ("Churn risk", "Low"),
        ("Segment", "New"),
    ]
    left = parse_qs(urlsplit(chips[1].without).query)
    assert left == {"risk": ["low"], "segment": ["new"], "q": ["cy"]}


class TestSearch:
    @pytest.fixture(autouse=True)
    def lodz(self):
        company = Company.objects.create(external_id="k1", name="Kwiaty Łódź")
        person = named("Zofia Wójcik", external_id="X-77", company=company)
        Email.objects.create(customer=person, address="zofia@example.com")
        search.refresh(customer_ids=[person.pk])
        named("Other Person")

    @pytest.mark.parametrize(
        "text",
        [
            "wojcik",
            "WÓJCIK",
            "zofia wój",
            "lodz",
            "Łódź",
            "zofia@",
            "x-77",
            "zo",
            "wójcik zofia",
            "  zofia  ",
            "wó",
            "z w",
            "zofia w",
        ],
    )
    def test_it_finds(self, desk, text):
        answer = desk.get(LIST, {"q": text})
        assert names(answer) == ["Zofia Wójcik"]
        assert "zofia@example.com" in answer.content.decode()

    @pytest.mark.parametrize("text", ["zofiaa", "%", "_", "zofia%", "fi", "\\", "wojcik other"])
    def test_it_does_not_find(self, desk, text):
        assert names(desk.get(LIST, {"q": text})) == []

    def test_odd_text_is_no_error(self, desk):
        for text in ("\0", "'", '"><script>alert(1)</script>', "a" * 5000, "a " * 500):
            answer = desk.get(LIST, {"q": text})
            assert answer.status_code == 200
            assert "<script>alert(1)" not in answer.content.decode()


class TestPages:
    @pytest.fixture(autouse=True)
    def many(self, monkeypatch):
        """Nine customers on pages of four, five of them with a score."""
        monkeypatch.setattr(people, "PAGE_ROWS", 4)
        monkeypatch.setattr(people.listing, "__kwdefaults__", {"size": 4})
        everybody = [named(f"P{number}") for number in range(9)]
        make_night(*(score(one, clv_cents=1_000 * number) for number, one in enumerate(everybody[:5])))

    def test_each_customer_once_forward_and_back(self, desk):
        answer = get(desk)
        pages = [names(answer)]
        while cursor := answer.context["listing"].next:
            answer = get(desk, f"cursor={cursor}")
            pages.append(names(answer))
        assert pages == [["P4", "P3", "P2", "P1"], ["P0", "P5", "P6", "P7"], ["P8"]]
        answer = get(desk, f"cursor={answer.context['listing'].previous}")
        assert names(answer) == pages[1]

    def test_links_keep_the_filters(self, desk):
        page = get(desk, "channel=&sort=-clv&q=p").content.decode()
        (after,) = re.findall(r'href="([^"]*)" rel="next"', page)
        query = parse_qs(urlsplit(after.replace("&amp;", "&")).query)
        assert query["q"] == ["p"]
        assert query["sort"] == ["-clv"]
        assert "cursor" in query


def test_before_the_first_night_customers_are_listed_by_name(desk):
    named("Zed"), named("Amy")
    answer = get(desk)
    assert names(answer) == ["Amy", "Zed"]
    assert "No night has run yet" in answer.content.decode()


def test_an_empty_shop_says_what_to_do(desk):
    page = get(desk).content.decode()
    assert "/imports/new/" in page
    assert "ask one of them" not in page


def test_an_empty_shop_says_whom_to_ask(desk, viewer):
    desk.force_login(viewer)
    page = get(desk).content.decode()
    assert "/imports/new/" not in page
    assert "ask one of them" in page


def test_no_match_offers_to_clear(desk, shop):
    assert "Clear all filters" in get(desk, "q=nobody").content.decode()


def test_htmx_gets_the_rows_alone(desk, shop):
    part = desk.get(LIST, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Ana" in part


def test_a_restored_history_entry_gets_the_whole_page(desk, shop):
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in desk.get(LIST, headers=headers).content.decode()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "5 customers Total CLV $1.5k Average CLV $375"),
        ("risk=high", "1 customer Total CLV $500 Average CLV $500"),
        ("channel=search", "2 customers Total CLV $1.4k Average CLV $700"),
        ("q=eve", "1 customer"),
        ("q=nobody", "0 customers"),
    ],
)
def test_totals(desk, shop, query, told):
    text = re.sub(r"<[^>]+>", " ", desk.get(f"{TOTALS}?{query}").content.decode())
    assert " ".join(text.split()) == told


def test_facets_count_the_night(desk, shop):
    facets = get(desk).context["facets"]
    assert facets["risk"] == {"low": 1, "medium": 1, "high": 1}
    assert facets["segment"]["cant-lose"] == 1


def test_earlier_nights_do_not_show(desk, shop):
    make_night(score(shop["Eve"], clv_cents=1), as_of=AS_OF - timedelta(days=1), is_current=False)
    assert names(get(desk))[-1] == "Eve"


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        # business, session, user, run, channels, countries; scored, the rest, scores of the rest, customers, e-mails
        ("", 15),
        ("sort=name", 14),
        ("risk=high", 13),
        ("q=ana", 14),
    ],
)
def test_queries(desk, shop, query, queries, django_assert_num_queries):
    with django_assert_num_queries(queries):
        get(desk, query)


def test_queries_do_not_grow_with_the_rows(desk, shop, django_assert_num_queries):
    for number in range(12):
        named(f"More {number}")
    with django_assert_num_queries(15):
        get(desk)


def test_archived_customers_are_there_only_when_asked_for(desk):
    ana, bob, cid = (make_customer(name=name) for name in ("Ana", "Bob", "Cid"))
    make_night(score(ana), score(bob, clv_cents=50_000))
    for customer in (bob, cid):
        customer.archived_at = noon(AS_OF)
        customer.save(update_fields=["archived_at"])
    page = desk.get("/customers/").content.decode()
    assert "Ana" in page
    assert "Bob" not in page
    assert "Cid" not in page
    assert "Bob" not in desk.get("/search/?q=bob").content.decode()
    assert "Bob" not in desk.get("/customers/?q=bob").content.decode()
    assert "Bob" not in desk.get("/customers/?sort=name").content.decode()
    archived = desk.get("/customers/?archived=1").content.decode()
    assert "Bob" in archived
    assert "Cid" in archived
    assert ">Ana<" not in archived
    totals = desk.get("/customers/totals/").content.decode()
    assert "$200" in totals
    assert "$500" not in totals


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("custom_vip=yes", ["Ana"]),
        ("custom_vip=no", ["Bob"]),
        ("custom_tea=green", ["Bob"]),
        ("custom_nick=AN", ["Ana"]),
        ("custom_tea=water", ["Ana", "Bob", "Cid"]),
    ],
)
def test_custom_fields_are_filters(desk, query, names):
    CustomField.objects.create(key="vip", label="VIP", kind="yes_no")
    CustomField.objects.create(key="tea", label="Tea", kind="choice", choices=["green", "black"])
    CustomField.objects.create(key="nick", label="Nickname", kind="text")
    make_customer(name="Ana", custom={"vip": True, "nick": "Anni"})
    make_customer(name="Bob", custom={"vip": False, "tea": "green"})
    make_customer(name="Cid")
    page = desk.get(f"/customers/?{query}").content.decode()
    assert [name for name in ("Ana", "Bob", "Cid") if f">{name}<" in page] == names

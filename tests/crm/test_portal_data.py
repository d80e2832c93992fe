"""What customers take along: everything that is kept about them, as files."""

import csv
import io
import json
import zipfile
from datetime import date

import pytest

from crm.portal.selectors.own_data import harmless
from customers.models import Customer
from tests.crm.test_portal import earn, make_person, signed_in
from tests.desk import make_night, score
from tests.factories import make_business, make_order, make_refund

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    make_business(name="Juniper & Oak", currency="EUR")
    return make_person("Ada Lovelace", "ada@example.com")


@pytest.fixture
def client(ada):
    return signed_in(ada)


class TestOwnData:
    def files(self, client):
        answer = client.get("/me/data/")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.zip"'
        packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
        return {name: packed.read(name).decode("utf-8-sig") for name in packed.namelist()}

    def test_everything_as_json_and_csv(self, client, ada):
        order = make_order(customer=ada, external_id="A-7")
        make_refund(order=order, value_cents=500)
        earn(ada, 120)
        day = date(2026, 3, 1)
        make_night(score(ada, churn_risk=0.25), as_of=day)
        client.post("/me/profile/messages/", {"say-email": "on"})
        files = self.files(client)
        whole = json.loads(files["data.json"])
        assert whole["customer"][0]["name"] == "Ada Lovelace"
        assert [row["external_id"] for row in whole["orders"]] == ["A-7"]
        assert [row["points"] for row in whole["points"]] == [120]
        assert [(row["run__as_of"], row["churn_risk"]) for row in whole["estimates"]] == [("2026-03-01", 0.25)]
        assert [(row["channel"], row["is_given"]) for row in whole["consents"]] == [("email", True)]
        assert whole["sign_in"][0]["address"] == "ada@example.com"
        rows = list(csv.DictReader(io.StringIO(files["order_lines.csv"])))
        assert len(rows) == 1
        assert rows[0]["product_sku"]

    def test_a_cell_is_never_a_formula(self, client, ada):
        Customer.objects.filter(pk=ada.pk).update(name="=HYPERLINK(1)")
        assert "'=HYPERLINK(1)" in self.files(client)["customer.csv"]
        assert json.loads(self.files(client)["data.json"])["customer"][0]["name"] == "=HYPERLINK(1)"

    @pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
    def test_each_beginning_of_a_formula_is_harmless(self, text):
        assert harmless(text) == f"'{text}"

    def test_numbers_stay_numbers(self):
        assert harmless(-5) == -5

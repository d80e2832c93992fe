"""docs/api.md as somebody new would follow it: each curl command in turn, and each answer that it shows."""

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from customers.models import Customer, Order, Refund
from loyalty.models import Programme
from tests.api.callers import Caller, make_key

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
COMMAND = re.compile(r"```sh\n# (\d{3})\n(curl .*?)```(?:\n\n```json\n(.*?)```)?", re.S)
NUMBERS = {"id", "customer", "order", "line", "ids"}
API = "http://testserver/api/v1"


def commands():
    return [(int(status), command, json.loads(shown or "null")) for status, command, shown in COMMAND.findall(TEXT)]


def run(command, *, key, order, customer):
    """The request that curl would send."""
    filled = command.replace("$API", API).replace("$KEY", key).replace("$ORDER", order).replace("$CUSTOMER", customer)
    words = iter(shlex.split(filled)[1:])
    method, headers, body, url = "GET", {}, b"", ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, value = next(words).split(": ", 1)
            headers[name] = value
        elif word == "--data":
            body = next(words).encode()
        else:
            url = word
    assert headers.pop("Authorization") == f"Bearer {key}"
    assert not body or headers.pop("Content-Type") == "application/json"
    address = urlsplit(url)
    return Caller(key).send(method, f"{address.path}?{address.query}", raw=body, **headers)


def without_numbers(value):
    """An answer whose ids, which differ from one database to the next, are left out."""
    if isinstance(value, list):
        return [without_numbers(one) for one in value]
    if isinstance(value, dict):
        return {name: without_numbers(one) if name not in NUMBERS else bool(one) for name, one in value.items()}
    return value


@pytest.mark.django_db
def test_every_command_does_what_the_page_says():
    key = make_key("orders", "customers", "loyalty", "analytics:read", "admin")[1]
    Programme.objects.create(opened_at=timezone.now())
    for status, command, shown in commands():
        order = Order.objects.filter(external_id="1001").first()
        customer = Customer.objects.first()
        answer = run(
            command, key=key, order=str(order.pk) if order else "", customer=str(customer.pk) if customer else ""
        )
        assert answer.status_code == status, (command, answer.content)
        if shown is not None:
            assert without_numbers(answer.json()) == without_numbers(shown), command
    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["1001", "1003"]
    assert (Customer.objects.get().name, Refund.objects.get().net_cents) == ("Ada King", 995)


def test_no_command_is_left_out():
    assert len(commands()) == TEXT.count("\ncurl ") == 23
    assert TEXT.count("```json") == sum(shown is not None for _, _, shown in commands())

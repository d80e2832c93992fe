"""Every field of every model, sent to every operation that writes: what is not declared is refused by its name."""

import copy
from itertools import count

import pytest
from django.apps import apps

from core.api.description import document
from core.models import Webhook
from tests.api.callers import caller
from tests.api.fuzz import make_shop
from tests.factories import make_customer

APPS = ("core", "customers", "loyalty", "analytics")
WRITTEN = ("customers", "loyalty")
DRY_RUNS = {"quote", "validate", "prices"}
MEANT = {"customer", "use"}
FIELDS = {
    name
    for app in APPS
    for model in apps.get_app_config(app).get_models()
    for field in model._meta.concrete_fields
    for name in (field.name, field.attname)
}
SCHEMAS = document()["components"]["schemas"]
WRITES = [
    (method.upper(), path, operation["requestBody"]["content"]["application/json"])
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if "requestBody" in operation
]
NAMES = [f"{method} {path}" for method, path, _ in WRITES]
WITHOUT_BODY = [
    path for path, methods in document()["paths"].items() if "post" in methods and "requestBody" not in methods["post"]
]


def places(value, schema, path=()):
    """Each object in a body, as the way to it and the names that it may have."""
    schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    for part in schema.get("allOf", ()):
        yield from places(value, part, path)
    if isinstance(value, dict) and "properties" in schema:
        yield path, set(schema["properties"])
        for name, inner in value.items():
            yield from places(inner, schema["properties"].get(name, {}), (*path, name))
    if isinstance(value, list) and "items" in schema:
        for number, inner in enumerate(value):
            yield from places(inner, schema["items"], (*path, number))


def example(content):
    """A body as the description shows it; a batch that writes all of its orders or none."""
    body = next(iter(content["examples"].values()))["value"]
    return body | ({"all_or_nothing": True} if "orders" in body else {})


def everything():
    """All rows that a request may write, but keys of requests."""
    models = [model for app in WRITTEN for model in apps.get_app_config(app).get_models()]
    return {
        model: list(model.objects.order_by("pk").values_list()) for model in [*models, Webhook] if not model._meta.proxy
    }


@pytest.fixture
def send(db):
    ids, program, numbers = make_shop(), caller("admin"), count()
    # What the examples call the customer and the use of a code.
    mine = {"42": make_customer(external_id="c-2").pk, "7": ids["uses"]}

    def request(method, path, body):
        known = ids.get(path.split("/")[3], 0)
        named = {"source": "shop", "external_id": "c-9", "sku": "MUG-1", "customer": known, "code": known}
        for name in MEANT.intersection(body):
            if isinstance(body[name], str):
                body = body | {name: str(mine.get(body[name], body[name]))}
        url = path.format(id=known, delivery=known, **named)
        return program.send(method, url, body, Idempotency_Key=f"k-{next(numbers)}")

    return request


@pytest.mark.parametrize(("method", "path", "content"), WRITES, ids=NAMES)
def test_what_is_not_declared_is_refused(method, path, content, send):
    before, body = everything(), example(content)
    found = list(places(body, content["schema"]))
    assert found
    for way, declared in found:
        inner = sent = copy.deepcopy(body)
        for step in way:
            inner = inner[step]
        inner |= dict.fromkeys(FIELDS - declared, 1)
        answer = send(method, path, sent)
        assert answer.status_code == 400
        refused = {error["attr"] for error in answer.json()["errors"] if error["code"] == "unknown_field"}
        prefix = ".".join(map(str, way))
        assert {f"{prefix}.{name}".lstrip(".") for name in FIELDS - declared} <= refused, f"in {prefix or 'the body'}"
        assert everything() == before
    assert send(method, path, body).status_code in {200, 201}  # else the refusals above would prove nothing
    assert (everything() != before) == (path.split("/")[-2] not in DRY_RUNS and "/wallet/" not in path)


@pytest.mark.parametrize("path", WITHOUT_BODY)
def test_what_takes_no_body_takes_no_field(path, send):
    before = everything()
    for body, codes in ({"points": 5}, {"unknown_field"}), ([5], {"invalid"}):
        answer = send("POST", path, body)
        assert (answer.status_code, {error["code"] for error in answer.json()["errors"]}) == (400, codes)
    assert everything() == before


def test_there_is_much_to_refuse():
    assert len(FIELDS) > 100
    assert len(WRITES) > 25

"""The API's own description: valid, without warnings, and true about keys, errors and unknown fields."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from core.api.description import document
from tests.api.callers import Caller

METHODS = {"get", "post", "put", "patch", "delete"}


def operations():
    for path, methods in document()["paths"].items():
        for method in METHODS & set(methods):
            yield f"{method.upper()} {path}", methods[method]


@pytest.mark.django_db
def test_it_works():
    answer = Caller().get("/api/v1/schema/")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.0")


def test_it_is_valid():
    validate_schema(document())


def test_it_has_no_warnings():
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(public=True)
    assert not GENERATOR_STATS, "\n".join([*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache])


def test_every_operation_says_who_may_call_it_and_how_it_fails():
    for name, operation in operations():
        assert operation["security"] == [{"key": []}], name
        assert {"401", "403", "429", "500"} <= set(operation["responses"]), name
        for status in ("400", "401"):
            content = operation["responses"][status]["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Errors"}, name


def test_every_operation_has_a_name_a_tag_and_a_description():
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))
    for name, operation in operations():
        assert operation["tags"], name
        assert operation.get("description"), f"{name} does not say what it does"


def test_bodies_have_no_other_fields():
    for name, component in document()["components"]["schemas"].items():
        if name.endswith("Request") and component.get("type") == "object":
            assert component["additionalProperties"] is False, name

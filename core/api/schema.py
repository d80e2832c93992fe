"""The OpenAPI description: errors and the idempotency header of every operation are added here, once."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from core.api.idempotent import HEADER


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="A word for programs; it stays the same.")
    detail = serializers.CharField(help_text="A sentence for people; it may change.")
    attr = serializers.CharField(allow_null=True, help_text="The field or parameter, with dots into nested ones.")


class ErrorsSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]


READING: Final = {
    "400": "A parameter or a field is not as described.",
    "401": "The key is missing or not valid.",
    "403": "The key lacks the scope.",
    "404": "There is no such thing.",
    "405": "This address does not know the method.",
    "406": "Answers are JSON.",
    "429": "Too many requests; see Retry-After.",
    "500": "An error of ours.",
}
WRITING: Final = READING | {
    "409": "What is stored does not allow it, or somebody else is changing it.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The idempotency key was used for another request.",
}


class Schema(AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        handler = getattr(self.view, self.method.lower(), None)
        idempotency = getattr(handler, "idempotency", None)
        if idempotency is None:
            return []
        return [
            OpenApiParameter(
                HEADER,
                {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                OpenApiParameter.HEADER,
                required=idempotency == "required",
                description="A key of your own for this request. The same key again gives the same answer.",
            )
        ]

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction=direction)  # type: ignore[arg-type]
        for status, description in (READING if self.method == "GET" else WRITING).items():
            if status not in responses:
                error = self._get_response_for_code(ErrorsSerializer, status)  # type: ignore[no-untyped-call]
                responses[status] = error | {"description": description}
        return responses


class AmountInSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.Amount"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        described: dict[str, Any] = self.target.described(taken=direction == "request")
        return described


def allow_empty(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A filter without a value filters nothing. What is required needs a value."""
    for methods in result["paths"].values():
        for parameter in methods.get("get", {}).get("parameters", ()):
            is_filter = parameter["in"] == "query" and not parameter.get("required")
            if is_filter and parameter["name"] != "limit":
                parameter["allowEmptyValue"] = True
    return result


def refuse_unknown(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say of every body that we take that it has no other fields."""
    for name, component in result["components"].get("schemas", {}).items():
        if name.endswith("Request") and component.get("type") == "object":
            component["additionalProperties"] = False
    return result

"""Settings of the REST framework: closed unless the route table opens, JSON only, one shape for errors."""

from typing import Any, Final

REST_FRAMEWORK: Final[dict[str, Any]] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["core.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.AsDeclared"],
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttles.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

DRF_STANDARDIZED_ERRORS: Final[dict[str, Any]] = {"EXCEPTION_HANDLER_CLASS": "core.api.handlers.Handler"}

SPECTACULAR_SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "Perennial",
    "DESCRIPTION": (
        "Facts in, scores out. Every call carries a key: `Authorization: Bearer per_…`. Unknown fields and unknown "
        "query parameters are refused. Money is a decimal string in the business's currency, times are ISO 8601 with "
        'an offset, an `id` is a text without meaning. Errors are `{"type", "errors": [{"code", "detail", "attr"}]}`.'
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": {
        "ContractStatusEnum": "customers.models.contract.ContractTerm.Status",
        "DeliveryStateEnum": "core.models.webhook.Delivery.State",
        "JobStateEnum": "core.models.job.Job.State",
        "CostKindEnum": "customers.api.costs.KINDS",
        "OfferKindEnum": "loyalty.models.offer.Offer.Kind",
        "OrderStatusEnum": "customers.models.order.Order.Status",
        "ProductKindEnum": "customers.models.product.Product.Kind",
        "ReferralStateEnum": "loyalty.models.referral.Referral.State",
        "RewardKindEnum": "loyalty.models.reward.Reward.Kind",
        "WebhookStateEnum": "core.models.webhook.Webhook.State",
    },
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"}},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.refuse_unknown",
        "core.api.schema.allow_empty",
    ],
}

"""Who calls: `Authorization: Bearer KEY`. A person's session counts for nothing here."""

import pghistory
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core import keys
from core.api import throttles
from core.models import ApiKey

SCHEME = "Bearer"


class KeyAuthentication(BaseAuthentication):
    """Puts the key into `request.auth`; `request.user` stays nobody."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        scheme, _space, text = request.headers.get("Authorization", "").strip().partition(" ")
        if not scheme:
            return None
        at = timezone.now()
        try:
            key = keys.find(text=text.strip() if scheme.lower() == SCHEME.lower() else "", at=at)
        except keys.Refused:
            throttles.count_failure(request)
            raise AuthenticationFailed(_("The key is not valid.")) from None
        keys.note_use(key=key, at=at)
        pghistory.context(program=key.name)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="api"'


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "per_<prefix>_<secret>",
            "description": "A key from Settings → API keys, or from `manage.py create_api_key`.",
        }

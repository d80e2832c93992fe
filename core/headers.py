"""What browsers may do on our pages, beside the content security policy."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

# Passkeys are ours; nothing on these pages looks, listens, locates or takes payments.
PERMISSIONS: Final = ", ".join(
    [
        *(f"{name}=()" for name in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")),
        *(f"publickey-credentials-{name}=(self)" for name in ("create", "get")),
    ]
)


class PermissionsPolicyMiddleware:
    """Sends the Permissions-Policy header, which Django does not know."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

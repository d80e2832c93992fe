"""`@idempotent` for the methods of a view: the header `Idempotency-Key` makes a request safe to send again."""

import functools
import json
import re
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core import idempotency
from core.api.errors import Unprocessable
from core.api.views import ApiView

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
FORM: Final = re.compile(r"[\x21-\x7e]{1,255}")

Method = Callable[..., Response]


def idempotent(*, required: bool) -> Callable[[Method], Callable[..., HttpResponse | Response]]:
    """Runs the method in a transaction, once per key of the caller. Without `required` the header may be missing.

    Only what the method returns is kept. What it raises undoes the transaction and leaves the key unused.
    """

    def decorate(method: Method) -> Callable[..., HttpResponse | Response]:
        @functools.wraps(method)
        def wrapped(view: ApiView, request: Request, *args: Any, **kwargs: Any) -> HttpResponse | Response:
            key = key_of(request, required=required)
            if key is None:
                with transaction.atomic():
                    idempotency.wait_at_most(idempotency.WAIT_SECONDS)
                    return method(view, request, *args, **kwargs)
            return _once(request, key, lambda: method(view, request, *args, **kwargs))

        wrapped.idempotency = "required" if required else "optional"  # type: ignore[attr-defined]
        return wrapped

    return decorate


def key_of(request: Request, *, required: bool) -> str | None:
    """The header's value. Raises ValidationError when it is missing or cannot be one."""
    key = request.headers.get(HEADER)
    if key is None and not required:
        return None
    if key is None:
        raise _refused(_("Send a key of your own in the header %s.") % HEADER, code="required")
    if not FORM.fullmatch(key):
        raise _refused(_("The key is 1 to 255 visible ASCII characters."), code="invalid")
    return key


def _refused(detail: str, *, code: str) -> ValidationError:
    return ValidationError({HEADER: [ErrorDetail(detail, code=code)]})


def _once(request: Request, key: str, method: Callable[[], Response]) -> HttpResponse:
    asked = idempotency.fingerprint(
        str(request.method), request.get_full_path(), json.dumps(request.data, sort_keys=True, default=str)
    )
    try:
        answer = idempotency.once(
            caller=f"key:{request.auth.pk}",
            key=key,
            asked=asked,
            at=timezone.now(),
            effect=lambda: _rendered(method()),
        )
    except idempotency.Mismatch:
        raise Unprocessable(
            _("This key was used for another request. Take a new one."), code="idempotency_mismatch"
        ) from None
    headers = {REPLAYED: "true"} if answer.replayed else {}
    return HttpResponse(answer.body, status=answer.status, content_type="application/json", headers=headers)


def _rendered(response: Response) -> idempotency.Answer:
    return idempotency.Answer(status=response.status_code, body=JSONRenderer().render(response.data))

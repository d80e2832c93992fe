"""What the API says when it cannot do what it was asked: `{"type", "errors": [{"code", "detail", "attr"}]}`."""

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException


class Conflict(APIException):
    """What stands in the database does not allow it now: give a code of your own, and what to do in the detail."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = _("This cannot be done now.")


class Busy(Conflict):
    """Somebody else is at the same row."""

    default_code = "busy"
    default_detail = _("Somebody else is changing the same thing. Try again in a moment.")
    wait = 1


class Unprocessable(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "unprocessable"


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

"""The mails of a try-out without a mail server, for its admin. With one these pages are not there."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin

from core import outbox
from core.http import DeskRequest

SHOWN: Final = 50
# A mail's HTML is somebody else's page: it is shown, it does nothing, and nothing is fetched for it.
MAIL_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
IN_A_NEW_TAB: Final = '<base target="_blank">'


@never_cache
def mail_list(request: DeskRequest) -> HttpResponse:
    try:
        mails = outbox.newest(SHOWN)
    except outbox.NoSuchMail as error:
        raise Http404 from error
    return render(request, "core/outbox.html", {"mails": mails, "most": outbox.MOST_MAILS})


@never_cache
def mail_detail(request: DeskRequest, name: str) -> HttpResponse:
    return render(request, "core/outbox_mail.html", {"mail": _mail(name)})


@never_cache
@xframe_options_sameorigin
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The page's own policy gives way to a stricter one (django-csp leaves a header that is there)."""
    return HttpResponse(_mail(name).html + IN_A_NEW_TAB, headers={"Content-Security-Policy": MAIL_POLICY})


def _mail(name: str) -> outbox.Mail:
    try:
        return outbox.read(name)
    except outbox.NoSuchMail as error:
        raise Http404 from error

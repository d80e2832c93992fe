"""What customers change of themselves, how they want to hear from the shop, and their data to take along."""

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.portal.door import PortalRequest, for_customer
from crm.portal.forms import PreferencesForm, ProfileForm
from crm.portal.selectors import own_data
from customers import birthdays
from customers.models import PortalAccess
from customers.selectors import consents, people
from customers.services import consents as consenting
from customers.services import portal
from loyalty.selectors import actions
from loyalty.services import actions as actions_service
from loyalty.templatetags.points import points_of


@for_customer
def profile(request: PortalRequest) -> HttpResponse:
    form = _profile_form(request, request.POST or None)
    if form.is_valid():
        return _saved(request, form)
    return _page(request, form, _preferences_form(request))


@require_POST
@for_customer
def preferences(request: PortalRequest) -> HttpResponse:
    form = _preferences_form(request, request.POST)
    if not form.is_valid():
        return _page(request, _profile_form(request), form)
    witness = consenting.Witness(
        source="portal", at=timezone.now(), by=request.user.pk, ip=get_adapter().get_client_ip(request)
    )
    wording = _wording(request)
    with transaction.atomic():
        consenting.say(customer_id=request.customer.pk, told=form.told, wording=wording, witness=witness)
        consenting.pause(customer_id=request.customer.pk, until=form.cleaned_data["until"])
    messages.success(request, _("Saved."))
    return redirect("me:profile")


def _wording(request: PortalRequest) -> str:
    """What the boxes say yes to; kept with each answer as it was read."""
    return _("%(shop)s may send me offers and news on these ways. I can say no at any time.") % {
        "shop": request.business.name
    }


def _profile_form(request: PortalRequest, data: QueryDict | None = None) -> ProfileForm:
    customer = request.customer
    known = people.contacts(customer.pk)
    initial = {
        "name": customer.name,
        "phone": next(iter(known.phones), ""),
        "language": request.user.language,
        "time_zone": customer.time_zone,
        **customer.place._asdict(),
    }
    return ProfileForm(data, initial=initial, country=customer.country, has_birthday=bool(customer.birthday))


def _preferences_form(request: PortalRequest, data: QueryDict | None = None) -> PreferencesForm:
    given, until = consents.given(request.customer.pk), request.customer.messages_paused_until
    today = timezone.localdate()
    initial = dict.fromkeys(given, True) | {"until": until if until and until >= today else None}
    return PreferencesForm(data, initial=initial, today=today, prefix="say")


def _page(request: PortalRequest, form: ProfileForm, preferences: PreferencesForm) -> HttpResponse:
    gift = actions.for_profile(request.customer.pk)
    ways = PortalAccess.objects.filter(customer=request.customer, user__is_active=True).order_by("pk")
    context = {
        "form": form,
        "preferences": preferences,
        "wording": _wording(request),
        "birthday": birthdays.shown(request.customer.birthday),
        "ways": ways,
        "gift": gift,
        "missing": people.missing(request.customer) if gift else [],
    }
    return render(request, "me/profile.html", context)


def _saved(request: PortalRequest, form: ProfileForm) -> HttpResponse:
    told = form.cleaned_data
    language = told["language"]
    portal.change_profile(
        customer_id=request.customer.pk,
        name=told["name"],
        phone=told["phone"],
        locale=language or request.customer.locale,
        time_zone=told["time_zone"],
        birthday=told.get("birthday", ""),
        place=form.place,
    )
    request.user.language = language
    request.user.save(update_fields=["language"])
    response = redirect("me:profile")
    if language:
        translation.activate(language)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 86_400, samesite="Lax")
    messages.success(request, _thanks(request))
    return response


def _thanks(request: PortalRequest) -> str:
    """Also says what a complete profile has brought."""
    request.customer.refresh_from_db()
    given = actions_service.profile_filled(customer=request.customer, at=timezone.now())
    if given is None:
        return _("Saved.")
    points = points_of(given.points, request.programme)
    return _("Saved. You got %(points)s for your complete profile.") % {"points": points}


@for_customer
def export(request: PortalRequest) -> FileResponse:
    """Everything that is kept about the customer, as a file."""
    return FileResponse(own_data.archive(request.customer), as_attachment=True, filename="my-data.zip")

"""Staff: the list, invitations, and one page for each person."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from core import edits, keys, links, staff, staff_list, staff_mails
from core.forms.account import ResetPasswordForm
from core.forms.staff import InviteForm, RightsForm, rights_of
from core.http import DeskRequest
from core.models import User


def people(request: DeskRequest) -> HttpResponse:
    """Everybody who has or had an account; the form above the list invites somebody."""
    form = InviteForm(request.POST or None)
    if form.is_valid() and (user := _invited(form)):
        _send_invitation(request, user)
        return redirect("settings:staff_detail", pk=user.pk)
    now = timezone.now()
    rows = [(user, user.state_at(now)) for user in staff_list.people()]
    return render(request, "core/staff_list.html", {"form": form, "rows": rows, "states": User.State})


def _invited(form: InviteForm) -> User | None:
    try:
        with transaction.atomic():
            return staff.invite(**form.cleaned_data, at=timezone.now())
    except staff.StaffError as error:
        form.add_error("email", str(error))
    except IntegrityError:  # somebody else invited them in the same moment
        form.add_error("email", _("Somebody with this e-mail address has an account already."))
    return None


@never_cache
def detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One person: rights, sessions, and what an admin can do for them. The link of an invitation is shown here."""
    with transaction.atomic():
        if request.method == "POST":
            staff.lock(user_id=pk)
        person = get_object_or_404(staff_list.people(), pk=pk)
        form = RightsForm(request.POST or None, initial=rights_of(person), edited=lambda: edits.last_words(User, pk))
        is_saved = form.is_valid() and _changed(request, person, form)
    if is_saved:
        messages.success(request, _("Saved. Their sessions have ended if their rights changed."))
        return redirect("settings:staff_detail", pk=pk)
    state = person.state_at(timezone.now())
    context = {
        "person": person,
        "state": state,
        "states": User.State,
        "form": form,
        "sessions": staff_list.sessions_of(person),
        "keys": keys.of(person, at=timezone.now()),
        "link": _link(request, person) if state == User.State.INVITED else "",
    }
    return render(request, "core/staff_detail.html", context)


def _changed(request: DeskRequest, person: User, form: RightsForm) -> bool:
    rights = {name: form.cleaned_data[name] for name in ("role", "may_export")}
    try:
        staff.change(user=person, by=request.user, **rights)
    except staff.StaffError as error:
        form.add_error(None, str(error))
        return False
    return True


def act(request: DeskRequest, pk: int, action: str) -> HttpResponse:
    """One of ACTIONS on somebody; afterwards their page, or the list when they are gone."""
    person = get_object_or_404(User.objects.staff(), pk=pk)
    if action not in ACTIONS:
        raise Http404
    try:
        messages.success(request, ACTIONS[action](request, person))
    except staff.StaffError as error:
        messages.error(request, str(error))
    gone = not User.objects.filter(pk=pk).exists()
    return redirect("settings:staff_list") if gone else redirect("settings:staff_detail", pk=pk)


def _invite_again(request: DeskRequest, person: User) -> str:
    _send_invitation(request, staff.invite_again(user=person, at=timezone.now()))
    return _("There is a new link; the old one opens nothing any more.")


def _withdraw(request: DeskRequest, person: User) -> str:
    staff.withdraw(user=person)
    return _("The invitation of %s is withdrawn.") % person.email


def _deactivate(request: DeskRequest, person: User) -> str:
    staff.deactivate(user=person, by=request.user)
    return _("%s cannot sign in any more, and their sessions have ended.") % person


def _reactivate(request: DeskRequest, person: User) -> str:
    staff.reactivate(user=person)
    return _("%s can sign in again.") % person


def _end_sessions(request: DeskRequest, person: User) -> str:
    staff.end_sessions(user=person)
    return _("%s is signed out everywhere.") % person


def _reset_second_factor(request: DeskRequest, person: User) -> str:
    staff.reset_second_factor(user=person)
    return _("%s can sign in with the password alone and set up a new second factor.") % person


def _reset_password(request: DeskRequest, person: User) -> str:
    """By allauth's own form, so that the mail and its link are those of somebody who asked by themselves."""
    form = ResetPasswordForm({"email": person.email})
    if not person.is_active or not form.is_valid():
        raise staff.StaffError(_("This account is closed: reactivate it first."))
    if not staff_mails.can_send():
        raise staff.StaffError(_("No mail server is set up (EMAIL_URL), so no link can be sent."))
    form.save(request)
    return _("A link to choose a new password is on its way to %s.") % person.email


ACTIONS: Final[dict[str, Callable[[DeskRequest, User], str]]] = {
    "invite-again": _invite_again,
    "withdraw": _withdraw,
    "deactivate": _deactivate,
    "reactivate": _reactivate,
    "end-sessions": _end_sessions,
    "reset-password": _reset_password,
    "reset-second-factor": _reset_second_factor,
}


def _send_invitation(request: DeskRequest, user: User) -> None:
    link = _link(request, user)
    if staff_mails.invite(user=user, by=request.user, link=link, business=request.business):
        messages.success(request, _("An invitation is on its way to %s.") % user.email)
    else:
        messages.warning(request, _("No mail could be sent: hand the link below over yourself."))


def _link(request: DeskRequest, user: User) -> str:
    return request.build_absolute_uri(links.path(user))

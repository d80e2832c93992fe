"""Inviting somebody, and changing what they may do."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms.guarded import Guarded
from core.models import Role, User


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"))
    name = forms.CharField(label=_("Name"), max_length=150, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.AGENT)
    may_export = forms.BooleanField(
        label=_("May export"), required=False, help_text=_("Take data out as files. Admins always may.")
    )


class RightsForm(Guarded):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    may_export = forms.BooleanField(
        label=_("May export"), required=False, help_text=_("Take data out as files. Admins always may.")
    )


def rights_of(user: User) -> dict[str, object]:
    return {"role": user.role, "may_export": user.may_export}

"""Forms about a person: the first admin, and what people change of their own account."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.models import User


class FirstAdminForm(forms.Form):
    name = forms.CharField(label=_("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("Your e-mail address"),
        help_text=_("You sign in with it."),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 10 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(_("Somebody with this e-mail address has an account already."))
        return email

    def clean(self) -> dict[str, Any]:
        """The password is judged beside the name and the address, which it must not repeat."""
        entered = self.cleaned_data
        person = User(email=entered.get("email", ""), name=entered.get("name", ""))
        if "password" in entered:
            try:
                password_validation.validate_password(entered["password"], person)
            except ValidationError as error:
                self.add_error("password", error)
        return entered


class ResetPasswordForm(allauth_forms.ResetPasswordForm):
    """For staff. Customers have no passwords; a password of their own would be a second way in."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users = [user for user in self.users if not user.is_customer]
        return email


class OwnDataForm(forms.Form):
    sure = forms.BooleanField(label=_("Yes, take the demo shop away"))


class ProfileForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        language = self.fields["language"]
        if isinstance(language, forms.ChoiceField):
            language.choices = [("", _("As the browser says")), *settings.LANGUAGES]

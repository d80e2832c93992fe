from django import forms
from django.utils.translation import gettext_lazy


class ResumeForm(forms.Form):
    counts_orders = forms.ChoiceField(
        label=gettext_lazy("Orders placed during the pause"),
        choices=[("no", gettext_lazy("Earn nothing")), ("yes", gettext_lazy("Are credited now, each by its day"))],
        widget=forms.RadioSelect,
    )

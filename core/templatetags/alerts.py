"""The bell of the top bar: one indexed question for those who may open the list, none for the others."""

from django import template

from core import alerts
from core.models import User

register = template.Library()


@register.filter
def unread_alerts(user: User) -> int:
    return alerts.unread(user)

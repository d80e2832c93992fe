"""Points as people count them, with the name that the programme gives them, and the ends of what they buy."""

from django import template
from django.utils import formats

from loyalty import days
from loyalty.models import Programme

register = template.Library()
register.filter("last_day", days.last_day)
register.filter("until", days.until)


@register.filter
def points_of(number: int, programme: Programme) -> str:
    """`1 point`, `1,250 points`."""
    return f"{formats.number_format(number, 0, force_grouping=True)} {programme.called(number)}"


@register.filter
def called(programme: Programme, number: int) -> str:
    """`point` or `points`, where the number stands apart."""
    return programme.called(number)

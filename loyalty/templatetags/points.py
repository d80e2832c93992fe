"""Points as people count them, with the name that the programme gives them, and the ends of what they buy."""

from django import template
from django.utils import formats

from loyalty import days, naming
from loyalty.models.programme import Names
from loyalty.models.programme import called as called_by

register = template.Library()
register.filter("last_day", days.last_day)
register.filter("until", days.until)
register.filter("named", naming.named)


@register.filter
def points_of(number: int, row: Names) -> str:
    """`1 point`, `1,250 points`."""
    return f"{formats.number_format(number, 0, force_grouping=True)} {called_by(row, number)}"


@register.filter
def called(row: Names, number: int) -> str:
    """`point` or `points`, where the number stands apart."""
    return called_by(row, number)

"""What a customer can do for points."""

from typing import Final

from django.db.models import Exists, OuterRef

from loyalty.models import Act, Action
from loyalty.selectors import programme

PROFILE: Final = "profile"  # the code of the one action that customers' own page reports by itself


def for_profile(customer_id: int) -> Action | None:
    """The action that a complete profile is worth; None where there is none, or this customer has had it."""
    done = Act.objects.filter(action=OuterRef("pk"), customer=customer_id)
    action = Action.objects.filter(~Exists(done), code=PROFILE, is_on=True).first()
    return action if action is not None and programme.is_running() else None

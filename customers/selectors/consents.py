from customers.models import Consent


def newest(customer_id: int, *, purpose: str = Consent.Purpose.MARKETING) -> dict[str, Consent]:
    """The last word on each channel. A channel on which nothing was said is not in it: that is no."""
    said = Consent.objects.filter(customer_id=customer_id, purpose=purpose)
    return {one.channel: one for one in said.order_by("channel", "-id").distinct("channel")}


def given(customer_id: int) -> set[str]:
    """The channels on which the customer wants offers and news."""
    return {channel for channel, one in newest(customer_id).items() if one.is_given}

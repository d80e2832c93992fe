"""What the tables hold, in a form to compare: everything but keys and times of writing."""

from django.db.models import F, Sum

from customers.models import Customer, Order, OrderLine, Product, Refund, RefundLine, UnmatchedReturn


def total(model, field="net_cents"):
    return model.objects.aggregate(total=Sum(field))["total"] or 0


def net():
    """Orders less refunds less unmatched returns, in minor units."""
    return total(Order) - total(Refund) - total(UnmatchedReturn)


def facts():
    """All facts as sorted rows."""
    order = ("source", "external_id", "customer__identities__external_id", "status", "placed_at", "placed_on")
    sums = ("net_cents", "value_cents", "margin_cents", "tax_cents", "shipping_cents", "fully_refunded_on")
    line = ("order__external_id", "position", "product__sku", "quantity", "unit_price", "net_cents", "margin_cents")
    back = ("refunded_quantity", "refunded_cents")
    return {
        "orders": rows(Order, *order, *sums),
        "lines": rows(OrderLine, *line, *back, "counts", "unit_cost"),
        "refunds": rows(Refund, "order__external_id", "external_id", "refunded_on", *sums[:3]),
        "refund_lines": rows(RefundLine, "refund__external_id", "line__position", "quantity", "net_cents"),
        "unmatched": rows(UnmatchedReturn, "external_id", "position", "reason", "quantity", "net_cents"),
        "products": rows(Product, "sku", "name", "kind"),
        "customers": rows(Customer, "name", "country", "identities__external_id", "search", "sort_name"),
    }


def rows(model, *fields):
    return sorted(model.objects.values_list(*fields), key=repr)


def check():
    """Sums agree with their parts."""
    for order in Order.objects.annotate(lines_net=Sum("lines__net_cents")):
        assert order.net_cents == order.lines_net, order
    for refund in Refund.objects.annotate(parts=Sum("lines__net_cents")):
        assert refund.net_cents == refund.parts, refund
    lines = OrderLine.objects.annotate(back=Sum("refund_lines__quantity"), cents=Sum("refund_lines__net_cents"))
    for line in lines:
        assert (line.refunded_quantity, line.refunded_cents) == (line.back or 0, line.cents or 0), line
    assert not OrderLine.objects.exclude(customer=F("order__customer")).filter(order__customer__isnull=False).exists()

"""What each customer's orders are made of, by their lines: derived like the summaries, rebuilt by running again."""

from django.db import models


class Basket(models.Model):
    """The lines of a customer's orders that stand on a business date. Who has no such order has no row.

    Categories without a foreign key: one that is deleted leaves with the next night.
    """

    customer_id = models.BigIntegerField(primary_key=True)
    first_on = models.DateField()
    first_channel = models.CharField(max_length=60)  # of the first order, empty where it names none
    first_category_id = models.BigIntegerField(null=True)  # where most of the first order's money went
    main_category_id = models.BigIntegerField(null=True)  # where most of the money of all orders went
    gross_cents = models.BigIntegerField()  # as sold, before discounts
    discount_cents = models.BigIntegerField()

    class Meta:
        db_table = "analytics_basket"

    def __str__(self) -> str:
        return f"Basket of customer {self.customer_id}"


class Shelf(models.Model):
    """The category that each product had when the baskets were made: tells whose baskets another one changes."""

    product_id = models.BigIntegerField(primary_key=True)
    category_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"Product {self.product_id} in category {self.category_id}"


class MovedBasket(models.Model):
    """A customer whose basket changed because a product did, until the cohorts have seen it."""

    customer_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"Moved basket of customer {self.customer_id}"

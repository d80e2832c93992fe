"""What an admin may edit by hand. Orders and refunds are facts: they come through customers.services only."""

from django.contrib import admin

from customers.models import Category, Company, Product


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "margin_rate")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "tax_number", "payment_terms_days", "contract_ends_on")
    search_fields = ("name", "external_id")
    ordering = ("name", "id")


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("sku", "name", "kind", "category", "unit_price", "unit_cost")
    list_filter = ("kind", "category")
    search_fields = ("sku", "name")
    ordering = ("sku",)
    list_select_related = ("category",)
    readonly_fields = ("batch",)

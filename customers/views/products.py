from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import edits
from core.http import DeskRequest, wants_part
from customers.forms.product import CategoryForm, ProductForm, category_initial, initial
from customers.models import Category, Product
from customers.selectors import products as found
from customers.services import catalogue
from customers.views.pages import form_page

SOLD_DAYS = 365
HOME = ("customers:product_list", gettext_lazy("Products"))
CATEGORIES = ("customers:category_list", gettext_lazy("Categories"))


def product_list(request: DeskRequest) -> HttpResponse:
    asked = {name: request.GET.get(name, "") for name in ("category", "kind")}
    page = found.page(text=request.GET.get("q", ""), number=request.GET.get("page", "1"), **asked)
    since = timezone.localdate() - timedelta(days=SOLD_DAYS)
    context = {
        "page": page,
        "sold": found.sold(list(page), since=since),
        "categories": found.categories(),
        "kinds": Product.Kind.choices,
        "asked": asked,
    }
    return render(
        request, "customers/_products.html" if wants_part(request) else "customers/product_list.html", context
    )


def product_options(request: DeskRequest) -> HttpResponse:
    """What an input suggests: its text is the only value of the query."""
    text = str(next(iter(request.GET.values()), ""))
    products = found.search(text).order_by("name", "sku")[: found.OPTIONS]
    return render(request, "customers/_options.html", {"options": [(one.sku, one.name) for one in products]})


def product_detail(request: DeskRequest, pk: int) -> HttpResponse:
    product = get_object_or_404(Product.objects.select_related("category"), pk=pk)
    since = timezone.localdate() - timedelta(days=SOLD_DAYS)
    context = {
        "product": product,
        "sold": found.sold([product], since=since).get(pk),
        "lines": found.latest_lines(product),
    }
    return render(request, "customers/product_detail.html", context)


def product_add(request: DeskRequest) -> HttpResponse:
    form = ProductForm(request.POST or None, currency=request.business.currency)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(catalogue.add_product(item=form.item()))
        except catalogue.SkuTaken:
            form.add_error("sku", _("Another product has this SKU."))
    return form_page(request, form, title=_("Add a product"), home=HOME)


def product_edit(request: DeskRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        rows = Product.objects.select_for_update(no_key=True) if request.method == "POST" else Product.objects.all()
        product = get_object_or_404(rows, pk=pk)
        form = ProductForm(
            request.POST or None,
            initial=initial(product),
            currency=request.business.currency,
            edited=lambda: edits.last_words(Product, pk),
        )
        if request.method == "POST" and form.is_valid():
            try:
                catalogue.change_product(product_id=pk, item=form.item())
            except catalogue.SkuTaken:
                form.add_error("sku", _("Another product has this SKU."))
            else:
                messages.success(request, _("Saved."))
                return redirect(product)
    return form_page(request, form, title=_("Edit"), home=HOME, record=product)


def category_list(request: DeskRequest) -> HttpResponse:
    return render(request, "customers/category_list.html", {"categories": found.categories()})


def category_edit(request: DeskRequest, pk: int | None = None) -> HttpResponse:
    with transaction.atomic():
        rows = Category.objects.select_for_update(no_key=True) if request.method == "POST" else Category.objects.all()
        category = get_object_or_404(rows, pk=pk) if pk is not None else None
        form = CategoryForm(
            request.POST or None,
            initial=category_initial(category) if category else {},
            edited=lambda: edits.last_words(Category, pk or 0),
        )
        if request.method == "POST" and form.is_valid():
            try:
                catalogue.save_category(category_id=pk, name=form.cleaned_data["name"], margin_rate=form.rate)
            except catalogue.NameTaken:
                form.add_error("name", _("Another category has this name."))
            else:
                messages.success(request, _("Saved. Margins follow with the next night."))
                return redirect("customers:category_list")
    return form_page(request, form, title=_("Add a category"), home=CATEGORIES, record=category)

"""The routes of the API, under `/api/v1/`. What each is open to stands in crm.access."""

from django.urls import path, re_path, register_converter

from core.api.converters import IdConverter
from core.api.description import SchemaView
from core.api.views import Unknown

register_converter(IdConverter, "id")

app_name = "api"

urlpatterns = [
    path("v1/schema/", SchemaView.as_view(), name="schema"),
    re_path("", Unknown.as_view(), name="unknown"),
]

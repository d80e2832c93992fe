from django.urls import path

from analytics.views import costs, retention

app_name = "analytics"
urlpatterns = [
    path("costs/", costs.cost_list, name="cost_list"),
    path("costs/units/", costs.unit_cost_edit, name="unit_cost_edit"),
    path("costs/import/", costs.cost_import, name="cost_import"),
    path("costs/export/", costs.cost_export, name="cost_export"),
    path("retention/", retention.retention, name="retention"),
    path("retention/export/", retention.retention_export, name="retention_export"),
]

from django.urls import path

from analytics.views import contracts, costs, kpis, profit, report_card, retention

app_name = "analytics"
urlpatterns = [
    path("contracts/<int:pk>/value/", contracts.contract_value, name="contract_value"),
    path("companies/<int:pk>/contracts/", contracts.company_contracts, name="company_contracts"),
    path("costs/", costs.cost_list, name="cost_list"),
    path("costs/units/", costs.unit_cost_edit, name="unit_cost_edit"),
    path("costs/import/", costs.cost_import, name="cost_import"),
    path("costs/export/", costs.cost_export, name="cost_export"),
    path("segments/<slug:scheme>/<slug:slug>/profit/", profit.segment_profit, name="segment_profit"),
    path("kpis/", kpis.kpi_list, name="kpi_list"),
    path("kpis/<slug:slug>/", kpis.kpi_detail, name="kpi_detail"),
    path("kpis/<slug:slug>/export/", kpis.kpi_export, name="kpi_export"),
    path("retention/", retention.retention, name="retention"),
    path("retention/export/", retention.retention_export, name="retention_export"),
    path("report-card/", report_card.report_card, name="report_card"),
    path("report-card/export/", report_card.report_card_export, name="report_card_export"),
]

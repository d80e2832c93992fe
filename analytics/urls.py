from django.urls import path

from analytics.views import contracts, costs, customers, kpis, profit, report_card, retention, scenarios, value, what_if

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
    path("customers/<int:pk>/value/", customers.customer_value_course, name="customer_value_course"),
    path("value/", value.value, name="value"),
    path("value/export/", value.value_export, name="value_export"),
    path("value/drivers/export/", value.value_drivers_export, name="value_drivers_export"),
    path("report-card/", report_card.report_card, name="report_card"),
    path("what-if/", what_if.what_if, name="what_if"),
    path("what-if/scenarios/", scenarios.scenario_list, name="scenario_list"),
    path("what-if/scenarios/add/", scenarios.scenario_add, name="scenario_add"),
    path("what-if/scenarios/compare/", scenarios.scenario_compare, name="scenario_compare"),
    path("what-if/scenarios/export/", scenarios.scenario_export, name="scenario_export"),
    path("what-if/scenarios/<int:pk>/", scenarios.scenario_edit, name="scenario_edit"),
    path("what-if/scenarios/<int:pk>/delete/", scenarios.scenario_delete, name="scenario_delete"),
    path("what-if/scenarios/<int:pk>/restore/", scenarios.scenario_restore, name="scenario_restore"),
    path("report-card/export/", report_card.report_card_export, name="report_card_export"),
]

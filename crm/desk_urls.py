from django.urls import path

from crm.views import business, customers, first_run, jobs, palette, roles, segments, today

app_name = "desk"
urlpatterns = [
    path("", today.today, name="today"),
    path("welcome/", business.welcome, name="welcome"),
    path("welcome/<str:token>/", first_run.welcome_first, name="welcome_first"),
    path("own-data/", first_run.own_data_page, name="own_data"),
    path("first-steps/hide/", today.first_steps_hide, name="first_steps_hide"),
    path("settings/business/", business.business_settings, name="business"),
    path("settings/roles/", roles.roles, name="roles"),
    path("night/", today.night_status, name="night_status"),
    path("customers/", customers.customer_list, name="customer_list"),
    path("customers/totals/", customers.customer_totals, name="customer_totals"),
    path("customers/<int:pk>/", customers.customer_detail, name="customer_detail"),
    path("customers/<int:pk>/timeline/", customers.customer_timeline, name="customer_timeline"),
    path("customers/<int:pk>/neighbours/", customers.customer_neighbours, name="customer_neighbours"),
    path("segments/", segments.segment_list, name="segment_list"),
    path("segments/<slug:slug>/", segments.segment_detail, name="segment_detail"),
    path("segments/<slug:slug>/moves/", segments.segment_moves, name="segment_moves"),
    path("segments/<slug:slug>/export/", segments.segment_export, name="segment_export"),
    path("jobs/", jobs.job_list, name="job_list"),
    path("jobs/<int:pk>/", jobs.job_detail, name="job_detail"),
    path("jobs/<int:pk>/retry/", jobs.job_retry, name="job_retry"),
    path("jobs/nights/start/", jobs.run_start, name="run_start"),
    path("jobs/nights/<int:pk>/", jobs.run_detail, name="run_detail"),
    path("search/", palette.palette, name="palette"),
]

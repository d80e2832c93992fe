from django.urls import path

from analytics.views import retention

app_name = "analytics"
urlpatterns = [
    path("retention/", retention.retention, name="retention"),
    path("retention/export/", retention.retention_export, name="retention_export"),
]

from django.contrib import admin
from django.urls import include, path

from core.views import health
from crm.portal.views import referrals

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_text, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/", include("core.account_urls")),
    path("accounts/", include("allauth.urls")),
    path("api/", include("crm.api_urls")),
    path("", include("core.urls")),
    path("", include("customers.urls")),
    path("", include("loyalty.urls")),
    path("", include("analytics.urls")),
    path("me/", include("crm.portal.urls")),
    path("r/<str:code>/", referrals.invited, name="invited"),
    path("r/confirm/<str:token>/", referrals.invited_confirm, name="invited_confirm"),
    path("", include("crm.desk_urls")),
]

handler400 = "core.api.handlers.bad_request"
handler403 = "crm.views.errors.refused"
handler404 = "crm.views.errors.missing"
handler429 = "crm.views.errors.too_many"
handler500 = "core.api.handlers.server_error"

from django.urls import path

from core import language
from core.views import alerts, audit, keys, settings, staff

app_name = "settings"
urlpatterns = [
    path("language/", language.language_set, name="language_set"),
    path("settings/", settings.index, name="index"),
    path("settings/audit/", audit.audit_log, name="audit_log"),
    path("settings/api-keys/", keys.key_list, name="key_list"),
    path("settings/api-keys/new/", keys.key_create, name="key_create"),
    path("settings/api-keys/<int:pk>/revoke/", keys.key_revoke, name="key_revoke"),
    path("settings/staff/", staff.people, name="staff_list"),
    path("settings/staff/<int:pk>/", staff.detail, name="staff_detail"),
    path("settings/staff/<int:pk>/<slug:action>/", staff.act, name="staff_act"),
    path("alerts/", alerts.alert_list, name="alert_list"),
    path("alerts/read/", alerts.alert_read, name="alert_read"),
    path("alerts/mail/", alerts.alert_mail, name="alert_mail"),
]

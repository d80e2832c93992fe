from django.urls import path

from core import language
from core.views import alerts, audit, keys, outbox, settings, staff, webhooks

app_name = "settings"
urlpatterns = [
    path("language/", language.language_set, name="language_set"),
    path("settings/", settings.index, name="index"),
    path("settings/audit/", audit.audit_log, name="audit_log"),
    path("settings/api-keys/", keys.key_list, name="key_list"),
    path("settings/api-keys/new/", keys.key_create, name="key_create"),
    path("settings/api-keys/<int:pk>/revoke/", keys.key_revoke, name="key_revoke"),
    path("settings/webhooks/", webhooks.webhook_list, name="webhook_list"),
    path("settings/webhooks/new/", webhooks.webhook_create, name="webhook_create"),
    path("settings/webhooks/<int:pk>/", webhooks.webhook_detail, name="webhook_detail"),
    path("settings/webhooks/<int:pk>/edit/", webhooks.webhook_edit, name="webhook_edit"),
    path("settings/webhooks/<int:pk>/remove/", webhooks.webhook_remove, name="webhook_remove"),
    path("settings/webhooks/<int:pk>/deliveries/<int:delivery>/", webhooks.delivery_replay, name="delivery_replay"),
    path("settings/webhooks/<int:pk>/<slug:action>/", webhooks.webhook_act, name="webhook_act"),
    path("settings/staff/", staff.people, name="staff_list"),
    path("settings/staff/<int:pk>/", staff.detail, name="staff_detail"),
    path("settings/staff/<int:pk>/<slug:action>/", staff.act, name="staff_act"),
    path("outbox/", outbox.mail_list, name="mail_list"),
    path("outbox/<str:name>/", outbox.mail_detail, name="mail_detail"),
    path("outbox/<str:name>/html/", outbox.mail_html, name="mail_html"),
    path("alerts/", alerts.alert_list, name="alert_list"),
    path("alerts/read/", alerts.alert_read, name="alert_read"),
    path("alerts/mail/", alerts.alert_mail, name="alert_mail"),
]

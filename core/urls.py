from django.urls import path

from core import language
from core.views import alerts, settings

app_name = "settings"
urlpatterns = [
    path("language/", language.language_set, name="language_set"),
    path("settings/", settings.index, name="index"),
    path("alerts/", alerts.alert_list, name="alert_list"),
    path("alerts/read/", alerts.alert_read, name="alert_read"),
    path("alerts/mail/", alerts.alert_mail, name="alert_mail"),
]

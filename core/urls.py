from django.urls import path

from core.views import settings

app_name = "settings"
urlpatterns = [
    path("settings/", settings.index, name="index"),
]

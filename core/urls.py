from django.urls import path

from core import language
from core.views import settings

app_name = "settings"
urlpatterns = [
    path("language/", language.language_set, name="language_set"),
    path("settings/", settings.index, name="index"),
]

from django.urls import path

from core.views import account

urlpatterns = [
    path("profile/", account.profile, name="account_profile"),
    path("sessions/<int:pk>/end/", account.session_end, name="account_session_end"),
]

from django.urls import path

from crm.portal.views import entrance, home, orders, profile

app_name = "me"
urlpatterns = [
    path("", home.home, name="home"),
    path("orders/", orders.order_list, name="order_list"),
    path("profile/", profile.profile, name="profile"),
    path("data/", profile.export, name="export"),
    path("sign-in/", entrance.sign_in, name="sign_in"),
    path("code/", entrance.code, name="code"),
    path("sign-out/", entrance.sign_out, name="sign_out"),
]

from django.urls import path

from crm.portal.views import address, entrance, events, home, orders, profile, referrals, rewards, statement, wallet

app_name = "me"
urlpatterns = [
    path("", home.home, name="home"),
    path("notices/seen/", home.notices_seen, name="notices_seen"),
    path("rewards/", rewards.reward_list, name="reward_list"),
    path("rewards/<int:pk>/", rewards.reward_confirm, name="reward_confirm"),
    path("redemptions/<int:pk>/", rewards.redemption, name="redemption"),
    path("offers/", wallet.wallet, name="wallet"),
    path("points/", statement.statement, name="statement"),
    path("orders/", orders.order_list, name="order_list"),
    path("events/", events.event_list, name="event_list"),
    path("events/<int:pk>/", events.event_reply, name="event_reply"),
    path("friends/", referrals.referral_list, name="referral_list"),
    path("profile/", profile.profile, name="profile"),
    path("profile/messages/", profile.preferences, name="preferences"),
    path("profile/address/", address.address, name="address"),
    path("profile/address/code/", address.address_code, name="address_code"),
    path("data/", profile.export, name="export"),
    path("sign-in/", entrance.sign_in, name="sign_in"),
    path("code/", entrance.code, name="code"),
    path("sign-out/", entrance.sign_out, name="sign_out"),
]

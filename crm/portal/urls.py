from django.urls import path

from crm.portal.views import entrance, home, orders, profile, referrals, rewards, statement, wallet

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
    path("friends/", referrals.referral_list, name="referral_list"),
    path("profile/", profile.profile, name="profile"),
    path("data/", profile.export, name="export"),
    path("sign-in/", entrance.sign_in, name="sign_in"),
    path("code/", entrance.code, name="code"),
    path("sign-out/", entrance.sign_out, name="sign_out"),
]

from django.urls import path

from loyalty.views import events, redemptions, rewards, tiers, till

app_name = "loyalty"

urlpatterns = [
    path("loyalty/rewards/", rewards.reward_list, name="reward_list"),
    path("loyalty/rewards/add/", rewards.reward_add, name="reward_add"),
    path("loyalty/rewards/<int:pk>/", rewards.reward_detail, name="reward_detail"),
    path("loyalty/rewards/<int:pk>/edit/", rewards.reward_edit, name="reward_edit"),
    path("loyalty/rewards/<int:pk>/archive/", rewards.reward_archive, name="reward_archive"),
    path("loyalty/rewards/<int:pk>/codes/", rewards.reward_codes, name="reward_codes"),
    path("loyalty/redemptions/", redemptions.redemption_list, name="redemption_list"),
    path("loyalty/redemptions/mark/", redemptions.redemption_mark, name="redemption_mark"),
    path("loyalty/redemptions/<int:pk>/", redemptions.redemption_detail, name="redemption_detail"),
    path("loyalty/redemptions/<int:pk>/cancel/", redemptions.redemption_cancel, name="redemption_cancel"),
    path("loyalty/tiers/", tiers.tier_list, name="tier_list"),
    path("loyalty/tiers/rules/", tiers.tier_rules_edit, name="tier_rules"),
    path("loyalty/tiers/moves/", tiers.tier_moves, name="tier_moves"),
    path("loyalty/tiers/birthday/", tiers.birthday_gift, name="birthday_gift"),
    path("loyalty/customers/<int:pk>/tier/", tiers.tier_give, name="tier_give"),
    path("loyalty/events/", events.event_list, name="event_list"),
    path("loyalty/events/add/", events.event_add, name="event_add"),
    path("loyalty/events/<int:pk>/", events.event_detail, name="event_detail"),
    path("loyalty/events/<int:pk>/edit/", events.event_edit, name="event_edit"),
    path("loyalty/events/<int:pk>/cancel/", events.event_cancel, name="event_cancel"),
    path("loyalty/events/<int:pk>/reply/", events.event_reply, name="event_reply"),
    path("till/", till.till, name="till"),
    path("till/<int:pk>/", till.till_customer, name="till_customer"),
    path("till/<int:pk>/redeem/", till.till_redeem, name="till_redeem"),
    path("till/done/<int:pk>/", till.till_done, name="till_done"),
    path("till/done/<int:pk>/undo/", till.till_undo, name="till_undo"),
    path("till/show/<int:pk>/", till.till_show, name="till_show"),
]

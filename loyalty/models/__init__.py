from loyalty.models.perk import BirthdayGift, BirthdayGiven, Event, Reply
from loyalty.models.programme import Programme
from loyalty.models.redemption import Redemption
from loyalty.models.reward import PoolCode, Reward, RewardPrice
from loyalty.models.rule import Act, Action, Credit, EarningRule, LineCredit
from loyalty.models.tier import Move, Standing, Tier, TierNotice, TierPlan

__all__ = [
    "Act",
    "Action",
    "BirthdayGift",
    "BirthdayGiven",
    "Credit",
    "EarningRule",
    "Event",
    "LineCredit",
    "Move",
    "PoolCode",
    "Programme",
    "Redemption",
    "Reply",
    "Reward",
    "RewardPrice",
    "Standing",
    "Tier",
    "TierNotice",
    "TierPlan",
]

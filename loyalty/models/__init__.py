from loyalty.models.adjustment import Adjustment
from loyalty.models.code import Code, Use
from loyalty.models.ledger import Account, Allocation, Hold, Lot, Posting
from loyalty.models.offer import Offer
from loyalty.models.pause import Pause
from loyalty.models.perk import BirthdayGift, BirthdayGiven, Event, Reply
from loyalty.models.price_list import PriceItem, PriceList
from loyalty.models.programme import Programme
from loyalty.models.redemption import Redemption
from loyalty.models.referral import Referral, ReferralCode, ReferralInvite, ReferralPlan, ReferralStep
from loyalty.models.reward import PoolCode, Reward, RewardPrice
from loyalty.models.rule import Act, Action, Credit, EarningRule, LineCredit
from loyalty.models.tally import LotMonth, LotsLeft, PointDay, Tally
from loyalty.models.tier import Move, Standing, Tier, TierNotice, TierPlan

__all__ = [
    "Account",
    "Act",
    "Action",
    "Adjustment",
    "Allocation",
    "BirthdayGift",
    "BirthdayGiven",
    "Code",
    "Credit",
    "EarningRule",
    "Event",
    "Hold",
    "LineCredit",
    "Lot",
    "LotMonth",
    "LotsLeft",
    "Move",
    "Offer",
    "Pause",
    "PointDay",
    "PoolCode",
    "Posting",
    "PriceItem",
    "PriceList",
    "Programme",
    "Redemption",
    "Referral",
    "ReferralCode",
    "ReferralInvite",
    "ReferralPlan",
    "ReferralStep",
    "Reply",
    "Reward",
    "RewardPrice",
    "Standing",
    "Tally",
    "Tier",
    "TierNotice",
    "TierPlan",
    "Use",
]

from analytics.models.basket import Basket, MovedBasket, Shelf
from analytics.models.cohort import Cohort, CohortMember, OrderDays, PeriodCounts
from analytics.models.contract import ContractTotal, ContractValue
from analytics.models.plan import Plan, PlanAction
from analytics.models.profit import AppliedUnitCosts, ChannelMonth, Profit
from analytics.models.scenario import Scenario
from analytics.models.score import Score
from analytics.models.summary import DayTotals, PurchaseSummary

__all__ = [
    "AppliedUnitCosts",
    "Basket",
    "ChannelMonth",
    "Cohort",
    "CohortMember",
    "ContractTotal",
    "ContractValue",
    "DayTotals",
    "MovedBasket",
    "OrderDays",
    "PeriodCounts",
    "Plan",
    "PlanAction",
    "Profit",
    "PurchaseSummary",
    "Scenario",
    "Score",
    "Shelf",
]

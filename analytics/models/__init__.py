from analytics.models.basket import Basket, Shelf
from analytics.models.cohort import Cohort, CohortMember, PeriodCounts
from analytics.models.score import Score
from analytics.models.summary import DayTotals, PurchaseSummary

__all__ = ["Basket", "Cohort", "CohortMember", "DayTotals", "PeriodCounts", "PurchaseSummary", "Score", "Shelf"]

from analytics.models.score import Score
from analytics.models.summary import DayTotals, PurchaseSummary

__all__ = ["DayTotals", "PurchaseSummary", "Score"]

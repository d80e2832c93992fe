from analytics.models.basket import Basket, Shelf
from analytics.models.score import Score
from analytics.models.summary import DayTotals, PurchaseSummary

__all__ = ["Basket", "DayTotals", "PurchaseSummary", "Score", "Shelf"]

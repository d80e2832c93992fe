"""What a customer is worth and whether she is still there: numpy and scipy only, see docs/models.md."""

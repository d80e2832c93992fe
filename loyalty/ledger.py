"""The ledger of points: the only code that writes postings, lots, allocations and balances."""

"""Figures beside a peer or a floor, in one run: see README.md."""

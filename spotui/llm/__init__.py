"""The one door to every model: journal, budget, limits, retry and providers."""

"""Clips: their frames one by one, and where one shot ends and the next begins."""

"""Condition operators, one file per family, and how a condition is evaluated."""

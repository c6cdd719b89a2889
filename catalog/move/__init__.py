"""Moves services to a later version: a plan, its waves, a branch in each remote, a report."""

"""`make bench`: what things cost, as ratios in one run. Each module has a `measure()` that yields rows for the table."""

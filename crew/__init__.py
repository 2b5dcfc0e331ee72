"""Roster, events and first-mate claims will live here. Until then a job's crew is a list of names (`Job.crew`)."""

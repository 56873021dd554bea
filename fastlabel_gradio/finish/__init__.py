"""Finishing a pool: predictions of the head that are accepted at a promised precision, and the proof of that.

proof           formulas: what random checks say of a set of proposed labels
plan            formulas: how much can probably be accepted, and how many checks that takes
"""

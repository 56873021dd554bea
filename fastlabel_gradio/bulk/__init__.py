"""Bulk: a whole source embedded outside of the app, in threads or on a Ray cluster, into parts that the app takes in"""

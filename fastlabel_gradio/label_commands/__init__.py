"""The command lines of labels on their way: export, merge, backup, restore. Each is a file.

They work beside a running app or without one.
"""

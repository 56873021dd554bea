"""What the views show of a pool beside the loop: labels that may be wrong, near-duplicates, figures, the map.

Nothing here changes a label: who looks decides.
"""

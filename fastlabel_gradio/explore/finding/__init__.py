"""What the finder is made of: counts by facet, lists that stay as they were, folders, probabilities of labels."""

"""What the labeler is made of: the head that is trained in the background, who waits for a batch, changes of many labels."""

"""Would another encoder be better? Encoders compared on the labels so far."""

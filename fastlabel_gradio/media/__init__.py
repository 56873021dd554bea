"""Media: what a file holds becomes what a person sees or hears and an encoder takes in. Files are hostile until decoded.

`pictures.py` and `sounds.py` open and write them, `spectrograms.py` draws a sound, `item_file.py` opens a file with care.
Nothing here knows where an item comes from. Imports types and errors only.
"""

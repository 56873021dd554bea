"""Media: what a file holds becomes what a person sees or hears and an encoder takes in. Files are hostile until decoded.

`pictures.py` and `sounds.py` open and write them, `spectrograms.py` draws a sound, `item_file.py` opens a file with care.
How long a sound is, `pcm_lengths.py`, `flac_lengths.py`, `mp3_lengths.py`, `ogg_chains.py` and `ffmpeg_sounds.py` find.
Nothing here knows where an item comes from. Imports types and errors only.
"""

"""Media: what a file holds becomes what a person sees or hears and an encoder takes in. Files are hostile until decoded.

`pictures.py` and `sounds.py` open and write them, `spectrograms.py` draws a sound, `item_file.py` opens a file with care.
How long a sound is, `pcm_lengths.py`, `flac_lengths.py`, `mp3_lengths.py`, `ogg_chains.py` and `ffmpeg_sounds.py` find.
`pictures.py` puts together what the others know: `full_depth.py`, `tiff_samples.py` and `jpeg_xl.py` read numbers that
`deep_pictures.py` draws, `cut_off_pictures.py` saves what is there, `orientation.py` turns, `colour_profiles.py` and
`transparency.py` make RGB of it, `picture_reasons.py` says why a file is no picture.
Nothing here knows where an item comes from. Imports types and errors only.
"""

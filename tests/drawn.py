"""What a drawn figure shows, for tests of figures."""

import matplotlib as mpl

from hybridlib.languages import ordered

mpl.use("Agg")
CODES = ["zh", "de", "en", "ar"]
ORDER = ordered(CODES)


def texts(artists):
    return [artist.get_text() for artist in artists]


def heights(axes):
    return [[bar.get_height() for bar in bars] for bars in axes.containers]

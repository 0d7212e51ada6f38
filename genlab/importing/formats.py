"""The one list of formats that are read; each has a file of its own."""

from genlab.importing.imported_model import Format
from genlab.importing.nvidia import NvidiaPickle

FORMATS: tuple[Format, ...] = (NvidiaPickle(),)

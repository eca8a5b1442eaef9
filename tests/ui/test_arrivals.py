"""What goes on when layers arrive, in windows that do not stay."""

import gc
import weakref

from napari_kikuchi.ui.arrivals import Arrivals
from napari_kikuchi.ui.session import Session


def test_a_model_that_is_found_when_the_window_has_closed_is_nobodys(windowless):
    session = Session(windowless)
    arrivals, gone = Arrivals(session), weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None
    arrivals._on_sought({"kind": "vae", "weights": "abc"}, None)

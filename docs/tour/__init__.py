"""Tours of the window: what the guide tells, done by a hand on a mouse and photographed."""

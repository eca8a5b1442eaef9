"""Tours of the window: what the guide tells, done by a hand on a mouse, with a picture of each step."""

"""One of everything that can be added to optiproxy: `space`, `metric`, `algorithm`, `task`, `executor`, and a `variant`."""

"""One of everything that can be added to optiproxy: `space`, `metric`, `algorithm`, `task` and `executor`."""

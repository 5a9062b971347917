"""Work queue and the controllers: observe, decide, act, write status."""

"""The commands beside `run`, one module each. They read, print and end; only the operator writes to Lenses."""

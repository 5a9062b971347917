"""ReconcileContext queue and the controllers: observe, decide, act, write status."""

"""The keys that a reconcile is due for, and whose turn it is."""

"""For tests that change something in Lenses without a resource that could have changed meanwhile."""


def always() -> bool:
    """The precondition of a request that is wanted whatever happens."""
    return True

"""What is broken, one module per kind of fault; each scenario is a coroutine on a ``Trial``."""

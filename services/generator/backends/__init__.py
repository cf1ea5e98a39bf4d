"""One file per way to draw; each satisfies ``services.generator.ports.GeneratorBackend``."""

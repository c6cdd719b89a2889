"""Python that runs after rendering, as programs of their own."""

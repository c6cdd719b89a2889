"""Python that runs while rendering: rules for answers, filters for text, derived values."""

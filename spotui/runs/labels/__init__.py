"""A judge against what people decided: how far both agree, and criteria by which they agree more."""

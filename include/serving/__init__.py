"""The published copy of the marts: what people, pages and notebooks read, so that nobody opens the live files."""

"""The user's configuration: read, checked, edited. Imports backends, store and core."""

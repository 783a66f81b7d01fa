"""What each verb does, as plain functions: typed arguments in, a record out, nothing printed. The Python API (docs/api.md)."""

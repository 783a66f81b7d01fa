"""One YAML file a CLI, their loader, and every channel that a CLI has of its own. Imports store and core."""

"""A rendered screen and a backend's rules in, what it shows out. Imports backends (the rules) and core."""

"""Which model a task gets: names, what a prompt mentions, what is installed. Imports config, backends and core."""

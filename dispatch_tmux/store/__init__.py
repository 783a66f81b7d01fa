"""`.dispatch` on disk and `~/.dispatch`: files, journals, projects, locks, processes. Imports core."""

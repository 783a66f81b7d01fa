"""Trying an installed agent CLI on this machine: a scratch home, a model that follows a script, and a course to drive."""

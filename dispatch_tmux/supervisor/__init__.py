"""The one process that watches the workers of a project and acts on them. Imports all below, never verbs or cli."""

"""What each command does, as plain typed functions: the Python API. Imports all below, prints nothing."""

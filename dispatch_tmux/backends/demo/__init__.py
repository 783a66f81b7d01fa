"""The parts of the demo worker (`demo_worker.py`). Standard library only, and as little of it as can be: many start at once."""

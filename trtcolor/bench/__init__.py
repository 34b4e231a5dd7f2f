"""`trtcolor bench`: how long a model takes on every backend, beside the paper's Table 3.

The parent (run.py) plans, gives turns and writes down; each engine works in a process of its own
(worker.py, reached through process.py).
"""

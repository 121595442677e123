"""What people would use instead: the same conversation, written as each library's manual has it.

Each file is one bot and runs by itself: `python -m bench.peers.NAME`, settings from the environment (common.py).
"""

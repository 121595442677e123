"""What the bot withstands and how fast it is, measured on the machine at hand: `python -m bench`."""

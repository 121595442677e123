"""The command line by subject: each file holds the commands of one."""

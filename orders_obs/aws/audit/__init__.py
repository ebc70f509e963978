"""What is wrong with the alarms that an account has: read, never changed, and said in the order of what hurts most."""

"""What is particular to a framework: how to get around it, and where it keeps the route."""

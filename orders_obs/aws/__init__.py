"""What is on AWS: found, compared, changed. The only part that calls AWS with a person's or a pipeline's credentials."""

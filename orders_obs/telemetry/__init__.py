"""What runs inside the application: a request becomes one record, and the record becomes a metric sample, a span and a line."""

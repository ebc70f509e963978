"""Getting bytes out: bounded queues, OTLP over HTTP, standard output, and deadlines that hold."""

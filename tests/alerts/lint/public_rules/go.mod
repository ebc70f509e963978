module orders-obs/public-rules

go 1.24.0

require github.com/thanos-io/thanos v0.39.2

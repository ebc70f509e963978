module orders-obs/public-dashboards

go 1.26.0

require (
	github.com/jaegertracing/jaeger v1.76.0
	github.com/thanos-io/thanos v0.39.2
	github.com/traefik/traefik/v3 v3.7.13
	istio.io/istio v0.0.0-20260827124520-eed52ebb66ad
	k8s.io/ingress-nginx v0.0.0-20240708192948-52c50467d67d
)

"""What CloudWatch measures of production's resources."""

from orders_obs.dashboards.aws import aws_resources

dashboard = aws_resources()

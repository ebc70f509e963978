"""Lint of CloudWatch alarms, whoever wrote them and in whatever form: boto3, CloudFormation, Terraform."""

"""CloudWatch's metrics: that they are there, and never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.aws.fake.base import Answer, Args, Service, given, page, reads

if TYPE_CHECKING:
    from tests.aws.fake.account import FakeAccount

__all__ = ["Metrics"]

_PAGE = 500


class Metrics(Service):
    """Part of `cloudwatch`."""

    name = "cloudwatch"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self._known: set[tuple[str, str, tuple[tuple[str, str], ...]]] = set()

    def put(self, namespace: str, name: str, dimensions: dict[str, str]) -> None:
        """Somebody sent a data point."""
        self._known.add((namespace, name, tuple(sorted(dimensions.items()))))

    @reads
    def list_metrics(self, args: Args) -> Answer:
        chosen = {}
        for number, (namespace, name, dimensions) in enumerate(sorted(self._known)):
            has = dict(dimensions)
            if (
                namespace == args.get("Namespace", namespace)
                and name == args.get("MetricName", name)
                and all(
                    f["Name"] in has and f.get("Value", has[f["Name"]]) == has[f["Name"]]
                    for f in args.get("Dimensions", [])
                )
            ):
                listed = [{"Name": key, "Value": value} for key, value in dimensions]
                chosen[f"{number:09}"] = {"Namespace": namespace, "MetricName": name, "Dimensions": listed}
        found, token = page(chosen, args.get("NextToken"), _PAGE, "InvalidParameterValue")
        return {"Metrics": found} | given(NextToken=token)

    @reads
    def get_metric_data(self, args: Args) -> Answer:
        results = [
            {"Id": query["Id"], "Label": query.get("Label", query["Id"]), "Timestamps": [], "Values": [], "StatusCode": "Complete"}
            for query in args["MetricDataQueries"]
            if query.get("ReturnData", True)
        ]  # fmt: skip
        return {"MetricDataResults": results, "Messages": []}

    @reads
    def get_metric_statistics(self, args: Args) -> Answer:
        return {"Label": args["MetricName"], "Datapoints": []}

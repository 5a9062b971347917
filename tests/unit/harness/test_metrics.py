"""Counting requests by what the API server tells Prometheus."""

from harness.metrics import Metrics

TEXT = """\
# HELP apiserver_request_total Counter of requests
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="lensesconnectors",subresource="",verb="PATCH"} 3
apiserver_request_total{code="200",resource="lensesconnectors",subresource="status",verb="PATCH"} 4
apiserver_request_total{code="409",resource="lensesconnectors",subresource="status",verb="PATCH"} 1 1700000000000
apiserver_request_total{code="200",resource="leases",subresource="",verb="PUT"} 1e+02
process_open_fds 12
odd{label="a \\"quoted\\" back\\\\slash, and=comma"} NaN
"""


def test_sums_over_matching_labels() -> None:
    metrics = Metrics.parse(TEXT)
    assert metrics.requests(resource="lensesconnectors", verb="PATCH") == 8
    assert metrics.requests(resource="lensesconnectors", subresource="status") == 5
    assert metrics.requests(resource="leases") == 100
    assert metrics.requests(resource="secrets") == 0
    assert metrics.total("process_open_fds") == 12


def test_reads_escaped_label_values() -> None:
    [odd] = [sample for sample in Metrics.parse(TEXT).samples if sample.name == "odd"]
    assert odd.labels == {"label": 'a "quoted" back\\slash, and=comma'}

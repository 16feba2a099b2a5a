"""Which place in a data set each image gets."""

from tests.build.bids import Scan, names, plan

REST = """
[[rule]]
match = { name = "rest" }
as = "func/task-rest_bold"
"""


def test_runs_are_numbered_by_acquisition_time(tmp_path):
    later, earlier = Scan(5, "rest", "10:20:00", 300), Scan(9, "rest", "10:00:00", 300)
    found = plan(tmp_path, REST, later, earlier)
    assert names(found) == {91: "func/task-rest_run-1_bold", 51: "func/task-rest_run-2_bold"}

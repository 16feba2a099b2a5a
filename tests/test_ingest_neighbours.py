"""A file without a patient belongs to the session of its nearest neighbour."""

from hypothesis import given
from hypothesis import strategies as st

from qxbatch.ingest.neighbours import Neighbours

PATHS = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map("/".join)


def nearest(owned: list[tuple[str, int]], path: str) -> int:
    """Return the plan of the nearest folder with files of a plan; 0 if there is none, or if its files have several plans."""
    parts = path.split("/")
    for depth in range(len(parts) - 1, -1, -1):
        folder = parts[:depth]
        plans = {plan for other, plan in owned if other.split("/")[:depth] == folder and len(other.split("/")) > depth}
        if plans:
            return plans.pop() if len(plans) == 1 else 0
    return 0


@given(st.lists(st.tuples(PATHS, st.integers(0, 2)), max_size=8), PATHS)
def test_the_plan_is_that_of_the_nearest_folder(owned: list[tuple[str, int]], path: str) -> None:
    assert Neighbours(owned).nearest_owner(path) == nearest(owned, path)


def test_an_archive_is_a_folder() -> None:
    owned = [("x/a.zip/1", 1), ("x/b/2", 2)]
    assert Neighbours(owned).nearest_owner("x/a.zip/notes.txt") == 1
    assert Neighbours(owned).nearest_owner("x/b.zip/notes.txt") == 0


def test_memory_for_deep_paths_is_proportional_to_their_length() -> None:
    import tracemalloc

    owned = [(f"{k}/{'d/' * 2000}f", k % 2) for k in range(200)]
    tracemalloc.start()
    neighbours = Neighbours(owned)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert neighbours.nearest_owner(f"3/{'d/' * 2000}g") == 1
    assert peak < 4 * sum(len(path) for path, _ in owned)

"""Image numbers of series (docs/numbers.md)."""

from hypothesis import given
from hypothesis import strategies as st

from qxbatch.ingest.numbers import NumberRequest, assign_numbers


def dicom(*requests: NumberRequest) -> list[int]:
    return assign_numbers(requests)[0]


def test_an_image_number_is_ten_times_the_series_number() -> None:
    assert dicom(NumberRequest(3, ("1000", "1.2")), NumberRequest(747197466, ("1001", "1.3"))) == [30, 7471974660]


def test_the_earlier_of_two_series_keeps_their_series_number() -> None:
    assert dicom(NumberRequest(4, ("20200102", "1.1")), NumberRequest(4, ("20200101", "1.9"))) == [100040, 40]


def test_the_uid_decides_between_series_with_equal_start() -> None:
    assert dicom(NumberRequest(4, ("2020", "1.9")), NumberRequest(4, ("2020", "1.1"))) == [100040, 40]


def test_a_series_without_start_follows_one_with_a_start() -> None:
    assert dicom(NumberRequest(4, ("", "1.1")), NumberRequest(4, ("2020", "1.9"))) == [100040, 40]


def test_a_second_series_does_not_take_the_number_of_another_series() -> None:
    requests = (
        NumberRequest(4, ("a", "1")),
        NumberRequest(4, ("b", "2")),
        NumberRequest(10004, ("c", "3")),
        NumberRequest(4, ("d", "4")),
    )
    assert dicom(*requests) == [40, 200040, 100040, 300040]


def test_series_without_a_number_get_the_lowest_free_number_from_9001() -> None:
    requests = (NumberRequest(None, ("b", "2")), NumberRequest(9001, ("a", "1")), NumberRequest(None, ("a", "3")))
    assert dicom(*requests) == [90030, 90010, 90020]


def test_dicom_series_get_numbers_before_par_rec_pairs() -> None:
    numbers, pairs = assign_numbers(
        [NumberRequest(1001, ("2020", "1"))],
        [NumberRequest(1001, ("b.PAR",)), NumberRequest(201, ("z.PAR",)), NumberRequest(1001, ("a.PAR",))],
    )
    assert (numbers, pairs) == ([10010], [210010, 2010, 110010])


requests = st.lists(
    st.builds(
        NumberRequest,
        st.none() | st.integers(1, 40),
        st.tuples(st.sampled_from(["", "1", "2"]), st.text("01.", max_size=3)),
    ),
    max_size=30,
)


@given(requests, requests)
def test_numbers_are_unique_and_end_in_zero(
    dicom_requests: list[NumberRequest], pair_requests: list[NumberRequest]
) -> None:
    numbers, pairs = assign_numbers(dicom_requests, pair_requests)
    together = numbers + pairs
    assert len(set(together)) == len(dicom_requests) + len(pair_requests)
    assert all(n > 0 and n % 10 == 0 for n in together)


@given(
    st.lists(st.tuples(st.none() | st.integers(1, 5), st.sampled_from("abc")), unique=True, max_size=15),
    st.randoms(),
)
def test_numbers_do_not_depend_on_the_order_of_the_requests(
    parts: list[tuple[int | None, str]], random: object
) -> None:
    ordered = [NumberRequest(number, (start, f"1.{i}")) for i, (number, start) in enumerate(parts)]
    shuffled = list(ordered)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert dict(zip(ordered, dicom(*ordered), strict=True)) == dict(zip(shuffled, dicom(*shuffled), strict=True))

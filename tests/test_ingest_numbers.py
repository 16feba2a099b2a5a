"""Image numbers of series (docs/numbers.md)."""

from hypothesis import given
from hypothesis import strategies as st

from qxbatch.ingest.numbers import Claim, give_numbers


def dicom(*claims: Claim) -> list[int]:
    return give_numbers(claims)[0]


def test_an_image_number_is_ten_times_the_series_number() -> None:
    assert dicom(Claim(3, ("1000", "1.2")), Claim(747197466, ("1001", "1.3"))) == [30, 7471974660]


def test_the_earlier_of_two_series_keeps_their_series_number() -> None:
    assert dicom(Claim(4, ("20200102", "1.1")), Claim(4, ("20200101", "1.9"))) == [100040, 40]


def test_the_uid_decides_between_series_with_equal_start() -> None:
    assert dicom(Claim(4, ("2020", "1.9")), Claim(4, ("2020", "1.1"))) == [100040, 40]


def test_a_series_without_start_follows_one_with_a_start() -> None:
    assert dicom(Claim(4, ("", "1.1")), Claim(4, ("2020", "1.9"))) == [100040, 40]


def test_a_second_series_does_not_take_the_number_of_another_series() -> None:
    claims = (Claim(4, ("a", "1")), Claim(4, ("b", "2")), Claim(10004, ("c", "3")), Claim(4, ("d", "4")))
    assert dicom(*claims) == [40, 200040, 100040, 300040]


def test_series_without_a_number_get_the_lowest_free_number_from_9001() -> None:
    claims = (Claim(None, ("b", "2")), Claim(9001, ("a", "1")), Claim(None, ("a", "3")))
    assert dicom(*claims) == [90030, 90010, 90020]


def test_dicom_series_get_numbers_before_par_rec_pairs() -> None:
    numbers, pairs = give_numbers(
        [Claim(1001, ("2020", "1"))],
        [Claim(1001, ("b.PAR",)), Claim(201, ("z.PAR",)), Claim(1001, ("a.PAR",))],
    )
    assert (numbers, pairs) == ([10010], [210010, 2010, 110010])


claims = st.lists(
    st.builds(
        Claim,
        st.none() | st.integers(1, 40),
        st.tuples(st.sampled_from(["", "1", "2"]), st.text("01.", max_size=3)),
    ),
    max_size=30,
)


@given(claims, claims)
def test_numbers_are_unique_and_end_in_zero(dicom_claims: list[Claim], pair_claims: list[Claim]) -> None:
    numbers, pairs = give_numbers(dicom_claims, pair_claims)
    together = numbers + pairs
    assert len(set(together)) == len(dicom_claims) + len(pair_claims)
    assert all(n > 0 and n % 10 == 0 for n in together)


@given(
    st.lists(st.tuples(st.none() | st.integers(1, 5), st.sampled_from("abc")), unique=True, max_size=15),
    st.randoms(),
)
def test_numbers_do_not_depend_on_the_order_of_the_claims(parts: list[tuple[int | None, str]], random: object) -> None:
    ordered = [Claim(number, (start, f"1.{i}")) for i, (number, start) in enumerate(parts)]
    shuffled = list(ordered)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert dict(zip(ordered, dicom(*ordered), strict=True)) == dict(zip(shuffled, dicom(*shuffled), strict=True))

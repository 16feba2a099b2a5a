"""Replaces patients' ids and names by the session id in the texts of a session."""

from collections.abc import Callable, Iterable, Mapping

from qxbatch.folded_text import FoldedText, byte_text, folded_text
from qxbatch.identity_search import IdentitySearch, WholeSearch
from qxbatch.model import HeaderLike, Value
from qxbatch.name_search import NameSearch, possible_decodings
from qxbatch.person_name import parse_name, split_parts, without_test_words

Redact = Callable[[str], str]
"""Returns a text in which the ids and names of patients are replaced."""

FREE_TEXT_WARNING = (
    "Free text, such as series descriptions and notes, can still identify a person: look at it before you share it."
)
"""Warning for users of de-identified sessions and logs: redaction finds only ids and names."""
NAME_LEFT_OUT = "(name left out)"
"""Replaces the name of a file or packet if it is not known whether it contains the name of the patient."""
_MIN_LENGTH = 3
"""Shorter ids and names are not replaced as a whole, since ordinary words contain them."""
_PLACEHOLDERS = ("anon", "anonymous", "anonymized", "anonymised", "unknown", "none", "patient", "phantom", "test")
"""Placeholders for an id or a name. They are not replaced as a whole, since they are common words in logs."""
ID_FIELDS = ("PatientID", "OtherPatientIDs", "OtherPatientIDsSequence", "MedicalRecordLocator")
"""Header fields with ids of the patient; of a sequence, the core reads the ids of all items."""
NAME_FIELDS = (
    *("PatientName", "PatientBirthName", "OtherPatientNames"),
    *("PatientMotherBirthName", "ResponsiblePerson"),
)
"""Header fields with names of the patient and of relatives: those of the basic profile (PS3.15 table E.1-1) in group 0010."""
FREE_TEXT_FIELDS = (
    *(
        "SeriesDescription",
        "ProtocolName",
        "SequenceName",
        "StudyDescription",
        "ImageComments",
        "ImageType",
        "Modality",
    ),
    *("InstitutionName", "StationName", "Manufacturer", "ManufacturerModelName", "SoftwareVersions"),
)
"""Free text, and codes in which exporters write text. Each such field that a summary stores must be listed here: names of
patients in other fields are not replaced. Fields of identifiers and numbers are not listed: a match in them would be a
coincidence.
"""


IMAGE_TYPE_CODES = frozenset(
    {"ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "OTHER", "MIXED", "MAGNITUDE", "PHASE", "REAL", "IMAGINARY"}
    | {"MEAN", "MOSAIC", "NORM"}
)
"""Values of ImageType that can also be names. They are not replaced: programs select images by them."""


def no_redaction(text: str) -> str:
    """Return the text as it is."""
    return text


def redaction(headers: Iterable[HeaderLike], session_id: str) -> Redact:
    """Return a function that replaces the ids and names of the headers' patients by the session id; case is ignored.

    Ids and names are replaced as a whole, people's names also part by part (qxbatch.name_search). They are also found where a
    converter removed the spaces of a description. A session id in a text does not change, unless it is part of a longer id or
    whole name. A count of files (`Found 301 DICOM`) does not change, even if it is a patient's id.

    The function is `no_redaction` if the headers contain nothing to replace.
    """
    ids: dict[str, None] = {}
    names: dict[str, None] = {}
    descriptions: dict[str, None] = {}
    for header in headers:
        descriptions |= dict.fromkeys(text for field in FREE_TEXT_FIELDS for text in _texts(header, field))
        ids |= dict.fromkeys(text for field in ID_FIELDS for text in _texts(header, field))
        names |= dict.fromkeys(
            text for field in NAME_FIELDS for name in _texts(header, field) for text in possible_decodings(name)
        )
    parsed_names = [parse_name(value) for value in names]
    people = [name for name in parsed_names if name.is_real]
    # names such as `Doe^Jane^test`, without the word
    test_names = [name for name in map(without_test_words, parsed_names) if name is not None]
    # for each id or name, the orders in which its parts are searched; an empty list stands for the order in the value
    orders_by_value: dict[str, list[list[str]]] = {value: [[]] for value in ids}
    orders_by_value |= {value: [split_parts(value), split_parts(value)[::-1]] for value in names}
    orders_by_value = {value: orders for value, orders in orders_by_value.items() if _is_replaced(value)}
    if not (orders_by_value or people or test_names):
        return no_redaction
    whole_search = WholeSearch()
    for value, orders in orders_by_value.items():
        for parts in orders:
            whole_search.add(value, parts)
    search = IdentitySearch(whole_search, NameSearch(people, test_names), session_id)
    for text in descriptions:
        search.add_description(text)
    return Redaction(search, session_id)


class Redaction:
    """A function that replaces ids and names in a text by the session id."""

    def __init__(self, search: IdentitySearch, session_id: str) -> None:
        self.search = search
        self._session_id = session_id

    def __call__(self, text: str) -> str:
        """Return the text with ids and names replaced.

        The searched forms are the text without diacritics and escapes, then the text as it is, then its bytes.
        """
        text = self._replace_in_form(text, folded_text(text))
        text = self._replace_spans(text, self.search.spans(text))
        return self._replace_in_form(text, byte_text(text))

    def _replace_in_form(self, text: str, form: FoldedText | None) -> str:
        """Return the text with the ids and names replaced that are found in `form`.

        `form` is another form of the text. If it is None, the text is returned as it is.
        """
        if form is None:
            return text
        return self._replace_spans(
            text, (form.original_span(start, end) for start, end in self.search.spans(form.text))
        )

    def _replace_spans(self, text: str, spans: Iterable[tuple[int, int]]) -> str:
        """Return the text with the session id in place of each span. The spans are sorted and do not overlap."""
        pieces, place = [], 0
        for start, end in spans:
            pieces += [text[place:start], self._session_id]
            place = end
        return "".join([*pieces, text[place:]]) if pieces else text


def _is_replaced(value: str) -> bool:
    """Return whether an id, or a name as a whole, is replaced."""
    characters = [character for character in value if not (character.isspace() or character in "^=,._-")]
    return len(characters) >= _MIN_LENGTH and value.casefold() not in _PLACEHOLDERS


def _texts(header: HeaderLike, field: str) -> list[str]:
    """Return the values of a field as texts; none if the header does not have the field."""
    try:
        value = header.get(field)
    except KeyError:
        return []
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(value).strip() for value in values]


def redacted_header(header: Mapping[str, Value], redact: Redact) -> dict[str, Value]:
    """Return a header with ids and names replaced in FREE_TEXT_FIELDS; the fields of ids and names themselves are unchanged."""
    return {field: _redacted(value, redact) if field in FREE_TEXT_FIELDS else value for field, value in header.items()}


def _redacted(value: Value, redact: Redact) -> Value:
    if isinstance(value, list):
        return [item if item in IMAGE_TYPE_CODES else redact(str(item)) for item in value]
    return value if not isinstance(value, str) or value in IMAGE_TYPE_CODES else redact(value)

"""Paths of the files and folders of a session folder."""

from pathlib import Path
from typing import NamedTuple

from qxbatch.session.layout import (
    DICOM,
    DICOM_REPORT,
    IMAGE_SUFFIX,
    INBOX,
    LEDGER,
    LOG,
    NII,
    PAGE,
    PICTURES,
    QXBATCH_FOLDER,
    SESSION_TXT,
    SORTED_SUMS,
    SUMMARY,
    THUMBNAIL,
    converter_log_name,
    image_name,
    packed_name,
    picture_file,
    tsnr_picture_file,
)


class SessionPaths(NamedTuple):
    """Paths of the files and folders of one session; they may not exist."""

    folder: Path

    @property
    def session_txt(self) -> Path:
        """Return the path of session.txt."""
        return self.folder / SESSION_TXT

    @property
    def inbox(self) -> Path:
        """Return the folder of files that are not sorted; in folder mode (`--masterinbox=none`), of the user's data."""
        return self.folder / INBOX

    @property
    def dicom(self) -> Path:
        """Return the folder of the sorted series."""
        return self.folder / DICOM

    @property
    def scanner_logs(self) -> Path:
        """Return the folder of the scanner's logs."""
        return self.folder / DICOM / LOG

    @property
    def dicom_report(self) -> Path:
        """Return the path of the series table for people."""
        return self.folder / DICOM / DICOM_REPORT

    @property
    def nii(self) -> Path:
        """Return the folder of the images."""
        return self.folder / NII

    @property
    def qxbatch_folder(self) -> Path:
        """Return the folder of ledger, summary, page and pictures."""
        return self.folder / QXBATCH_FOLDER

    @property
    def ledger(self) -> Path:
        """Return the path of the ledger."""
        return self.folder / QXBATCH_FOLDER / LEDGER

    @property
    def summary(self) -> Path:
        """Return the path of the summary."""
        return self.folder / QXBATCH_FOLDER / SUMMARY

    @property
    def page(self) -> Path:
        """Return the path of the session's page."""
        return self.folder / QXBATCH_FOLDER / PAGE

    @property
    def sorted_sums(self) -> Path:
        """Return the path of the checksums of the files that sorting generated."""
        return self.folder / QXBATCH_FOLDER / SORTED_SUMS

    @property
    def pictures(self) -> Path:
        """Return the folder of the pictures of images."""
        return self.folder / QXBATCH_FOLDER / PICTURES

    @property
    def thumbnail(self) -> Path:
        """Return the path of the session's thumbnail."""
        return self.pictures / THUMBNAIL

    def series(self, n: int) -> Path:
        """Return the folder of a series that is not packed."""
        return self.folder / DICOM / str(n)

    def packed_series(self, n: int) -> Path:
        """Return the path of a packed series."""
        return self.folder / DICOM / packed_name(n)

    def converter_log(self, number: int) -> Path:
        """Return the path of a converter's log; `number` as in `layout.converter_log_name`."""
        return self.folder / DICOM / converter_log_name(number)

    def image(self, number: int, extension: str = IMAGE_SUFFIX[1:]) -> Path:
        """Return the path of an image, or of a file beside it."""
        return self.folder / NII / image_name(number, extension)

    def picture(self, number: int) -> Path:
        """Return the path of an image's picture."""
        return self.folder / QXBATCH_FOLDER / picture_file(number)

    def tsnr_picture(self, number: int) -> Path:
        """Return the path of the picture of an image's temporal SNR."""
        return self.folder / QXBATCH_FOLDER / tsnr_picture_file(number)

    def images(self) -> list[Path]:
        """Return the image files that exist, sorted by path."""
        return sorted(self.nii.glob(f"*{IMAGE_SUFFIX}"))

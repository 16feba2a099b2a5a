"""The parameters that the reference (QuNex `import_dicom`) has too, by its names and in its order."""

from qxbatch.session.layout import MASTER_INBOX
from qxbatch.settings.parameter import Form, Group, Parameter

YES_NO = ("yes", "no")
PATTERN = r"(?P<packet_name>.*?)(?i:\.zip$|\.7z$|\.tar$|\.tgz$|\.tarz$|\.tar\..*$|$)"
NAMEFORMAT = r"(?P<subject_id>.*)"

OF_REFERENCE = (
    Parameter(
        "sessionsfolder",
        "Folder that contains the session folders; a study folder is also accepted: its subfolder `sessions` is used.",
        group=Group.INPUT,
        default=".",
        metavar="DIR",
        reference="an option; the current folder by default",
        difference="It may also be the first word. For a study folder, its `sessions` is used, and a note names it.",
    ),
    Parameter(
        "sessions",
        "What to import: session ids or packet names, separated by commas. Each is a regular expression "
        "for the whole id or name. With `--masterinbox=none` (the data are in `<session>/inbox`), each is a glob for a "
        "folder name.",
        group=Group.INPUT,
        metavar="LIST",
        reference="comma-separated regular expressions for packet names, or globs for folders",
        difference="The whole session id or packet name must match, so `AP1` is not `AP10`; a comma inside brackets "
        "belongs to its expression. Needed with `masterinbox=none`.",
    ),
    Parameter(
        "masterinbox",
        "Folder in which packets wait, or `none`: the data are in `<session>/inbox`.",
        group=Group.INPUT,
        default=f"<sessionsfolder>/{MASTER_INBOX}",
        metavar="DIR|none",
        reference="the same",
    ),
    Parameter(
        "check",
        "`yes`: ask before importing; `no`: do not ask; `any`: do not ask, and end with exit status 66 if no packet is ready.",
        group=Group.INPUT,
        default="any",
        choices=("yes", "no", "any"),
        reference="`yes` waits for an answer, even without a terminal",
        difference="`yes` without a terminal is wrong usage, so that no job hangs; under `any`, nothing ready is 66.",
    ),
    Parameter(
        "pattern",
        "Regular expression that finds packets; its group `packet_name` is the packet's name.",
        group=Group.INPUT,
        default=PATTERN,
        metavar="REGEX",
        reference=r"`(?P<packet_name>.*?)(?:\.zip$|\.tar$|\.tgz$|\.tar\..*$|$)`",
        difference="The case of extensions does not matter; `.tarz` and `.7z` are included. A group `session_id` is used "
        "as `packet_name`, with a note; an expression with neither group is wrong usage.",
    ),
    Parameter(
        "nameformat",
        "Regular expression that finds `subject_id` and, if there is one, `session_name` in a packet's name "
        "(with `--masterinbox=none`, the name of a session folder).",
        group=Group.INPUT,
        default=NAMEFORMAT,
        metavar="REGEX",
        reference="the same; with `masterinbox=none` the subject ended at the first `_`",
        difference="The name format decides about the subject in both modes.",
    ),
    Parameter(
        "tool",
        "Converter; `auto` chooses one for each series.",
        group=Group.WORK,
        default="auto",
        choices=("auto", "dcm2niix", "dcm2nii", "dicm2nii"),
        reference="the same choices",
        difference="If the converter is missing, the run stops before it changes data (69), unless "
        "`--fallback` names another. `auto` never uses dicm2nii, which can produce wrong images without an error.",
    ),
    Parameter(
        "parelements",
        "How many converters run at once, at most `--n-procs` if that is given; `all`: one for each CPU this process may use.",
        group=Group.WORK,
        default="1",
        metavar="N|all",
        reference="`all` ran one process",
        difference="`all` is every CPU that affinity, the cgroup and Slurm allow.",
    ),
    Parameter(
        "logfile",
        "Table that names the subject of each packet (not the log, `--log-file`): "
        "`path:FILE|packet_name:COLUMN|subject_id:COLUMN[|session_name:COLUMN]`.",
        group=Group.INPUT,
        metavar="SPEC",
        reference="columns by number; the table was not read, so names were not replaced",
        difference="The table is read. A column is a 1-based number or a header's name; files as Excel writes them are read; "
        "keys may be short (`packetname`, `subjectid`, `sessionid`). Rows of one packet with different ids are wrong usage.",
    ),
    Parameter(
        "archive",
        "What to do with a packet once its session is written and verified. In the BIDS-App form, the default is `leave`.",
        group=Group.OUTPUT,
        default="move",
        choices=("move", "copy", "leave", "delete"),
        reference="`move` or `leave` by default, depending on the document",
        difference="`move` by default (`leave` in the BIDS-App form), only after every output is verified on disk; a "
        "name that is in use in the archive gets a number; `delete` becomes `move`, with a warning, if a series failed.",
    ),
    Parameter(
        "add_image_type",
        "How many of the last ImageType labels are added to an image's name.",
        group=Group.OUTPUT,
        default="0",
        metavar="N",
        reference="the same",
    ),
    Parameter(
        "add_json_info",
        "Fields of the converter's JSON added to each image in session.txt: `all`, or a list of "
        "TR, PEDirection, EchoSpacing, DwellTime, ReadoutDirection.",
        group=Group.OUTPUT,
        metavar="LIST",
        reference="none or `all` by default, depending on the document",
        difference="None by default; an unknown field is wrong usage, so that a misspelt one is noticed.",
    ),
    Parameter(
        "unzip",
        "Whether DICOM files that are gzipped one by one are unpacked. If not, they are sorted and listed, but not converted.",
        group=Group.WORK,
        default="yes",
        choices=YES_NO,
        reference="the same choices",
    ),
    Parameter(
        "gzip",
        "How DICOM is kept: a tar.gz for each series, a .gz for each file, or as it is.",
        group=Group.OUTPUT,
        default="folder",
        choices=("folder", "file", "no"),
        reference="the same",
    ),
    Parameter(
        "verbose",
        "`yes`: list each packet that is not ready; `no`: only count them. "
        "Even with `yes`, a long list is shortened to a count, unless `--list-all` or `--test` is given.",
        group=Group.RUN,
        default="yes",
        choices=YES_NO,
        reference="the same",
    ),
    Parameter(
        "overwrite",
        "Whether a session that has results is rebuilt.",
        group=Group.WORK,
        default="no",
        choices=YES_NO,
        form=Form.YES_NO,
        reference="old results are deleted before the run, with `masterinbox=none` the data too",
        difference="The new session is built beside the old and exchanged at the end; a file that would be a last copy "
        "moves to `archive/replaced`; source data are never deleted.",
    ),
    Parameter(
        "test",
        "Print what would be done, and stop. Nothing is written.",
        group=Group.RUN,
        default="no",
        choices=YES_NO,
        form=Form.YES_NO,
        reference="stops after the report",
    ),
    Parameter(
        "existing_structure",
        "Accepted, without effect.",
        group=Group.RUN,
        metavar="yes|no",
        form=Form.YES_NO,
        reference="accepted, without effect",
    ),
    Parameter(
        "clean_dicom_folders",
        "Accepted, without effect.",
        group=Group.RUN,
        metavar="yes|no",
        form=Form.YES_NO,
        reference="accepted, without effect",
    ),
)

//! A member that is a compressed file, such as `a.dcm.gz`.

use std::io::Read;

use super::compressed_content::{self, CompressedContent};
use super::expansion::ExpansionReader;
use super::member::{self, ProcessedMember};
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::row::{Fate, Row, RowKind, UNREADABLE};
use super::staging::{Checksums, StagedFile, StagingDir};
use super::stop::{ReadError, Stop};
use super::total_size::TotalSizeReader;
use crate::archive::kind::{self, Compression, FileKind};
use crate::archive::unpack::Unpack;
use crate::header::{Parsed, parse};

/// Bytes that are unpacked to recognise the content.
const PROBE_LENGTH: usize = 64 << 10;

/// The kind of the content.
enum ContentKind {
    /// An archive, also of an unsupported kind; data of another compression; damaged data with the name of a compressed
    /// tar.
    Archive,
    /// DICOM, PAR or REC.
    Image,
    /// Another file.
    Other,
    /// It cannot be unpacked far enough to recognise it, or it is DICOM, PAR or REC and damaged near its start.
    Damaged(String),
    /// Its start is neither DICOM, PAR nor REC, and the rest cannot be unpacked.
    Unreadable(String),
}

/// Processes a compressed member: unpacks DICOM, PAR and REC, and refuses them if they are damaged; defers archives,
/// which are opened after the other members; keeps other files compressed.
pub fn process(
    pass: &Pass<'_>,
    address: &Address,
    mut row: Row,
    data: MemberBytes<'_>,
    compression: Compression,
) -> Result<ProcessedMember, Stop> {
    match probe(pass, address, &data, compression)? {
        ContentKind::Archive => member::defer_archive(pass, address, row, data),
        ContentKind::Image => {
            unpack(pass, address, row, data, compression).map(ProcessedMember::from)
        }
        ContentKind::Damaged(reason) => {
            refuse(pass, row, data, compression, &reason).map(ProcessedMember::from)
        }
        ContentKind::Unreadable(reason) => {
            member::stage(pass, address, &mut row, data, StagingDir::Other)?;
            if row.fate == Fate::Kept {
                row.reason = format!("{}{UNREADABLE}{reason}", compression.name()).into();
            }
            Ok(row.into())
        }
        ContentKind::Other => {
            let content = compressed_content::read(pass, address, &row, &data, compression)?;
            if content.as_ref().is_some_and(CompressedContent::is_archive) {
                return member::defer_archive(pass, address, row, data);
            }
            let content = content.unwrap_or_default();
            row.has_extra_bytes = content.trailing_begins_like_images;
            row.extra_bytes_may_contain_images = content.trailing_begins_like_images;
            member::stage(pass, address, &mut row, data, StagingDir::Other)?;
            if row.fate == Fate::Kept {
                row.reason = content.why_other();
            }
            Ok(row.into())
        }
    }
}

/// Removes a member from staging; returns its row as refused.
fn refuse(
    pass: &Pass<'_>,
    mut row: Row,
    data: MemberBytes<'_>,
    compression: Compression,
    reason: &str,
) -> Result<Row, Stop> {
    data.discard(pass)?;
    row.fate = Fate::Refused;
    row.content_sha256 = None;
    row.staged = None;
    row.reason = format!("{} data: {reason}", compression.name()).into();
    Ok(row)
}

/// Returns the kind of the content, from its first [`PROBE_LENGTH`] bytes and the name of the member.
fn probe(
    pass: &Pass<'_>,
    address: &Address,
    data: &MemberBytes<'_>,
    compression: Compression,
) -> Result<ContentKind, Stop> {
    let mut start = vec![0; PROBE_LENGTH];
    let mut got = 0;
    let mut fault = None;
    match Unpack::open(compression, data.reader(pass)?) {
        Err(error) => fault = Some(crate::archive::reason(&error)),
        Ok(mut reader) => {
            while got < start.len() {
                match reader.read(start.get_mut(got..).unwrap_or_default()) {
                    Ok(0) => break,
                    Ok(count) => got += count,
                    Err(error) => {
                        fault = Some(crate::archive::reason(&error));
                        break;
                    }
                }
            }
        }
    }
    start.truncate(got);
    let name = kind::without_extension(&address.path, compression);
    // If the content is longer than the probe, its end is not known yet.
    let is_whole = fault.is_none() && got < PROBE_LENGTH;
    let end = if is_whole { start.as_slice() } else { &[] };
    let file_kind = kind::by_content_and_name(kind::of_parts(&start, end), name);
    let may_be_image = match file_kind {
        FileKind::Dicom | FileKind::Par => true,
        _ if kind::is_rec(name) => true,
        FileKind::Zip
        | FileKind::SevenZ
        | FileKind::Tar
        | FileKind::Packed(_)
        | FileKind::Foreign(_) => {
            return Ok(ContentKind::Archive);
        }
        FileKind::Empty => false,
        FileKind::Other => !matches!(parse(&mut start.as_slice()), Ok(Parsed::NotDicom)),
    };
    Ok(match (may_be_image, fault) {
        (true, None) => ContentKind::Image,
        (true, Some(reason)) => ContentKind::Damaged(reason),
        // A limit on memory is no damage: the member is refused, and its reason says how to pack it again.
        (false, Some(reason))
            if is_tar_name(&address.path, compression) && !reason.contains("(limit") =>
        {
            ContentKind::Archive
        }
        // The mark of DICOM ends at byte 132: with fewer bytes, it may be DICOM.
        (false, Some(reason)) if got < 132 => ContentKind::Damaged(reason),
        (false, Some(reason)) => ContentKind::Unreadable(reason),
        (false, None) => ContentKind::Other,
    })
}

/// Returns whether a name is that of a compressed tar. If such a file cannot be unpacked up to the first header, it is
/// a damaged archive.
fn is_tar_name(path: &[u8], compression: Compression) -> bool {
    const SHORT: [&[u8]; 7] = [
        b".tgz", b".tbz", b".tbz2", b".txz", b".tzst", b".tarz", b".taz",
    ];
    let inner = kind::without_extension(path, compression).to_ascii_lowercase();
    let path = path.to_ascii_lowercase();
    inner.ends_with(b".tar") || SHORT.iter().any(|end| path.ends_with(end))
}

/// The content of a compressed file.
struct UnpackedContent {
    /// All bytes, if they fit into memory; else only the first ones.
    bytes: Vec<u8>,
    /// If the bytes do not fit into memory: a file in staging with all bytes, and its checksums.
    spooled_file: Option<(StagedFile, Checksums)>,
    /// Number of bytes after the compressed data.
    trailing_bytes: u64,
    /// Whether these bytes begin like an archive, a compressed file or a DICOM file.
    trailing_begins_like_images: bool,
    /// Number of bytes in skippable frames of zstd, except those that packers write.
    user_bytes: u64,
}

/// Unpacks a member to its end, and stages its content or, if [`store`] decides so, its compressed bytes.
fn unpack(
    pass: &Pass<'_>,
    address: &Address,
    mut row: Row,
    data: MemberBytes<'_>,
    compression: Compression,
) -> Result<Row, Stop> {
    let unpacked = match unpack_to_end(pass, address, &row, &data, compression) {
        Ok(unpacked) => unpacked,
        Err(fault) => return refuse(pass, row, data, compression, &fault.reason_or_stop()?),
    };
    let content = if let Some((staged, checksums)) = unpacked.spooled_file {
        row.content_sha256 = Some(checksums.sha256);
        MemberBytes::Staged(staged)
    } else {
        row.content_sha256 = Some(member::hash(&unpacked.bytes));
        MemberBytes::Bytes(&unpacked.bytes, None)
    };
    let mut row = store(pass, address, row, data, content, compression)?;
    let unused = unpacked.trailing_bytes + unpacked.user_bytes;
    row.extra_bytes_may_contain_images = unpacked.trailing_begins_like_images;
    row.has_extra_bytes = row.extra_bytes_may_contain_images
        || (unused > 0 && (row.is_decompressed || row.is_gzipped));
    if row.has_extra_bytes && row.is_decompressed && row.reason.is_empty() {
        let position = if unpacked.user_bytes > 0 {
            "in or after"
        } else {
            "after"
        };
        let text = format!(
            "{unused} bytes {position} its {} data were left out",
            compression.name()
        );
        row.reason = text.into();
    }
    Ok(row)
}

/// Returns the whole unpacked content, in memory or as a file in staging. Fails with a reason if the data are damaged or
/// expand too much.
fn unpack_to_end(
    pass: &Pass<'_>,
    address: &Address,
    row: &Row,
    data: &MemberBytes<'_>,
    compression: Compression,
) -> Result<UnpackedContent, ReadError> {
    let limit = pass
        .options
        .max_ratio
        .saturating_mul(row.size.max(crate::archive::MIN_PACKED));
    let damaged = |error| ReadError::Data(crate::archive::reason(&error));
    let mut reader = Unpack::open(compression, data.reader(pass)?).map_err(damaged)?;
    let room = pass.max_in_memory.min(limit.saturating_add(1));
    let mut bytes = Vec::new();
    let content = ExpansionReader::new(&mut reader, address.expansion());
    let mut content = TotalSizeReader::new(content, pass, &address.path);
    Read::by_ref(&mut content)
        .take(room)
        .read_to_end(&mut bytes)
        .map_err(damaged)?;
    let mut spooled = None;
    if bytes.len() as u64 == pass.max_in_memory {
        let staged = address.intermediate();
        let mut whole = bytes.as_slice().chain(&mut content);
        let checksums = pass
            .staging
            .spool(&staged, &mut whole, limit, pass.monitor)?;
        spooled = Some((staged, checksums));
    }
    let size = spooled
        .as_ref()
        .map_or(bytes.len() as u64, |(_, checksums)| checksums.size);
    if size > limit {
        if let Some((staged, _)) = spooled {
            pass.staging.remove(&staged)?;
        }
        let reason = crate::archive::expands_too_much_reason(pass.options.max_ratio);
        return Err(ReadError::Data(reason));
    }
    Ok(UnpackedContent {
        bytes,
        spooled_file: spooled,
        trailing_bytes: reader.trailing_bytes(),
        trailing_begins_like_images: reader.trailing_begins_like_images(),
        user_bytes: reader.user_bytes(),
    })
}

/// Stages the content (`content`) or the compressed bytes (`packed`), and removes the other. Stages the compressed bytes
/// of DICOM in gzip without the option `gunzip`, and of kept files except PAR, REC, and DICOM whose header cannot be
/// read.
fn store(
    pass: &Pass<'_>,
    address: &Address,
    mut row: Row,
    packed: MemberBytes<'_>,
    content: MemberBytes<'_>,
    compression: Compression,
) -> Result<Row, Stop> {
    let kind = content.kind(pass)?;
    let dir = member::describe(pass, address, &mut row, &content, kind)?;
    let keep_gzip =
        compression == Compression::Gzip && !pass.options.gunzip && row.kind == RowKind::Dicom;
    let needs_content = row.is_unparsed_dicom || matches!(row.kind, RowKind::Par | RowKind::Rec);
    let keep_packed = keep_gzip || (row.fate == Fate::Kept && !needs_content);
    if keep_packed && row.fate == Fate::Kept {
        row.content_sha256 = row.sha256;
    }
    row.is_decompressed = !keep_packed;
    let (stored, other) = if keep_packed {
        (packed, content)
    } else {
        (content, packed)
    };
    row.is_gzipped = keep_gzip;
    // The bytes that are not stored are removed first: the compressed bytes of a large member have the name in staging
    // that its content may need.
    other.discard(pass)?;
    member::stage(pass, address, &mut row, stored, dir)?;
    Ok(row)
}

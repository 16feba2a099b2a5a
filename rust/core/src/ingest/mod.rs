//! One pass over the packets of a session: each member is recognised by content, checked, hashed, parsed and written
//! once.

mod batch;
mod compressed_content;
mod compressed_file;
mod compressed_member;
mod dicomdirs;
mod encrypted;
mod expansion;
mod folder;
mod generated_uids;
mod imageless;
mod kept_archives;
mod kept_dicom;
mod kept_whole;
mod left_out;
mod left_out_cause;
mod link_targets;
mod member;
mod member_bytes;
mod names;
mod nested;
mod pass;
mod passwords;
mod place;
mod plain_file;
mod process;
mod reading;
mod row;
mod scratch;
mod sevenz_members;
mod spool;
mod staging;
mod stop;
mod tar_input;
mod tar_members;
mod total_size;
mod workers;
mod zip_members;

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::archive::kind::{self, FileKind};
use crate::archive::skipped::SkippedBytes;
use crate::monitor::Monitor;
use crate::notation::escape;

use self::batch::Members;
pub use self::dicomdirs::IncompleteDicomDir;
pub use self::left_out_cause::LeftOutCause;
use self::nested::MemberRows;
pub use self::pass::Options;
use self::pass::{Address, Pass};
pub use self::passwords::Passwords;
pub use self::reading::Reading;
pub use self::row::{Fate, Row, RowKind};
pub use self::stop::Stop;
pub use crate::archive::zip::deflated::DeflateStreams;

/// A packet and the prefix of its members' paths in the ledger.
#[derive(Debug, Clone)]
pub struct Packet {
    /// A folder, an archive of any kind, or a single file.
    pub path: PathBuf,
    /// Start of the paths of its members in the ledger; may be empty.
    pub prefix: Vec<u8>,
}

/// Reads packets, and writes the bytes of their members to the folder `staging`, which must not contain files of an
/// earlier call. Fails only for an error that ends the whole pass; a member that cannot be read gets a row with the fate
/// [`Fate::Refused`].
pub fn ingest(
    packets: &[Packet],
    staging: &Path,
    options: &Options,
    monitor: &Monitor,
) -> Result<Reading, Stop> {
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let no_thread = io::Error::new(io::ErrorKind::WouldBlock, "Cannot start a thread");
    let pool = pool.map_err(|_| Stop::io(staging, no_thread))?;
    let pass = Pass::new(options, monitor, staging, threads)?;
    let mut read_packets = Vec::new();
    let mut kept_as_one_file = Vec::new();
    pool.install(|| -> Result<(), Stop> {
        for (at, packet) in packets.iter().enumerate() {
            let address = Address::packet(&packet.prefix, at, packets.len() == 1);
            let member_rows = read_packet(&pass, &packet.path, &address)?;
            match imageless::keep_as_one_file(
                &pass,
                &packet.path,
                &packet.prefix,
                at,
                &member_rows,
            )? {
                Some(row) => kept_as_one_file.push(row),
                None => read_packets.push((packet, member_rows)),
            }
        }
        Ok(())
    })?;
    // Archives that are kept as one file are listed among the plain files beside them: the rows of a first packet without
    // a prefix.
    let plain_files = read_packets
        .first()
        .filter(|(packet, _)| packet.prefix.is_empty());
    let plain_count = plain_files.map_or(0, |(_, member_rows)| member_rows.rows.len());
    let exceeded_limit = pass.check_limits().err();
    let mut rows = Vec::new();
    let (mut damage, mut skipped) = (Vec::new(), SkippedBytes::default());
    let path_and_reason = |row: &Row| format!("{}: {}", row.ledger_path(), row.reason);
    let mut refused: Vec<String> = refused_of(&kept_as_one_file).map(path_and_reason).collect();
    for (packet, member_rows) in read_packets {
        let name = packet.path.file_name().unwrap_or(packet.path.as_os_str());
        let name = escape(name.as_bytes());
        refused.extend(refused_of(&member_rows.rows).map(path_and_reason));
        let mut packet_damage = member_rows.damage;
        if let Some(reason) = exceeded_limit
            .as_ref()
            .filter(|reason| !packet_damage.contains(reason))
        {
            packet_damage.push(reason.clone());
        }
        let with_name = |reason: String| format!("{name}: {reason}");
        damage.extend(packet_damage.into_iter().map(with_name));
        skipped.extend(SkippedBytes {
            notes: member_rows
                .skipped
                .notes
                .into_iter()
                .map(with_name)
                .collect(),
            ..member_rows.skipped
        });
        if rows.is_empty() {
            rows = member_rows.rows; // not copied: a packet may have a hundred thousand members
        } else {
            rows.extend(member_rows.rows);
        }
    }
    imageless::insert(&mut rows, plain_count, kept_as_one_file);
    let extra_bytes_note = |row: &Row| format!("{}: bytes outside its content", row.ledger_path());
    skipped.extend(SkippedBytes {
        notes: rows
            .iter()
            .filter(|row| row.has_extra_bytes)
            .map(extra_bytes_note)
            .collect(),
        may_contain_images: rows.iter().any(|row| row.extra_bytes_may_contain_images),
    });
    refused.append(&mut damage);
    let (staging, zips) = pass.into_parts();
    Reading::new(staging, zips, rows, refused, skipped)
}

fn refused_of(rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter().filter(|row| row.fate == Fate::Refused)
}

/// Reads one packet: a folder, an archive, or a single file. Fails for anything else.
fn read_packet(pass: &Pass<'_>, path: &Path, address: &Address) -> Result<MemberRows, Stop> {
    let failed = |error| Stop::io(path, error);
    // The packet itself may be a link that the user created.
    let path = &fs::canonicalize(path).map_err(failed)?;
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return MemberRows::collect(pass, folder::read(pass, path, address)?);
    }
    if !metadata.is_file() {
        return Err(failed(io::Error::new(
            io::ErrorKind::InvalidInput,
            "neither a file nor a folder",
        )));
    }
    if is_archive(path).map_err(failed)? {
        return nested::read(pass, path, address);
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    let member = folder::read_plain_file(pass, &address.member(name.as_bytes(), 1), path)?;
    MemberRows::collect(pass, Members::of(vec![member]))
}

/// Returns whether a file is an archive with members: a zip, 7z, tar or compressed tar. Any other compressed file is a
/// single member.
pub fn is_archive(path: &Path) -> io::Result<bool> {
    // A REC consists of pixels only: bytes that look like the mark of another format are coincidence.
    if kind::is_rec(path.as_os_str().as_bytes()) {
        return Ok(false);
    }
    Ok(match kind::of_file(&File::open(path)?)? {
        FileKind::Zip | FileKind::SevenZ | FileKind::Tar => true,
        FileKind::Packed(compression) => compressed_file::contains_tar(path, compression),
        _ => false,
    })
}

/// Returns the name of a file's kind (such as `dicom`, `zip`, `gzip`, `par`, `other`), by its content and, for REC and
/// parts of split archives, its name. A FIFO or device is `other`; a folder or socket is an error.
pub fn sniff(path: &Path) -> io::Result<&'static str> {
    // A FIFO must not block the caller; a link to a packet is a packet.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = rustix::fs::open(path, flags, Mode::empty())?.into();
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Ok("other");
    }
    let size = metadata.len();
    let file_kind = kind::by_content_and_name(kind::of_file(&file)?, path.as_os_str().as_bytes());
    Ok(match file_kind {
        FileKind::Dicom => "dicom",
        FileKind::Empty => "empty",
        _ if kind::is_rec(path.as_os_str().as_bytes()) => "rec",
        FileKind::Zip => "zip",
        FileKind::SevenZ => "7z",
        FileKind::Tar => "tar",
        FileKind::Packed(compression) => compression.name(),
        FileKind::Foreign(foreign) => foreign.name(),
        FileKind::Par => "par",
        FileKind::Other => {
            let mut window = crate::header::FileWindow::new(&file, size, Vec::new());
            match crate::header::parse(&mut window)? {
                crate::header::Parsed::Dicom(_) => "dicom",
                _ => "other",
            }
        }
    })
}

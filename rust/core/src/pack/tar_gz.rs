//! A folder as tar.gz: sorted names, fixed times, modes and owners, so that equal files give an equal tar. The compressed
//! bytes also depend on the level, and on the deflate streams that are copied from zips.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::splice::Splicer;
use super::{BLOCK, Failure, MAX_ONE_BUFFER, check_cancelled, gzip, write_file};
use crate::archive::tar::header::BLOCK as TAR_BLOCK;
use crate::archive::zip::deflated::DeflateStreams;
use crate::monitor::Monitor;

/// The smallest size that does not fit into the 11 octal digits of a header: 8 GiB.
const OCTAL_END: u64 = 1 << 33;
/// The end mark of a tar.
pub(super) const END: &[u8] = &[0; 2 * TAR_BLOCK];

/// One file of the archive.
struct Item {
    /// Name in the archive, with the prefix.
    name: Vec<u8>,
    /// Path on disk.
    path: PathBuf,
    /// Size in bytes when the folder was listed.
    size: u64,
}

impl Item {
    /// Returns the name without its folder.
    fn file_name(&self) -> &[u8] {
        let at = self.name.iter().rposition(|&byte| byte == b'/');
        at.map_or(&*self.name, |at| {
            self.name.get(at + 1..).unwrap_or_default()
        })
    }
}

/// Writes the files of `folder` as members `<prefix>/<name>` (`<name>` if the prefix is empty) of the tar.gz `out`;
/// returns its size in bytes.
///
/// A folder, link or special file in `folder` is an error: a series is flat. `level` 0 is the default, 1 fast, 9 small.
/// With the default, the deflate streams of files in `streams` are copied from their zips, if they are about as small.
pub fn pack_folder(
    folder: &Path,
    out: &Path,
    prefix: &str,
    level: u32,
    streams: Option<&DeflateStreams>,
    monitor: &Monitor,
) -> Result<u64, Failure> {
    let items = list(folder, prefix)?;
    let mut splicer = streams
        .filter(|streams| level == 0 && !streams.by_name.is_empty())
        .map(Splicer::open);
    let level = gzip::SERIES.or_requested(level);
    if let Some(open_splicer) = &splicer {
        let sample = items.iter().skip(items.len() / 2);
        let sample = sample.map(|item| (item.file_name(), &*item.path));
        let small = open_splicer.streams_are_small(sample, level.value());
        if !small.map_err(|error| Failure::io(folder, error))? {
            splicer = None;
        }
    }
    // Members with an extended header need a little more.
    let tar_size = items
        .iter()
        .map(|item| padded_size(item.size) + 2 * TAR_BLOCK as u64)
        .sum::<u64>()
        + END.len() as u64;
    write_file(out, |writer| {
        if tar_size <= MAX_ONE_BUFFER && splicer.is_none() {
            let mut tar = Vec::with_capacity(usize::try_from(tar_size).unwrap_or(0));
            write_all(&items, &mut tar, out, monitor, |item, tar| {
                copy(item, tar, out, monitor)
            })?;
            return gzip::compress_whole(&tar, level, out, writer);
        }
        let mut encoder =
            gzip::compressing_writer(writer, level).map_err(|error| Failure::io(out, error))?;
        write_all(&items, &mut encoder, out, monitor, |item, tar| {
            let is_spliced = match &mut splicer {
                Some(splicer) => splicer
                    .put(item.file_name(), item.size, tar)
                    .map_err(|error| Failure::io(out, error))?,
                None => false,
            };
            if is_spliced {
                Ok(())
            } else {
                copy(item, tar, out, monitor)
            }
        })?;
        encoder
            .finish()
            .map(|_| ())
            .map_err(|error| Failure::io(out, error))
    })
}

/// Returns the files of a folder, sorted by name; fails if an entry is not a regular file.
fn list(folder: &Path, prefix: &str) -> Result<Vec<Item>, Failure> {
    let failed = |error| Failure::io(folder, error);
    let mut items = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let metadata = entry
            .metadata()
            .map_err(|error| Failure::io(&path, error))?;
        if !metadata.is_file() {
            let error = io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file, it cannot be packed",
            );
            return Err(Failure::io(&path, error));
        }
        let mut name = prefix.as_bytes().to_vec();
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend(entry.file_name().into_vec());
        items.push(Item {
            name,
            path,
            size: metadata.len(),
        });
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

/// Returns a size rounded up to whole blocks.
fn padded_size(size: u64) -> u64 {
    size.div_ceil(TAR_BLOCK as u64)
        .saturating_mul(TAR_BLOCK as u64)
}

/// Returns the zeros after a file of this size.
pub(super) fn padding(size: u64) -> &'static [u8] {
    let length = usize::try_from(padded_size(size) - size).unwrap_or(0);
    END.get(..length).unwrap_or_default()
}

/// Writes all members and the end mark to `tar`. `content` writes the bytes of one file. `out` is the path of the
/// tar.gz, for errors.
fn write_all<W: Write>(
    items: &[Item],
    tar: &mut W,
    out: &Path,
    monitor: &Monitor,
    mut content: impl FnMut(&Item, &mut W) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |error| Failure::io(out, error);
    for item in items {
        check_cancelled(monitor)?;
        tar.write_all(&headers(&item.name, item.size))
            .map_err(failed)?;
        content(item, tar)?;
        tar.write_all(padding(item.size)).map_err(failed)?;
        monitor.add(1, item.size);
    }
    tar.write_all(END).map_err(failed)
}

/// Writes the bytes of a file to `tar`; fails if its size changed. `out` is the path of the tar.gz, for errors.
fn copy(item: &Item, tar: &mut dyn Write, out: &Path, monitor: &Monitor) -> Result<(), Failure> {
    let mut file = File::open(&item.path).map_err(|error| Failure::io(&item.path, error))?;
    let mut block = vec![0; usize::try_from(item.size + 1).map_or(BLOCK, |size| size.min(BLOCK))];
    let mut size = 0u64;
    loop {
        check_cancelled(monitor)?;
        let got = file
            .read(&mut block)
            .map_err(|error| Failure::io(&item.path, error))?;
        size += got as u64;
        if got == 0 || size > item.size {
            break;
        }
        tar.write_all(block.get(..got).unwrap_or_default())
            .map_err(|error| Failure::io(out, error))?;
    }
    if size == item.size {
        return Ok(());
    }
    Err(Failure::io(
        &item.path,
        io::Error::other("it changed while it was packed"),
    ))
}

/// Returns the member's header, after an extended one (pax) if ustar cannot store its name or size.
pub(super) fn headers(name: &[u8], size: u64) -> Vec<u8> {
    let mut records = Vec::new();
    let split = split_name(name);
    if split.is_none() {
        records.extend(record("path", name));
    }
    if size >= OCTAL_END {
        records.extend(record("size", size.to_string().as_bytes()));
    }
    let mut bytes = Vec::new();
    if !records.is_empty() {
        bytes.extend(ustar((&[], b"././@PaxHeader"), records.len() as u64, b'x'));
        let padding = padded_size(records.len() as u64);
        bytes.append(&mut records);
        bytes.resize(TAR_BLOCK + usize::try_from(padding).unwrap_or(0), 0);
    }
    let cut = name.get(..100).unwrap_or(name);
    bytes.extend(ustar(split.unwrap_or((&[], cut)), size, b'0'));
    bytes
}

/// Returns a record of an extended header; its length includes its own digits.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    if length.to_string().len() > rest.to_string().len() {
        length += 1;
    }
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

/// Splits a name into prefix and name of ustar, up to 155 and 100 bytes, at a slash; None if that is impossible.
fn split_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((&[], name));
    }
    let slash = name
        .iter()
        .enumerate()
        .find(|&(at, &byte)| byte == b'/' && name.len() - at - 1 <= 100)?
        .0;
    let (prefix, rest) = name.split_at(slash);
    (prefix.len() <= 155 && rest.len() > 1).then_some((prefix, rest.get(1..)?))
}

/// Returns the header block of a member, with a fixed mode, owner and time. `type_flag` is `0` for a file, `x` for an
/// extended header.
fn ustar((prefix, name): (&[u8], &[u8]), size: u64, type_flag: u8) -> [u8; TAR_BLOCK] {
    let mut block = [0u8; TAR_BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = block.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, name);
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(
        124,
        format!("{:011o}\0", if size < OCTAL_END { size } else { 0 }).as_bytes(),
    );
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[type_flag]);
    put(257, b"ustar\x0000");
    put(345, prefix);
    let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
    if let Some(place) = block.get_mut(148..156) {
        place.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::tar::header::{Header, is_header};

    #[test]
    fn headers_are_sound_for_short_long_and_longest_names() {
        for length in [1, 99, 100, 101, 200, 256, 300, 999, 5000] {
            let mut name = b"30/".to_vec();
            name.resize(length.max(4), b'x');
            let bytes = headers(&name, 5);
            assert_eq!(bytes.len() % TAR_BLOCK, 0, "{length}");
            assert!(bytes.get(..TAR_BLOCK).is_some_and(is_header), "{length}");
        }
    }

    #[test]
    fn a_record_counts_its_own_length() {
        for length in 0..2000 {
            let bytes = record("path", &vec![b'x'; length]);
            let text = String::from_utf8_lossy(&bytes);
            let stated: usize = text.split(' ').next().unwrap_or("").parse().unwrap_or(0);
            assert_eq!(stated, bytes.len());
        }
    }

    #[test]
    fn name_and_prefix_come_back_joined() {
        let name = format!("{}/{}", "p".repeat(150), "n".repeat(90));
        let split = split_name(name.as_bytes()).unwrap_or_default();
        let block = ustar(split, 7, b'0');
        let header = Header::parse(&block).map(|header| (header.name, header.size));
        assert_eq!(header, Some((name.into_bytes(), 7)));
    }
}

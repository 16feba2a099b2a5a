//! Hashes of files, of gzip content, and of the members of a tar.gz, each read to its proper end.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{BLOCK, Failure, check};
use crate::archive::kind::Packing;
use crate::archive::reason;
use crate::archive::tar::{TarReader, What};
use crate::archive::unpack::Unpack;
use crate::ingest::escape;
use crate::monitor::Monitor;

/// Length and SHA-256.
pub type Sum = (u64, [u8; 32]);

/// One file of an archive: name, length, SHA-256.
pub type Member = (Vec<u8>, u64, [u8; 32]);

fn sum(input: &mut dyn Read, monitor: &Monitor) -> Result<Result<Sum, std::io::Error>, Failure> {
    let mut block = vec![0; BLOCK];
    let mut sha = Sha256::new();
    let mut size = 0u64;
    loop {
        check(monitor)?;
        match input.read(&mut block) {
            Ok(0) => return Ok(Ok((size, sha.finalize().into()))),
            Ok(got) => {
                size += got as u64;
                sha.update(block.get(..got).unwrap_or_default());
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Length and hash of a file.
pub fn file(path: &Path, monitor: &Monitor) -> Result<Sum, Failure> {
    let failed = |error| Failure::io(path, error);
    let mut input = File::open(path).map_err(failed)?;
    let sum = sum(&mut input, monitor)?.map_err(failed)?;
    monitor.add(1, sum.0);
    Ok(sum)
}

/// Length and hash of what is inside a gzip file. Bytes behind its end are damage: nothing here writes such.
pub fn gzip(path: &Path, monitor: &Monitor) -> Result<Sum, Failure> {
    let failed = |error| Failure::io(path, error);
    let damaged = |why: &str| Failure::Damaged(format!("{}: {why}", path.display()));
    let input = File::open(path).map_err(failed)?;
    let mut unpack =
        Unpack::open(Packing::Gzip, Box::new(input)).map_err(|error| damaged(&reason(&error)))?;
    let sum = sum(&mut unpack, monitor)?.map_err(|error| damaged(&reason(&error)))?;
    if unpack.trailing() > 0 {
        return Err(damaged("other bytes stand behind its end"));
    }
    monitor.add(1, sum.0);
    Ok(sum)
}

/// Name, length and hash of each file of a tar.gz.
pub fn tar_gz(path: &Path, monitor: &Monitor) -> Result<Vec<Member>, Failure> {
    let failed = |error| Failure::io(path, error);
    let damaged = |why: &str| Failure::Damaged(format!("{}: {why}", path.display()));
    let input = File::open(path).map_err(failed)?;
    let unpack =
        Unpack::open(Packing::Gzip, Box::new(input)).map_err(|error| damaged(&reason(&error)))?;
    let mut tar = TarReader::new(unpack);
    let mut members = Vec::new();
    while let Some(mut member) = tar
        .next_member()
        .map_err(|error| damaged(&reason(&error)))?
    {
        if member.what == What::Directory {
            continue;
        }
        if member.what != What::File {
            return Err(damaged(&format!("{} is no file", escape(&member.name))));
        }
        let (size, hash) = sum(&mut tar.content(&mut member), monitor)?
            .map_err(|error| damaged(&reason(&error)))?;
        if size != member.size {
            return Err(damaged(&format!("{} is cut short", escape(&member.name))));
        }
        monitor.add(1, size);
        members.push((member.name, size, hash));
    }
    if tar.trailing() > 0 || tar.get_ref().trailing() > 0 {
        return Err(damaged("other bytes stand behind its end"));
    }
    Ok(members)
}

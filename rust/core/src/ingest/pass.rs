//! State of one pass over the packets of a session: options, limits, staging; the addresses of members.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::expansion::Expansion;
use super::kept_archives::KeptArchives;
use super::passwords::{LastPassword, Passwords};
use super::row::{Fate, Reason, Row, RowKind};
use super::staging::{StagedFile, Staging, StagingDir};
use super::stop::Stop;
use crate::archive::sevenz::aes::SharedKeyCache;
use crate::archive::{names_too_long, names_too_long_reason};
use crate::monitor::Monitor;
use crate::notation::abridged_path;

/// Options and limits of a pass.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of threads; 0 is one per usable CPU.
    pub threads: usize,
    /// Whether to decompress gzipped DICOM files.
    pub gunzip: bool,
    /// Whether to hard-link plain files (files in no archive) into staging if possible, instead of copying them.
    pub hard_link: bool,
    /// Whether to stage only the headers of DICOM files, and nothing of REC files, kept archives of supported kinds and
    /// files of no known kind; holes replace the omitted bytes. PAR files, DICOMDIRs, and DICOM files whose header
    /// cannot be read or whose pixel data are not found are staged whole.
    pub headers_only: bool,
    /// Paths of files and folders on the top level of a packet folder that are skipped.
    pub skip: Vec<PathBuf>,
    /// Limit on unpacked bytes per packed byte of an archive or member; fewer than 64 KiB packed count as 64 KiB.
    pub max_ratio: u64,
    /// Limit on the expanded bytes of all archives and compressed files together.
    pub max_bytes: u64,
    /// Limit on the members of all packets together, with those of nested archives.
    pub max_members: u64,
    /// Limit on the depth of nested archives.
    pub max_nesting: u32,
    /// Passwords to try for encrypted members.
    pub passwords: Passwords,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: 0,
            gunzip: true,
            hard_link: false,
            headers_only: false,
            skip: Vec::new(),
            max_ratio: 1000,
            max_bytes: 1 << 40,
            max_members: 5_000_000,
            max_nesting: 5,
            passwords: Passwords::default(),
        }
    }
}

/// The state of a pass, which all threads share.
pub struct Pass<'a> {
    /// The options, which include the limits.
    pub options: &'a Options,
    /// Cancellation by the caller, and progress.
    pub monitor: &'a Monitor,
    /// The folder for the members' bytes.
    pub staging: Staging,
    /// Members up to this size, in bytes, are read into memory as a whole.
    pub max_in_memory: u64,
    /// The password that last decrypted a member.
    pub last_password: LastPassword,
    /// The keys of 7z archives.
    pub key_cache: SharedKeyCache,
    /// The paths in `options.skip`, with resolved folders.
    skipped_paths: HashSet<PathBuf>,
    /// Expanded bytes of all archives and compressed files.
    expanded_bytes: AtomicU64,
    /// Number of members of all packets.
    member_count: AtomicU64,
    /// Bytes of the texts of the members; see [`Pass::count_member`].
    text_bytes: AtomicU64,
    /// The first limit that was exceeded, as a reason for the ledger.
    exceeded_limit: OnceLock<String>,
    /// The archives that were kept as one file.
    pub kept_archives: KeptArchives,
    /// Zips that remain in place.
    zips: Mutex<Vec<PathBuf>>,
}

/// Returns the path with its folder resolved, like the folder of a packet; a link itself is not resolved.
fn resolve_folder(path: &Path) -> PathBuf {
    match (path.parent().map(fs::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Adds to a saturating counter; returns the previous value.
fn add_saturating(counter: &AtomicU64, more: u64) -> u64 {
    let add = |before: u64| Some(before.saturating_add(more));
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
        .unwrap_or(u64::MAX)
}

/// Memory in bytes for the members that up to 16 threads read at once. Together they use about twice as much, for
/// packed and for unpacked bytes.
const MAX_MEMORY: u64 = 64 << 20;

impl<'a> Pass<'a> {
    /// Starts a pass: opens staging, and sets all counts to 0.
    pub fn new(
        options: &'a Options,
        monitor: &'a Monitor,
        staging: &Path,
        threads: usize,
    ) -> Result<Self, Stop> {
        Ok(Self {
            options,
            monitor,
            staging: Staging::open(staging)?,
            max_in_memory: (MAX_MEMORY / threads.max(1) as u64).clamp(4 << 20, 32 << 20),
            last_password: LastPassword::default(),
            key_cache: SharedKeyCache::default(),
            skipped_paths: options.skip.iter().map(|at| resolve_folder(at)).collect(),
            expanded_bytes: AtomicU64::new(0),
            member_count: AtomicU64::new(0),
            text_bytes: AtomicU64::new(0),
            exceeded_limit: OnceLock::new(),
            kept_archives: KeptArchives::default(),
            zips: Mutex::new(Vec::new()),
        })
    }

    /// Fails if the caller cancelled.
    pub fn check_cancelled(&self) -> Result<(), Stop> {
        self.monitor.check_cancelled().map_err(|_| Stop::Cancelled)
    }

    /// Returns whether the entry `name` on the top level of the packet folder `root` is skipped.
    pub fn skips(&self, root: &Path, name: &[u8]) -> bool {
        let skipped = &self.skipped_paths;
        !skipped.is_empty() && skipped.contains(&root.join(OsStr::from_bytes(name)))
    }

    /// Counts the expanded bytes of a member. Fails with the reason once a limit of the pass is exceeded, also for all
    /// later members. `name` is the name of the member, for the reason.
    pub fn count_expanded(&self, bytes: u64, name: &[u8]) -> Result<(), String> {
        self.count_expanded_with(bytes, name, || format!("{bytes} bytes"))
    }

    /// Counts bytes like [`Pass::count_expanded`] while a member of unknown size is unpacked. `so_far` is the number of
    /// bytes of the member up to now, including these.
    pub fn count_expanded_part(&self, bytes: u64, so_far: u64, name: &[u8]) -> Result<(), String> {
        self.count_expanded_with(bytes, name, || format!("at least {so_far} bytes"))
    }

    /// Counts bytes; `size` returns the text about the size of the member.
    fn count_expanded_with(
        &self,
        bytes: u64,
        name: &[u8],
        size: impl FnOnce() -> String,
    ) -> Result<(), String> {
        let before = add_saturating(&self.expanded_bytes, bytes);
        if before.saturating_add(bytes) > self.options.max_bytes {
            self.record_limit(format!(
                "it expands to more than {} bytes (limit on total size, --max-total) with {} of {}",
                self.options.max_bytes,
                abridged_path(name),
                size()
            ));
        }
        self.check_limits()
    }

    /// Counts a member, and the bytes of its texts that stay in memory: its path, and the target of a link in an archive.
    /// Fails with the reason once a limit of the pass is exceeded, also for all later members.
    pub fn count_member(&self, texts: u64) -> Result<(), String> {
        let members = add_saturating(&self.member_count, 1).saturating_add(1);
        let texts = add_saturating(&self.text_bytes, texts).saturating_add(texts);
        if members > self.options.max_members {
            self.record_limit(format!(
                "it has more than {} members (limit)",
                self.options.max_members
            ));
        } else if names_too_long(texts, members) {
            self.record_limit(names_too_long_reason(members));
        }
        self.check_limits()
    }

    /// Fails, which ends the pass, if these bytes exceed the free space of staging. Does not check if only headers are
    /// staged, or if the free space is unknown. `name` is that of the member, or of the largest of several.
    pub fn check_free_space(&self, bytes: u64, name: &[u8]) -> Result<(), Stop> {
        let free = self.staging.free_bytes();
        match free.filter(|_| !self.options.headers_only) {
            Some(free) if bytes > free => {
                let text = format!(
                    "{bytes} bytes do not fit, {free} are free (--work-dir names another folder): {}",
                    abridged_path(name)
                );
                let error = io::Error::new(io::ErrorKind::StorageFull, text);
                Err(Stop::io(self.staging.root(), error))
            }
            _ => Ok(()),
        }
    }

    /// Adds a zip to those that remain in place, and returns its index; None if it is in staging and will be removed.
    pub fn register_zip(&self, path: &Path) -> Option<u32> {
        if self.staging.contains(path) {
            return None;
        }
        let mut zips = self.zips.lock().unwrap_or_else(PoisonError::into_inner);
        zips.push(path.to_owned());
        u32::try_from(zips.len() - 1).ok()
    }

    /// Returns what [`super::Reading`] needs: the staging folder, and the zips that remain in place.
    pub fn into_parts(self) -> (Staging, Vec<PathBuf>) {
        let zips = self.zips.into_inner();
        (self.staging, zips.unwrap_or_else(PoisonError::into_inner))
    }

    /// Records an exceeded limit, unless another one was exceeded before.
    pub(super) fn record_limit(&self, reason: String) {
        let _ = self.exceeded_limit.set(reason);
    }

    /// Fails with the reason if a limit was exceeded.
    pub fn check_limits(&self) -> Result<(), String> {
        self.exceeded_limit
            .get()
            .map_or(Ok(()), |reason| Err(reason.clone()))
    }
}

/// The address of a member: its path in the ledger, its name in staging, its depth, and the counter of the expansion of
/// the archives around it. Packets and archives have addresses too, from which those of their members are derived.
#[derive(Debug, Clone, Default)]
pub struct Address {
    /// Path in the ledger, before escaping; for a container, the start of the paths of its members.
    pub path: Vec<u8>,
    /// Positions in `path` of the `!` between an archive and its members.
    archive_ends: Vec<u32>,
    /// Name in staging: the number of the member, after those of the archives around it.
    staged_name: String,
    /// Number of archives around it, not counting the packet.
    pub depth: u32,
    /// The expansion of the archive that contains it, or that is this container; None for a plain file.
    expansion: Option<Arc<Expansion>>,
}

impl Address {
    /// Returns the address of a packet as a container. `index` is its index, `only` says that it is the only packet.
    #[must_use]
    pub fn packet(prefix: &[u8], index: usize, only: bool) -> Self {
        let mut path = prefix.to_vec();
        let mut archive_ends = Vec::new();
        if path.ends_with(b"!") {
            // an archive among several packets: its members have paths like those of a nested archive
            archive_ends.push(u32::try_from(path.len() - 1).unwrap_or(u32::MAX));
        } else if !path.is_empty() && !path.ends_with(b"/") {
            path.push(b'/');
        }
        let staged_name = if only {
            String::new()
        } else {
            format!("{index}-")
        };
        Self {
            path,
            archive_ends,
            staged_name,
            depth: 0,
            expansion: None,
        }
    }

    /// Returns the address of a member of this container. `sequence` is the number of the member in it.
    #[must_use]
    pub fn member(&self, name: &[u8], sequence: u64) -> Self {
        let mut address = self.clone();
        address.path.extend_from_slice(name);
        address.staged_name.push_str(&sequence.to_string());
        address
    }

    /// Returns this member as a container.
    #[must_use]
    pub fn container(&self) -> Self {
        let mut address = self.clone();
        address
            .archive_ends
            .push(u32::try_from(address.path.len()).unwrap_or(u32::MAX));
        address.path.push(b'!');
        address.staged_name.push('.');
        address.depth += 1;
        address
    }

    /// Returns the file name of the archive that this container is; the name can contain `!`.
    #[must_use]
    pub fn archive_name(&self) -> &[u8] {
        let mut archive_ends = self.archive_ends.iter().rev().map(|&at| at as usize);
        let end = archive_ends.next().unwrap_or(self.path.len());
        let start = archive_ends.next().map_or(0, |at| at.saturating_add(1));
        let path = self.path.get(start..end).unwrap_or_default();
        path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
    }

    /// Returns this container with a new counter of its expansion. `packed` is its size in bytes.
    #[must_use]
    pub fn with_expansion(&self, packed: u64, max_ratio: u64) -> Self {
        let mut address = self.clone();
        address.expansion = Some(Expansion::new(packed, max_ratio, address.expansion));
        address
    }

    /// Returns the expansion of the archive that contains it, or that is this container; None for a plain file.
    #[must_use]
    pub fn expansion(&self) -> Option<&Expansion> {
        self.expansion.as_deref()
    }

    /// Fails with the reason if an archive that contains it, or that is this container, expanded to too many bytes.
    pub fn check_expansion(&self) -> Result<(), String> {
        self.expansion().map_or(Ok(()), Expansion::check)
    }

    /// Counts bytes of a member, before they are unpacked, for each archive that contains it, or that is this container.
    /// Fails with the reason once one of these archives expands to too many bytes.
    pub fn add_to_expansion(&self, bytes: u64) -> Result<(), String> {
        self.expansion()
            .map_or(Ok(()), |expansion| expansion.add(bytes))
    }

    /// Returns the file of the member in staging.
    #[must_use]
    pub fn staged_file(&self, dir: StagingDir) -> StagedFile {
        StagedFile {
            dir,
            name: self.staged_name.as_str().into(),
        }
    }

    /// Returns a second file in staging, for intermediate data.
    #[must_use]
    pub fn intermediate(&self) -> StagedFile {
        StagedFile {
            dir: StagingDir::Other,
            name: format!("{}+", self.staged_name).into(),
        }
    }

    /// Returns a row for the member.
    #[must_use]
    pub fn row(&self, kind: RowKind, fate: Fate) -> Row {
        Row::new(&self.path, &self.archive_ends, kind, fate)
    }

    /// Returns a row for a member without bytes.
    #[must_use]
    pub fn no_data_row(&self, kind: RowKind, reason: impl Into<Reason>) -> Row {
        let mut row = self.row(kind, Fate::NoData);
        row.reason = reason.into();
        row
    }

    /// Returns a row for a member whose bytes are not used.
    #[must_use]
    pub fn refused_row(&self, kind: RowKind, size: u64, reason: impl Into<Reason>) -> Row {
        let mut row = self.row(kind, Fate::Refused);
        row.size = size;
        row.reason = reason.into();
        row
    }
}

//! What one pass over the packets of a session shares: options, limits, staging.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::passwords::{LastFit, Passwords};
use super::row::{Fate, Kind, Reason, Row};
use super::staging::{Shelf, Staged, Staging};
use super::stop::Stop;
use crate::archive::{names_beyond, names_too_long};
use crate::monitor::Monitor;
use crate::notation::{Hash, shown};

/// Limits and choices of a pass.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads; 0 is one per usable CPU.
    pub threads: usize,
    /// Take gzip off DICOM files.
    pub gunzip: bool,
    /// Hard-link loose files where that works.
    pub link: bool,
    /// Keep only the headers of DICOM, and nothing of what is neither DICOM nor PAR: staged files end in a hole.
    pub headers_only: bool,
    /// Paths on the top level of a folder that are left out.
    pub skip: Vec<PathBuf>,
    /// An archive or member may expand to so many times its size.
    pub max_ratio: u64,
    /// All archives together may expand to so many bytes.
    pub max_bytes: u64,
    /// A packet may have so many members.
    pub max_members: u64,
    /// Archives inside archives are opened so many levels deep.
    pub max_nesting: u32,
    /// Tried on encrypted members.
    pub passwords: Passwords,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: 0,
            gunzip: true,
            link: false,
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

/// Shared by all threads of a pass.
pub struct Pass<'a> {
    /// Limits and choices.
    pub options: &'a Options,
    /// Asked per member and per block.
    pub monitor: &'a Monitor,
    /// Where the members' bytes go.
    pub staging: Staging,
    /// Members up to this size are held in memory, larger ones go through the disk.
    pub in_memory: u64,
    /// Which password opened a member last.
    pub last_fit: LastFit,
    skipped: HashSet<PathBuf>,
    expanded: AtomicU64,
    members: AtomicU64,
    names: AtomicU64,
    exhausted: OnceLock<String>,
    /// Archives that were kept whole, with the reason: by hash, and depth, as the limit on depth is among the reasons.
    useless: Mutex<HashMap<(Hash, u32), String>>,
    /// Zips that stay where they are.
    zips: Mutex<Vec<PathBuf>>,
}

/// The path with its folder resolved, as the folder of a packet is; a link itself stays one.
fn resolved(path: &Path) -> PathBuf {
    match (path.parent().map(fs::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Adds to a counter, which stays at its end; the value before.
fn saturating(counter: &AtomicU64, more: u64) -> u64 {
    let add = |before: u64| Some(before.saturating_add(more));
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
        .unwrap_or(u64::MAX)
}

/// All threads together hold about twice this (packed and unpacked).
const HELD: u64 = 64 << 20;

impl<'a> Pass<'a> {
    /// Opens staging.
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
            in_memory: (HELD / threads.max(1) as u64).clamp(4 << 20, 32 << 20),
            last_fit: LastFit::default(),
            skipped: options.skip.iter().map(|path| resolved(path)).collect(),
            expanded: AtomicU64::new(0),
            members: AtomicU64::new(0),
            names: AtomicU64::new(0),
            exhausted: OnceLock::new(),
            useless: Mutex::new(HashMap::new()),
            zips: Mutex::new(Vec::new()),
        })
    }

    /// Stops when the caller asked for it.
    pub fn check(&self) -> Result<(), Stop> {
        self.monitor.check().map_err(|_| Stop::Cancelled)
    }

    /// Whether a name on the top level of a folder is left out.
    pub fn skips(&self, root: &Path, name: &[u8]) -> bool {
        !self.skipped.is_empty() && self.skipped.contains(&root.join(OsStr::from_bytes(name)))
    }

    /// Counts bytes that come out of an archive or compression, before they are made. The reason, once there are too
    /// many; all that follows is then refused. `name` is the member's.
    pub fn expand(&self, bytes: u64, name: &[u8]) -> Result<(), String> {
        let before = saturating(&self.expanded, bytes);
        if before.saturating_add(bytes) > self.options.max_bytes {
            self.exhaust(format!(
                "it expands to more than {} bytes (limit on total size, --max-total) with {} of {bytes} bytes",
                self.options.max_bytes,
                shown(name)
            ));
        }
        self.spent()
    }

    /// Counts a member, and the bytes of its texts: its path, and where a link leads.
    pub fn count(&self, texts: u64) -> Result<(), String> {
        let members = saturating(&self.members, 1).saturating_add(1);
        let texts = saturating(&self.names, texts).saturating_add(texts);
        if members > self.options.max_members {
            self.exhaust(format!(
                "it has more than {} members (limit)",
                self.options.max_members
            ));
        } else if names_too_long(texts, members) {
            self.exhaust(names_beyond(members));
        }
        self.spent()
    }

    /// Stops the work where so many bytes, which are still to be written, are more than staging has room for; headers
    /// alone are small. `name` is
    /// that of the member, or of the largest of several.
    pub fn need_room(&self, bytes: u64, name: &[u8]) -> Result<(), Stop> {
        match self.staging.free().filter(|_| !self.options.headers_only) {
            Some(free) if bytes > free => {
                let text = format!(
                    "{bytes} bytes do not fit, {free} are free (--work-dir names another folder): {}",
                    shown(name)
                );
                let error = io::Error::new(io::ErrorKind::StorageFull, text);
                Err(Stop::io(self.staging.root(), error))
            }
            _ => Ok(()),
        }
    }

    /// Why an archive of these bytes was kept whole at this depth.
    pub fn known_useless(&self, hash: Option<Hash>, depth: u32) -> Option<String> {
        let useless = self.useless.lock().unwrap_or_else(PoisonError::into_inner);
        useless.get(&(hash?, depth)).cloned()
    }

    /// Notes why an archive was kept whole.
    pub fn remember_useless(&self, hash: Option<Hash>, depth: u32, reason: &str) {
        let mut useless = self.useless.lock().unwrap_or_else(PoisonError::into_inner);
        useless.extend(hash.map(|hash| ((hash, depth), reason.to_owned())));
    }

    /// Notes a zip, unless it lies in staging and will be gone; its number.
    pub fn note_zip(&self, path: &Path) -> Option<u32> {
        if self.staging.holds(path) {
            return None;
        }
        let mut zips = self.zips.lock().unwrap_or_else(PoisonError::into_inner);
        zips.push(path.to_owned());
        u32::try_from(zips.len() - 1).ok()
    }

    /// What the reading goes on with: its staging, and the zips.
    pub fn ended(self) -> (Staging, Vec<PathBuf>) {
        let zips = self.zips.into_inner();
        (self.staging, zips.unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes the limit that was passed first.
    pub(super) fn exhaust(&self, reason: String) {
        let _ = self.exhausted.set(reason);
    }

    /// The limit that was passed, as an error.
    pub fn spent(&self) -> Result<(), String> {
        self.exhausted
            .get()
            .map_or(Ok(()), |reason| Err(reason.clone()))
    }
}

/// Where a member stands: its path in the ledger, its sequence, its depth. Also the place of a container, whose members'
/// places are made from it.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Path so far, as bytes.
    pub path: Vec<u8>,
    joints: Vec<u32>,
    sequence: String,
    /// Archives around it, the packet itself not counted.
    pub depth: u32,
}

impl Place {
    /// The place of a packet's members.
    #[must_use]
    pub fn packet(prefix: &[u8], number: usize, only: bool) -> Self {
        let mut path = prefix.to_vec();
        let mut joints = Vec::new();
        if path.ends_with(b"!") {
            // an archive among the sources: its members' paths are those of a nested one
            joints.push(u32::try_from(path.len() - 1).unwrap_or(u32::MAX));
        } else if !path.is_empty() && !path.ends_with(b"/") {
            path.push(b'/');
        }
        let sequence = if only {
            String::new()
        } else {
            format!("{number}-")
        };
        Self {
            path,
            joints,
            sequence,
            depth: 0,
        }
    }

    /// A member of this container.
    #[must_use]
    pub fn member(&self, name: &[u8], sequence: u64) -> Self {
        let mut place = self.clone();
        place.path.extend_from_slice(name);
        place.sequence.push_str(&sequence.to_string());
        place
    }

    /// This member as a container.
    #[must_use]
    pub fn container(&self) -> Self {
        let mut place = self.clone();
        place
            .joints
            .push(u32::try_from(place.path.len()).unwrap_or(u32::MAX));
        place.path.push(b'!');
        place.sequence.push('.');
        place.depth += 1;
        place
    }

    /// Its file in staging.
    #[must_use]
    pub fn staged(&self, on: Shelf) -> Staged {
        Staged {
            shelf: on,
            sequence: self.sequence.as_str().into(),
        }
    }

    /// A second file of its own in staging, for what is unpacked on the way.
    #[must_use]
    pub fn aside(&self) -> Staged {
        Staged {
            shelf: Shelf::Other,
            sequence: format!("{}+", self.sequence).into(),
        }
    }

    /// A row for it.
    #[must_use]
    pub fn row(&self, kind: Kind, fate: Fate) -> Row {
        Row::new(&self.path, &self.joints, kind, fate)
    }

    /// A row for a member without bytes.
    #[must_use]
    pub fn no_data(&self, kind: Kind, reason: impl Into<Reason>) -> Row {
        let mut row = self.row(kind, Fate::NoData);
        row.reason = reason.into();
        row
    }

    /// A row for a member whose bytes cannot be had.
    #[must_use]
    pub fn refused(&self, kind: Kind, size: u64, reason: impl Into<Reason>) -> Row {
        let mut row = self.row(kind, Fate::Refused);
        row.size = size;
        row.reason = reason.into();
        row
    }
}

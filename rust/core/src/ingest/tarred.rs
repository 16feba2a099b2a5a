//! The members of a tar: one thread unpacks, the others hash, parse and write.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Stop;
use super::held::Held;
use super::member::{self, Taken};
use super::nested::Opened;
use super::pass::{Pass, Place};
use super::row::{Kind, escape};
use super::staging::{Shelf, fill};
use crate::archive::tar::{Member, TarReader, What};
use crate::archive::unpack::Unpack;
use crate::archive::{beyond, invalid, reason, too_much};

/// Bytes that wait for a free thread; when there are more, the unpacking thread does the work itself.
const QUEUE: u64 = 32 << 20;

/// A stream under a tar: a compression's content, which must not grow beyond all measure, or a plain file.
pub enum Input<'a> {
    /// Not compressed; with what was read so far.
    Plain(Box<dyn Read + Send + 'a>, u64),
    /// Compressed; with what came out so far and the largest ratio.
    Packed(Box<Unpack<'a>>, u64, u64),
}

impl Input<'_> {
    /// Bytes of the packet that were read so far.
    fn packed(&self) -> u64 {
        match self {
            Self::Plain(_, out) => *out,
            Self::Packed(unpack, ..) => unpack.taken(),
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input, out) => {
                let got = input.read(buffer)?;
                *out += got as u64;
                Ok(got)
            }
            Self::Packed(unpack, out, max_ratio) => {
                let got = unpack.read(buffer)?;
                *out += got as u64;
                if too_much(*out, unpack.taken(), *max_ratio) {
                    return Err(invalid(beyond(*max_ratio)));
                }
                Ok(got)
            }
        }
    }
}

/// What the threads share while one tar is read.
struct Bench {
    taken: Mutex<Vec<(u64, Taken)>>,
    stop: Mutex<Option<Stop>>,
    queued: AtomicU64,
    /// Bytes of holes so far.
    holes: AtomicU64,
    /// Names of the files so far, as a hard link would name them.
    files: Mutex<HashSet<Vec<u8>>>,
    /// Buffers to be used again.
    spare: Mutex<Vec<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bench {
    fn keep(&self, at: u64, result: Result<Taken, Stop>) {
        match result {
            Ok(taken) => lock(&self.taken).push((at, taken)),
            Err(stop) => {
                lock(&self.stop).get_or_insert(stop);
            }
        }
    }

    fn stopped(&self) -> bool {
        lock(&self.stop).is_some()
    }

    fn bytes(&self, pass: &Pass<'_>, place: &Place, at: u64, buffer: Vec<u8>, len: usize) {
        let bytes = buffer.get(..len).unwrap_or_default();
        let held = Held::Bytes(bytes, None);
        self.keep(
            at,
            member::take(pass, place, held, len as u64, member::hash(bytes)),
        );
        lock(&self.spare).push(buffer);
    }
}

/// Reads all members.
pub fn read(pass: &Pass<'_>, input: Input<'_>, container: &Place) -> Result<Opened, Stop> {
    let bench = Bench {
        taken: Mutex::new(Vec::new()),
        stop: Mutex::new(None),
        queued: AtomicU64::new(0),
        holes: AtomicU64::new(0),
        files: Mutex::new(HashSet::new()),
        spare: Mutex::new(Vec::new()),
    };
    let mut tar = TarReader::new(input);
    let mut end: Option<String> = None;
    rayon::scope(|scope| {
        let mut at = 0u64;
        while !bench.stopped() {
            at += 1;
            match next(pass, &mut tar, container, at, &bench, scope) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Halt::Stop(stop)) => bench.keep(at, Err(stop)),
                Err(Halt::Fault(reason)) => {
                    end = Some(reason);
                    break;
                }
            }
        }
    });
    if let Some(stop) = lock(&bench.stop).take() {
        return Err(stop);
    }
    let mut taken = std::mem::take(&mut *lock(&bench.taken));
    taken.sort_by_key(|(at, _)| *at);
    let mut opened = Opened::of(pass, taken.into_iter().map(|(_, taken)| taken).collect())?;
    opened.damage.extend(end);
    note_trailing(&tar, &mut opened);
    Ok(opened)
}

fn note_trailing(tar: &TarReader<Input<'_>>, opened: &mut Opened) {
    if tar.trailing() > 0 {
        opened.notes.push(format!(
            "{} bytes stand behind the end mark of the tar",
            tar.trailing()
        ));
    }
    if let Input::Packed(unpack, ..) = tar.get_ref() {
        if unpack.trailing() > 0 {
            opened.notes.push(format!(
                "{} bytes stand behind the compressed data",
                unpack.trailing()
            ));
        }
    }
}

/// Why the archive is read no further.
enum Halt {
    Stop(Stop),
    Fault(String),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// Takes one member off the stream; false at the end.
fn next<'s>(
    pass: &'s Pass<'_>,
    tar: &mut TarReader<Input<'_>>,
    container: &Place,
    at: u64,
    bench: &'s Bench,
    scope: &rayon::Scope<'s>,
) -> Result<bool, Halt> {
    pass.check()?;
    let fault = |error: io::Error| Halt::Fault(reason(&error));
    let Some(mut member) = tar.next_member().map_err(fault)? else {
        return Ok(false);
    };
    pass.count().map_err(Halt::Fault)?;
    let place = container.member(&member.name, at);
    if let Some(row) = without_data(&place, &member, bench) {
        bench.keep(at, Ok(row));
        return Ok(true);
    }
    if too_much(member.size, member.stored, pass.options.max_ratio) {
        let text = format!(
            "its holes make it more than {} times its size",
            pass.options.max_ratio
        );
        bench.keep(at, Ok(place.refused(Kind::Other, member.size, text).into()));
        return Ok(true);
    }
    pass.expand(member.size).map_err(Halt::Fault)?;
    let size = member.size;
    // Holes cost nothing in the archive: many small ones make a bomb as well as one large one.
    let holes = size.saturating_sub(member.stored);
    let holes = bench.holes.fetch_add(holes, Ordering::Relaxed) + holes;
    if too_much(holes, tar.get_ref().packed(), pass.options.max_ratio) {
        return Err(Halt::Fault(beyond(pass.options.max_ratio)));
    }
    let mut content = tar.content(&mut member);
    if size > pass.in_memory {
        let staged = place.staged(Shelf::Other);
        return match pass
            .staging
            .spool(&staged, &mut content, size, pass.monitor)?
        {
            Ok(copied) => {
                let held = Held::Staged(staged);
                bench.keep(
                    at,
                    member::take(pass, &place, held, copied.size, copied.sha256),
                );
                Ok(true)
            }
            Err(reason) => cut(bench, &place, at, size, reason),
        };
    }
    let len = usize::try_from(size).unwrap_or(0);
    let mut buffer = lock(&bench.spare).pop().unwrap_or_default();
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    if let Err(error) = fill(&mut content, buffer.get_mut(..len).unwrap_or_default()) {
        return cut(bench, &place, at, size, reason(&error));
    }
    let waiting = bench.queued.load(Ordering::Relaxed) + size;
    if rayon::current_num_threads() == 1 || waiting > QUEUE {
        bench.bytes(pass, &place, at, buffer, len);
    } else {
        bench.queued.fetch_add(size, Ordering::Relaxed);
        scope.spawn(move |_| {
            bench.bytes(pass, &place, at, buffer, len);
            bench.queued.fetch_sub(size, Ordering::Relaxed);
        });
    }
    Ok(true)
}

/// A member whose data end too early is refused, and nothing can follow it.
fn cut(bench: &Bench, place: &Place, at: u64, size: u64, reason: String) -> Result<bool, Halt> {
    bench.keep(
        at,
        Ok(place.refused(Kind::Other, size, reason.clone()).into()),
    );
    Err(Halt::Fault(reason))
}

/// A name as it is compared with the target of a hard link.
fn plain(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"./").unwrap_or(name)
}

fn without_data(place: &Place, member: &Member, bench: &Bench) -> Option<Taken> {
    let row = match &member.what {
        What::File => {
            lock(&bench.files).insert(plain(&member.name).to_vec());
            return None;
        }
        What::Directory => place.no_data(Kind::Directory, ""),
        What::Link { hard, target } => {
            let shown = escape(target);
            if !hard {
                place.no_data(Kind::Link, format!("a symbolic link to {shown}"))
            } else if !lock(&bench.files).contains(plain(target)) {
                let reason =
                    format!("a hard link to {shown}, which is not in the archive before it");
                place.refused(Kind::Link, 0, reason)
            } else {
                lock(&bench.files).insert(plain(&member.name).to_vec());
                place.no_data(
                    Kind::Link,
                    format!("a hard link to {shown}, whose row has the bytes"),
                )
            }
        }
        What::Device(word) => place.no_data(Kind::Device, *word),
    };
    Some(row.into())
}

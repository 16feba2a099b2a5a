//! The threads that hash, parse and write the members of a tar while another one unpacks it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Stop;
use super::held::Held;
use super::member::{self, Taken};
use super::pass::{Pass, Place};

/// Bytes that wait for a free thread; when there are more, the unpacking thread does the work itself.
const QUEUE: u64 = 32 << 20;

/// What the threads share while one tar is read.
#[derive(Default)]
pub struct Crew {
    taken: Mutex<Vec<(u64, Taken)>>,
    stop: Mutex<Option<Stop>>,
    queued: AtomicU64,
    /// Buffers to be used again.
    spare: Mutex<Vec<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crew {
    /// Keeps what became of the member with this sequence number.
    pub fn keep(&self, at: u64, result: Result<Taken, Stop>) {
        match result {
            Ok(taken) => lock(&self.taken).push((at, taken)),
            Err(stop) => {
                lock(&self.stop).get_or_insert(stop);
            }
        }
    }

    /// Whether a thread met something that ends the work.
    pub fn stopped(&self) -> bool {
        lock(&self.stop).is_some()
    }

    /// All members in order, once the threads are done.
    pub fn finish(self) -> Result<Vec<Taken>, Stop> {
        if let Some(stop) = lock(&self.stop).take() {
            return Err(stop);
        }
        let mut taken = std::mem::take(&mut *lock(&self.taken));
        taken.sort_by_key(|(at, _)| *at);
        Ok(taken.into_iter().map(|(_, taken)| taken).collect())
    }

    /// A buffer of at least this length.
    pub fn buffer(&self, len: usize) -> Vec<u8> {
        let mut buffer = lock(&self.spare).pop().unwrap_or_default();
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        buffer
    }

    /// Hands the first `len` bytes of a buffer to a free thread, or takes them in at once when too much waits.
    pub fn hand<'s>(
        &'s self,
        scope: &rayon::Scope<'s>,
        pass: &'s Pass<'_>,
        (at, place): (u64, Place),
        (buffer, len): (Vec<u8>, usize),
    ) {
        let size = len as u64;
        let waiting = self.queued.load(Ordering::Relaxed) + size;
        if rayon::current_num_threads() == 1 || waiting > QUEUE {
            self.take(pass, &place, at, buffer, len);
            return;
        }
        self.queued.fetch_add(size, Ordering::Relaxed);
        scope.spawn(move |_| {
            self.take(pass, &place, at, buffer, len);
            self.queued.fetch_sub(size, Ordering::Relaxed);
        });
    }

    fn take(&self, pass: &Pass<'_>, place: &Place, at: u64, buffer: Vec<u8>, len: usize) {
        let bytes = buffer.get(..len).unwrap_or_default();
        let held = Held::Bytes(bytes, None);
        self.keep(
            at,
            member::take(pass, place, held, len as u64, member::hash(bytes)),
        );
        lock(&self.spare).push(buffer);
    }
}

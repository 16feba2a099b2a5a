//! Worker threads that hash, parse and write the members of a tar or 7z while another thread unpacks it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::batch::BATCH_SIZE;
use super::member::{self, ProcessedMember};
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::process::process_member;
use super::stop::Stop;
use crate::header::Header;

/// Limit on bytes in the queue; beyond it the unpacking thread processes members itself.
const MAX_QUEUED_BYTES: u64 = 32 << 20;
/// Limit on members in the queue; each takes some memory besides its bytes.
const MAX_QUEUED_MEMBERS: u64 = 256;
/// Limit on the number of reused buffers.
const MAX_SPARE_BUFFERS: usize = 16;
/// Limit on the size of a reused buffer in bytes: a small member must not occupy a large buffer.
const MAX_SPARE_SIZE: usize = 2 << 20;

/// State that the threads share while one archive is read.
#[derive(Default)]
pub struct Workers {
    /// The processed members so far, with their sequence numbers.
    members: Mutex<Vec<(u64, ProcessedMember)>>,
    /// The first error that ends the pass.
    stop: Mutex<Option<Stop>>,
    queued_bytes: AtomicU64,
    queued_members: AtomicU64,
    /// Buffers for reuse.
    spare_buffers: Mutex<Vec<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Workers {
    /// Stores the result for the member with this sequence number: the member, or the first error that ends the pass.
    pub fn store(&self, sequence: u64, result: Result<ProcessedMember, Stop>) {
        match result {
            Ok(member) => {
                let mut members = lock(&self.members);
                members.push((sequence, member));
                // The headers of a whole batch are moved into one block, which saves memory.
                if members.len() % BATCH_SIZE == 0 {
                    let from = members.len() - BATCH_SIZE;
                    let last = members.iter_mut().skip(from);
                    Header::move_into_one_block(
                        last.filter_map(|(_, member)| member.row.header.as_mut()),
                    );
                }
            }
            Err(stop) => {
                lock(&self.stop).get_or_insert(stop);
            }
        }
    }

    /// Returns whether a thread stored an error that ends the pass.
    pub fn has_stopped(&self) -> bool {
        lock(&self.stop).is_some()
    }

    /// Returns all members by sequence number, or the first error; call it once the threads have finished.
    pub fn finish(self) -> Result<Vec<ProcessedMember>, Stop> {
        if let Some(stop) = lock(&self.stop).take() {
            return Err(stop);
        }
        let mut members = std::mem::take(&mut *lock(&self.members));
        members.sort_by_key(|(sequence, _)| *sequence);
        Ok(members.into_iter().map(|(_, member)| member).collect())
    }

    /// Returns a buffer of at least this length.
    pub fn buffer(&self, len: usize) -> Vec<u8> {
        if len > MAX_SPARE_SIZE {
            return vec![0; len];
        }
        let mut buffer = lock(&self.spare_buffers).pop().unwrap_or_default();
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        buffer
    }

    /// Passes the first `len` bytes of a buffer to a worker, or processes them at once if the queue is full or there is no
    /// other thread.
    pub fn submit<'s>(
        &'s self,
        scope: &rayon::Scope<'s>,
        pass: &'s Pass<'_>,
        (sequence, address): (u64, Address),
        (buffer, len): (Vec<u8>, usize),
    ) {
        let size = len as u64;
        let full = self.queued_bytes.load(Ordering::Relaxed) + size > MAX_QUEUED_BYTES
            || self.queued_members.load(Ordering::Relaxed) >= MAX_QUEUED_MEMBERS;
        if full || rayon::current_num_threads() == 1 {
            self.process(pass, &address, sequence, buffer, len);
            return;
        }
        self.queued_bytes.fetch_add(size, Ordering::Relaxed);
        self.queued_members.fetch_add(1, Ordering::Relaxed);
        scope.spawn(move |_| {
            self.process(pass, &address, sequence, buffer, len);
            self.queued_bytes.fetch_sub(size, Ordering::Relaxed);
            self.queued_members.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Processes a member whose bytes are the first `len` of a buffer, and keeps the buffer for reuse.
    fn process(
        &self,
        pass: &Pass<'_>,
        address: &Address,
        sequence: u64,
        buffer: Vec<u8>,
        len: usize,
    ) {
        let bytes = buffer.get(..len).unwrap_or_default();
        let data = MemberBytes::Bytes(bytes, None);
        self.store(
            sequence,
            process_member(pass, address, data, len as u64, member::hash(bytes)),
        );
        let mut spare = lock(&self.spare_buffers);
        if spare.len() < MAX_SPARE_BUFFERS && buffer.len() <= MAX_SPARE_SIZE {
            spare.push(buffer);
        }
    }
}

//! One member: its content says which way it goes.

use super::held::Held;
use super::member::{self, Taken};
use super::packed;
use super::pass::{Pass, Place};
use super::row::{Fate, Kind};
use super::stop::Stop;
use crate::archive::kind::{self, Kind as Content};
use crate::notation::Hash;

/// Takes in a member whose bytes are known with their hash.
pub fn take(
    pass: &Pass<'_>,
    place: &Place,
    held: Held<'_>,
    size: u64,
    sha256: Hash,
) -> Result<Taken, Stop> {
    pass.check()?;
    let mut row = place.row(Kind::Other, Fate::Kept);
    row.size = size;
    row.sha256 = Some(sha256);
    row.content_sha256 = Some(sha256);
    let content = kind::named(held.kind(pass)?, &place.path);
    let taken = match content {
        Content::Dicom => member::file(pass, place, row, held, content).map(Taken::from),
        // A REC has no mark of its own; what looks like one in it is chance.
        _ if kind::is_rec(&place.path) => {
            member::file(pass, place, row, held, content).map(Taken::from)
        }
        Content::Zip | Content::SevenZ | Content::Tar => member::archive(pass, place, row, held),
        Content::Packed(packing) => packed::take(pass, place, row, held, packing),
        Content::Par | Content::Empty | Content::Foreign(_) | Content::Other => {
            member::file(pass, place, row, held, content).map(Taken::from)
        }
    };
    pass.monitor.add(1, size);
    taken
}

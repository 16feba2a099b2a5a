//! Changes a deflate stream so that another one can follow it.

use super::last::last;

/// Clears the end of the stream in the first `length` bytes and returns the new length. Needs up to 5 bytes of room
/// after them. Returns None if they are not exactly one complete stream.
pub fn open_end(packed: &mut [u8], length: usize) -> Option<usize> {
    let found = last(packed.get(..length)?)?;
    if found.end.div_ceil(8) != length {
        return None;
    }
    *packed.get_mut(found.begin / 8)? &= !(1 << (found.begin % 8));
    // Three zero bits start a stored block that is not the last; zeros fill up the byte.
    let end = (found.end + 3).div_ceil(8);
    if found.end % 8 != 0 {
        *packed.get_mut(found.end / 8)? &= (1 << (found.end % 8)) - 1;
    }
    packed.get_mut(length..end)?.fill(0);
    let empty = packed.get_mut(end..end + 4)?;
    empty.copy_from_slice(&[0, 0, 0xff, 0xff]);
    Some(end + 4)
}

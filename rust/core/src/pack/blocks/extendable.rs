//! Changes a deflate stream so that another one can follow it.

use super::last::find_last_block;

/// Marks the last block of the stream in the first `length` bytes as not the last, appends an empty stored block, and
/// returns the new length. `packed` needs up to 5 bytes of room after the stream. Returns None if the first `length`
/// bytes are not exactly one complete stream.
pub fn make_extendable(packed: &mut [u8], length: usize) -> Option<usize> {
    let block = find_last_block(packed.get(..length)?)?;
    if block.end.div_ceil(8) != length {
        return None;
    }
    *packed.get_mut(block.begin / 8)? &= !(1 << (block.begin % 8));
    // Three zero bits start a stored block that is not the last; zeros fill up the byte.
    let end = (block.end + 3).div_ceil(8);
    if block.end % 8 != 0 {
        *packed.get_mut(block.end / 8)? &= (1 << (block.end % 8)) - 1;
    }
    packed.get_mut(length..end)?.fill(0);
    let empty = packed.get_mut(end..end + 4)?;
    empty.copy_from_slice(&[0, 0, 0xff, 0xff]);
    Some(end + 4)
}

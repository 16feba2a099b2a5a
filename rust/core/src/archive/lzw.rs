//! The LZW of Unix `compress` (.Z): codes of 9 to 16 bits, low bit first, in groups of eight.

use std::io::{self, BufRead, Read};

use super::invalid;

/// In block mode, this code clears the table. Codes below it are single bytes.
const CLEAR_CODE: usize = 256;
/// The first code of the table in block mode.
const FIRST_FREE_CODE: usize = 257;

/// Decompresses a `.Z` stream. It has no checksum and no end mark: it ends where the input ends.
pub struct LzwReader<R> {
    input: R,
    /// Length of the longest code in bits.
    max_bits: u32,
    /// Whether [`CLEAR_CODE`] clears the table; it is an ordinary code otherwise.
    block_mode: bool,
    /// Current length of a code in bits.
    width: u32,
    /// Bits that were read but not yet used.
    buffer: u64,
    /// Number of bits in `buffer`.
    bit_count: u32,
    /// Codes read of the current group of eight; the writer completes the group before it changes the width.
    in_group: u32,
    /// For each code, the code of all its bytes except the last one.
    prefix: Vec<u16>,
    /// For each code, its last byte.
    suffix: Vec<u8>,
    /// The code that the table gets next.
    next_code: usize,
    /// The previous code; None at the start, and after the table was cleared.
    previous: Option<usize>,
    /// First byte of the previous code.
    first_byte: u8,
    /// Bytes of the current code, last byte first.
    stack: Vec<u8>,
}

impl<R: BufRead> LzwReader<R> {
    /// Reads the header, which has three bytes; fails if it is not that of `compress`, or has an unknown form.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut header = [0u8; 3];
        input.read_exact(&mut header)?;
        let [0x1f, 0x9d, flags] = header else {
            return Err(invalid("no compress (.Z) data"));
        };
        let max_bits = u32::from(flags & 0x1f);
        if !(9..=16).contains(&max_bits) || flags & 0x60 != 0 {
            return Err(invalid(format!(
                "compress (.Z) data of an unknown form (flags {flags:#04x})"
            )));
        }
        let block_mode = flags & 0x80 != 0;
        Ok(Self {
            input,
            max_bits,
            block_mode,
            width: 9,
            buffer: 0,
            bit_count: 0,
            in_group: 0,
            prefix: vec![0; 1 << max_bits],
            suffix: (0..1usize << max_bits)
                .map(|code| u8::try_from(code).unwrap_or(0))
                .collect(),
            next_code: if block_mode {
                FIRST_FREE_CODE
            } else {
                CLEAR_CODE
            },
            previous: None,
            first_byte: 0,
            stack: Vec::new(),
        })
    }

    /// Returns the input after the bytes read so far.
    pub fn get_ref(&self) -> &R {
        &self.input
    }

    /// Returns the input.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Returns the next byte; None at the end of the input.
    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.input.fill_buf()?.first().copied();
        self.input.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// Returns the next code; None at the end of the input. Remaining bits there that are too few for a code are
    /// padding, and must be zero.
    fn code(&mut self) -> io::Result<Option<usize>> {
        while self.bit_count < self.width {
            let Some(byte) = self.byte()? else {
                return if self.buffer == 0 {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            };
            self.buffer |= u64::from(byte) << self.bit_count;
            self.bit_count += 8;
        }
        let code = self.buffer & ((1 << self.width) - 1);
        self.buffer >>= self.width;
        self.bit_count -= self.width;
        self.in_group = (self.in_group + 1) % 8;
        Ok(usize::try_from(code).ok())
    }

    /// Skips the rest of a group of eight codes when the width changes.
    fn end_group(&mut self) -> io::Result<()> {
        while self.in_group != 0 {
            if self.code()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Reads one code and pushes its bytes onto the stack; returns false at the end.
    fn step(&mut self) -> io::Result<bool> {
        if self.next_code > (1 << self.width) - 1 && self.width < self.max_bits {
            self.end_group()?;
            self.width += 1;
        }
        let Some(code) = self.code()? else {
            return Ok(false);
        };
        if code == CLEAR_CODE && self.block_mode {
            self.end_group()?;
            self.width = 9;
            self.next_code = FIRST_FREE_CODE;
            self.previous = None;
            return Ok(true);
        }
        self.push_bytes_of(code)?;
        if let Some(previous) = self.previous {
            if self.next_code < 1 << self.max_bits {
                if let (Some(prefix), Some(suffix)) = (
                    self.prefix.get_mut(self.next_code),
                    self.suffix.get_mut(self.next_code),
                ) {
                    *prefix = u16::try_from(previous).unwrap_or(0);
                    *suffix = self.first_byte;
                }
                self.next_code += 1;
            }
        }
        self.previous = Some(code);
        Ok(true)
    }

    /// Pushes the bytes of a code onto the stack.
    fn push_bytes_of(&mut self, code: usize) -> io::Result<()> {
        let mut at = code;
        if code >= self.next_code {
            // The writer may use one code before it is in the table of the reader: the code of the previous bytes
            // followed by the first of them.
            let Some(previous) = self.previous.filter(|_| code == self.next_code) else {
                return Err(invalid(
                    "compress (.Z) data with a code that is not in its table",
                ));
            };
            self.stack.push(self.first_byte);
            at = previous;
        }
        while at >= CLEAR_CODE {
            self.stack.push(self.suffix.get(at).copied().unwrap_or(0));
            at = usize::from(self.prefix.get(at).copied().unwrap_or(0));
        }
        self.first_byte = u8::try_from(at).unwrap_or(0);
        self.stack.push(self.first_byte);
        Ok(())
    }
}

impl<R: BufRead> Read for LzwReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            if let Some(byte) = self.stack.pop() {
                if let Some(place) = buffer.get_mut(done) {
                    *place = byte;
                }
                done += 1;
            } else if !self.step()? {
                break;
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn unpack(data: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        LzwReader::new(data)?.read_to_end(&mut out)?;
        Ok(out)
    }

    /// Codes of 9 bits, low bit first.
    fn codes(codes: &[u32]) -> Vec<u8> {
        let mut out = vec![0x1f, 0x9d, 0x90];
        let (mut bits, mut count) = (0u32, 0);
        for code in codes {
            bits |= code << count;
            count += 9;
            while count >= 8 {
                out.push(bits.to_le_bytes()[0]);
                bits >>= 8;
                count -= 8;
            }
        }
        if count > 0 {
            out.push(bits.to_le_bytes()[0]);
        }
        out
    }

    #[test]
    fn codes_stand_for_what_was_seen_before() {
        // "ab", then the code for "ab" (257), then a code that is used before it is known (259: "ab" + "a").
        let packed = codes(&[97, 98, 257, 259]);
        assert_eq!(unpack(&packed).unwrap(), b"abababa");
    }

    #[test]
    fn the_clear_code_restarts_the_table() {
        // The clear code ends its group of eight codes of 9 bits: nine bytes.
        let mut packed = codes(&[97, 98, 256, 0, 0, 0, 0, 0]);
        packed.extend_from_slice(&codes(&[99, 258])[3..]);
        assert!(unpack(&packed).is_err(), "258 is no longer known");
        let mut packed = codes(&[97, 98, 256, 0, 0, 0, 0, 0]);
        packed.extend_from_slice(&codes(&[99, 100, 257])[3..]);
        assert_eq!(unpack(&packed).unwrap(), b"abcdcd");
    }

    #[test]
    fn unknown_code_is_an_error() {
        assert!(unpack(&[0x1f, 0x9d, 0x90, 0xff, 0xff]).is_err());
    }

    #[test]
    fn header_of_another_form_is_an_error() {
        assert!(unpack(&[0x1f, 0x9d, 0x91 | 0x1f]).is_err());
        assert!(unpack(&[0x1f, 0x9d]).is_err());
    }
}

//! The traditional encryption of zip (APPNOTE 6.1): each byte updates three keys.

/// Length of the encryption header, the bytes before the data: random bytes, and a last byte that reveals most wrong
/// passwords.
pub const HEAD_LENGTH: usize = 12;

/// The keys after the bytes seen so far.
#[derive(Clone)]
pub struct Keys(u32, u32, u32);

/// The table of CRC-32, which updates the keys byte by byte.
const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "below 256")]
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ if value & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        #[allow(
            clippy::indexing_slicing,
            reason = "checked when the table is compiled"
        )]
        {
            table[byte] = value;
        }
        byte += 1;
    }
    table
}

/// Returns a CRC-32 after one more byte, without the inversions at its start and end.
fn crc_step(crc: u32, byte: u8) -> u32 {
    let [low, ..] = crc.to_le_bytes();
    let entry = CRC_TABLE.get(usize::from(low ^ byte)).copied();
    (crc >> 8) ^ entry.unwrap_or_default()
}

impl Keys {
    /// Returns the keys for a member's data; None for a wrong password, of which one in 256 passes. `head` is the
    /// encryption header; its last byte must be decrypted to `check`, a byte of the member's CRC or time.
    #[must_use]
    pub fn for_password(password: &[u8], head: [u8; HEAD_LENGTH], check: u8) -> Option<Self> {
        let mut keys = Self(0x1234_5678, 0x2345_6789, 0x3456_7890);
        for &byte in password {
            keys.update(byte);
        }
        let mut head = head;
        keys.decrypt(&mut head);
        head.ends_with(&[check]).then_some(keys)
    }

    /// Updates the keys by one decrypted byte.
    fn update(&mut self, byte: u8) {
        self.0 = crc_step(self.0, byte);
        let sum = self.1.wrapping_add(self.0 & 0xff);
        self.1 = sum.wrapping_mul(134_775_813).wrapping_add(1);
        let [.., high] = self.1.to_le_bytes();
        self.2 = crc_step(self.2, high);
    }

    /// Decrypts the bytes in place.
    pub fn decrypt(&mut self, bytes: &mut [u8]) {
        // Each byte depends on the previous one, so the loop is as fast as the update of the keys. The compiler keeps
        // local keys in registers.
        let mut keys = self.clone();
        for byte in bytes {
            let word = (keys.2 | 2) & 0xffff;
            let [_, mask, ..] = word.wrapping_mul(word ^ 1).to_le_bytes();
            *byte ^= mask;
            keys.update(*byte);
        }
        *self = keys;
    }
}

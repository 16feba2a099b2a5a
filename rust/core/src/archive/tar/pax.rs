//! Extended header records of POSIX.1-2001 (pax): `<length> <key>=<value>\n`.

/// The fields that extended headers set for the next member. Fields of a global header apply to all members after it.
#[derive(Debug, Clone, Default)]
pub struct ExtendedHeader {
    /// `path`, or `GNU.sparse.name`, which replaces a generated `path`.
    pub path: Option<Vec<u8>>,
    /// `linkpath`: the target of a link.
    pub link_target: Option<Vec<u8>>,
    /// `size`: length of the stored data in bytes.
    pub size: Option<u64>,
    /// `GNU.sparse.size` or `GNU.sparse.realsize`: length of a sparse file with its holes in bytes.
    pub real_size: Option<u64>,
    /// Whether the map of a sparse file is at the start of its data (format 1.0: `GNU.sparse.major` is 1).
    pub map_in_data: bool,
    /// The pieces of a sparse file that have data: (offset, length) in bytes, from a map of format 0.0 or 0.1.
    pub map: Vec<(u64, u64)>,
    /// Whether `path` is the value of `GNU.sparse.name`.
    has_sparse_name: bool,
    /// `GNU.sparse.offset` of a piece whose length (`GNU.sparse.numbytes`) was not read yet.
    offset: Option<u64>,
}

/// Limit on the pieces in the map of a sparse file.
pub(super) const MAX_PIECES: usize = 1 << 20;

impl ExtendedHeader {
    /// Sets the fields that `data`, the records of one extended header, contains. A zero byte ends the records. Returns
    /// None if a record is invalid.
    pub fn read(&mut self, mut data: &[u8]) -> Option<()> {
        while let Some(&first) = data.first() {
            if first == 0 {
                break;
            }
            let space = data.iter().take(20).position(|&byte| byte == b' ')?;
            let length = usize::try_from(decimal(data.get(..space)?)?).ok()?;
            let record = data.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|&byte| byte == b'=')?;
            self.set(record.get(..equals)?, record.get(equals + 1..)?)?;
            data = data.get(length..)?;
        }
        Some(())
    }

    /// Removes the fields that describe one sparse file: a global header must not apply them to all following members.
    pub fn clear_sparse(&mut self) {
        if std::mem::take(&mut self.has_sparse_name) {
            self.path = None;
        }
        self.offset = None;
        self.map = Vec::new();
        self.real_size = None;
        self.map_in_data = false;
    }

    /// Sets the field of one record; ignores other keys. Returns None if the value is invalid.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" if !self.has_sparse_name => self.path = non_empty(value),
            b"GNU.sparse.name" => {
                self.path = non_empty(value);
                self.has_sparse_name = true;
            }
            b"linkpath" => self.link_target = non_empty(value),
            b"size" if value.is_empty() => self.size = None,
            b"size" => self.size = Some(decimal(value)?),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.real_size = Some(decimal(value)?),
            b"GNU.sparse.major" => self.map_in_data = value == b"1",
            b"GNU.sparse.offset" => self.offset = Some(decimal(value)?),
            b"GNU.sparse.numbytes" => {
                let offset = self.offset.take()?;
                self.add_piece(offset, decimal(value)?)?;
            }
            b"GNU.sparse.map" => {
                let mut numbers = value.split(|&byte| byte == b',').map(decimal);
                while let Some(offset) = numbers.next() {
                    self.add_piece(offset?, numbers.next()??)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Adds a piece to the map; returns None if there are too many.
    fn add_piece(&mut self, offset: u64, length: u64) -> Option<()> {
        (self.map.len() < MAX_PIECES).then(|| self.map.push((offset, length)))
    }
}

fn non_empty(value: &[u8]) -> Option<Vec<u8>> {
    (!value.is_empty()).then(|| value.to_vec())
}

/// Returns the number in decimal digits; None for other characters, no digit, or a number above 64 bits.
#[must_use]
pub fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Returns a record with its correct length (two digits).
    fn record(text: &str) -> Vec<u8> {
        format!("{} {text}\n", text.len() + 4).into_bytes()
    }

    fn read(records: &[&str]) -> ExtendedHeader {
        let data: Vec<u8> = records.iter().flat_map(|text| record(text)).collect();
        let mut extended = ExtendedHeader::default();
        extended.read(&data).unwrap();
        extended
    }

    #[test]
    fn records_set_path_link_and_size() {
        let extended = read(&[
            "path=a/b=c",
            "linkpath=target",
            "size=8589934592",
            "comment=x",
        ]);
        assert_eq!(extended.path.as_deref(), Some(&b"a/b=c"[..]));
        assert_eq!(extended.link_target.as_deref(), Some(&b"target"[..]));
        assert_eq!(extended.size, Some(8_589_934_592));
    }

    #[test]
    fn wrong_lengths_are_broken() {
        for bad in [
            "99 path=a\n",
            "3 path=a\n",
            "path=a\n",
            "99999999999999999999 path=a\n",
        ] {
            assert!(
                ExtendedHeader::default().read(bad.as_bytes()).is_none(),
                "{bad}"
            );
        }
    }

    #[test]
    fn both_old_forms_of_a_sparse_map_are_read() {
        let pairs = ["GNU.sparse.offset=5", "GNU.sparse.numbytes=7"];
        assert_eq!(read(&pairs).map, [(5, 7)]);
        assert_eq!(read(&["GNU.sparse.map=10,2,30,4"]).map, [(10, 2), (30, 4)]);
        assert!(
            ExtendedHeader::default()
                .read(&record("GNU.sparse.map=10,2,30"))
                .is_none()
        );
    }

    #[test]
    fn the_name_of_a_sparse_file_replaces_its_generated_path() {
        let names = ["GNU.sparse.name=real", "path=GNUSparseFile.0/real"];
        assert_eq!(read(&names).path.as_deref(), Some(&b"real"[..]));
    }
}

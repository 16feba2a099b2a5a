//! Reads a DICOMDIR, the directory of a DICOM medium: the files that it lists (PS3.3 annex F, PS3.10 section 8.6).

use crate::frames::{each_element, each_item};
use crate::header::{
    DataSetVisitor, Element, Encoding, ParseError, Reader, TransferSyntax, Window, trim, visit,
};

/// DirectoryRecordSequence.
const DIRECTORY_RECORDS: u32 = 0x0004_1220;
/// ReferencedFileID.
const REFERENCED_FILE: u32 = 0x0004_1500;
/// ReferencedSOPInstanceUIDInFile.
const REFERENCED_INSTANCE: u32 = 0x0004_1511;

/// A file that a DICOMDIR lists.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// ReferencedFileID: its path below the folder of the DICOMDIR, components joined by `/`.
    pub path: Vec<u8>,
    /// ReferencedSOPInstanceUIDInFile; empty when absent.
    pub instance: Vec<u8>,
}

/// Returns the files that a DICOMDIR lists, in its order; None if it is not DICOM, or cannot be read to its end.
pub fn listed_files<W: Window>(window: &mut W) -> Option<Vec<ListedFile>> {
    let mut files = ListedFiles(Vec::new());
    matches!(visit(window, &mut files), Ok(true)).then_some(files.0)
}

/// The files of the directory records read so far.
struct ListedFiles(Vec<ListedFile>);

impl DataSetVisitor for ListedFiles {
    fn visit<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        start: u64,
        _: &TransferSyntax,
    ) -> Result<(), ParseError> {
        let encoding = reader.encoding;
        each_element(
            reader,
            start,
            u64::MAX,
            encoding,
            &mut |reader, element, encoding| {
                if element.tag == DIRECTORY_RECORDS {
                    self.read_records(reader, element, encoding)
                } else {
                    reader.after(element)
                }
            },
        )?;
        Ok(())
    }
}

impl ListedFiles {
    /// Adds the files that the items of DirectoryRecordSequence name; returns the offset after the sequence.
    fn read_records<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        sequence: &Element,
        outer: Encoding,
    ) -> Result<u64, ParseError> {
        each_item(
            reader,
            sequence,
            outer,
            &mut |reader, start, end, encoding| {
                let mut file = ListedFile::default();
                let reached =
                    each_element(reader, start, end, encoding, &mut |reader, element, _| {
                        match element.tag {
                            REFERENCED_FILE => file.path = path(reader.long_value(element)?),
                            REFERENCED_INSTANCE => {
                                file.instance = trim(reader.long_value(element)?).to_vec();
                            }
                            _ => {}
                        }
                        reader.after(element)
                    })?;
                if !file.path.is_empty() {
                    self.0.push(file);
                }
                Ok(reached)
            },
        )
    }
}

/// Returns the components of a file ID (PS3.10 section 8.2) as a path.
fn path(value: &[u8]) -> Vec<u8> {
    let components: Vec<&[u8]> = value
        .split(|byte| matches!(byte, b'\\' | b'/'))
        .map(trim)
        .filter(|component| !component.is_empty())
        .collect();
    components.join(&b'/')
}

//! The objects of one series, and facts from all their headers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::dates::complete_dates;
use super::numbering::number_frames;
use super::object::{Object, Pixels};
use super::obstacle::comparison_obstacle;
use super::parse::MAX_FRAMES;
use super::read::{read, read_any};
use super::stored::PixelReader;
use crate::regular;

/// The bytes of a file that permit one more frame of its series than [`MAX_FRAMES`]: half of a small uncompressed image
/// of 64 x 64 pixels.
const BYTES_PER_FRAME: u64 = 4096;

/// The objects of one series, in the order of their files.
#[derive(Debug, Default)]
pub struct Series {
    /// The files.
    pub files: Vec<PathBuf>,
    /// The object in each file; an empty object if a file is not DICOM.
    pub objects: Vec<Object>,
    /// Whether its objects state more frames than [`FrameCount`] permits. Then no object has frames.
    pub has_too_many_frames: bool,
}

/// Counts the frames of a series while its files are read, because a small file can state half a million frames, and
/// each of them takes memory. A series may have [`MAX_FRAMES`] frames, and one more for each [`BYTES_PER_FRAME`] bytes
/// of its files.
#[derive(Default)]
struct FrameCount {
    frames: u64,
    bytes: u64,
    is_exceeded: bool,
}

impl FrameCount {
    /// Returns the limit on frames of the next object.
    fn limit(&self) -> u32 {
        if self.is_exceeded { 0 } else { MAX_FRAMES }
    }

    /// Counts the frames of `object`, the next one after `objects`, from a file of `size` bytes. Removes the frames of
    /// all of them if they are too many.
    fn add(&mut self, objects: &mut [Object], object: &mut Object, size: u64) {
        self.frames = self.frames.saturating_add(object.frames.len() as u64);
        self.bytes = self.bytes.saturating_add(size);
        let most = u64::from(MAX_FRAMES).saturating_add(self.bytes / BYTES_PER_FRAME);
        if self.frames <= most {
            return;
        }
        self.is_exceeded = true;
        for object in objects.iter_mut().chain([object]) {
            object.frames = Vec::new();
        }
    }
}

/// The path of a file that cannot be read, and the error.
pub type FileError = (PathBuf, io::Error);

/// Facts of a series, from the headers of all its objects.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Facts {
    /// Objects with pixel data.
    pub objects_with_pixels: usize,
    /// Complete objects without pixel data.
    pub objects_without_pixels: usize,
    /// Number of objects of each SOP class (UID).
    pub classes: BTreeMap<String, usize>,
    /// Two-dimensional frames; each tile of a mosaic counts.
    pub slices: u64,
    /// Pixels of all frames.
    pub voxels: u64,
    /// Different sizes of the frames, ascending: rows and columns.
    pub frame_sizes: Vec<(u32, u32)>,
    /// Whether `slices` and `voxels` count all objects. This is so if each image has its size (a mosaic also its number
    /// of tiles), and if each object without pixel data is complete.
    pub is_countable: bool,
    /// Whether some object is a mosaic.
    pub has_mosaic: bool,
    /// SeriesNumber of the first object that has one.
    pub series_number: Option<i64>,
}

impl Series {
    /// Reads the headers of files, and computes the hashes of the pixel values that are compared with converted
    /// images.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read.
    pub fn read(files: Vec<PathBuf>) -> Result<Self, FileError> {
        let mut buffer = Vec::new();
        let mut values = Vec::new();
        let mut objects = Vec::with_capacity(files.len());
        let mut count = FrameCount::default();
        for path in &files {
            let failed = |error| (path.clone(), error);
            let file = regular::open(path).map_err(failed)?;
            let (object, used) = read(&file, buffer, count.limit()).map_err(failed)?;
            buffer = used;
            let mut object = object.unwrap_or_else(not_dicom);
            count.add(
                &mut objects,
                &mut object,
                file.metadata().map_err(failed)?.len(),
            );
            compute_values_hashes(&file, &mut object, &mut values).map_err(failed)?;
            objects.push(object);
        }
        number_frames(&mut objects);
        complete_dates(&mut objects);
        // A converter that applies the first encoding to all files may get only a few pixels wrong: all rows are
        // compared.
        if has_mixed_encodings(&objects) {
            for (path, object) in files.iter().zip(&mut objects) {
                object.compares_all_rows = true;
                regular::open(path)
                    .and_then(|file| compute_values_hashes(&file, object, &mut values))
                    .map_err(|error| (path.clone(), error))?;
            }
        }
        Ok(Self {
            files,
            objects,
            has_too_many_frames: count.is_exceeded,
        })
    }

    /// Reads the headers of files, which may be gzipped, but not their pixel values: no frame has a hash of values.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read.
    pub fn read_headers(files: Vec<PathBuf>) -> Result<Self, FileError> {
        let mut buffer = Vec::new();
        let mut objects = Vec::with_capacity(files.len());
        let mut count = FrameCount::default();
        for path in &files {
            let failed = |error| (path.clone(), error);
            let file = regular::open(path).map_err(failed)?;
            let (object, used) = read_any(&file, buffer, count.limit()).map_err(failed)?;
            buffer = used;
            let mut object = object.unwrap_or_else(not_dicom);
            count.add(
                &mut objects,
                &mut object,
                file.metadata().map_err(failed)?.len(),
            );
            // These texts are needed only to compare pixel values, and a series may have a hundred thousand objects.
            (object.transfer_syntax, object.photometric_interpretation) =
                (String::new(), String::new());
            objects.push(object);
        }
        complete_dates(&mut objects);
        Ok(Self {
            files,
            objects,
            has_too_many_frames: count.is_exceeded,
        })
    }

    /// Returns the files with a damaged header, and the files that end before their pixel data do. Also images without
    /// pixel data, if other objects of their SOP class have pixel data.
    pub fn truncated(&self) -> Vec<&Path> {
        let objects = &self.objects;
        // Presentation states and raw data of the same series have no pixels, though some have Rows and Columns.
        let with_pixels: BTreeSet<&str> = objects
            .iter()
            .filter(|object| object.pixels != Pixels::Absent)
            .map(|object| object.sop_class.as_str())
            .collect();
        let lacks = |object: &Object| {
            object.pixels == Pixels::Absent
                && object.rows > 0
                && object.columns > 0
                && with_pixels.contains(object.sop_class.as_str())
        };
        self.files
            .iter()
            .zip(objects)
            .filter(|(_, object)| object.is_truncated || lacks(object))
            .map(|(path, _)| path.as_path())
            .collect()
    }

    /// Returns the facts of the series.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts {
            is_countable: true,
            ..Facts::default()
        };
        for object in &self.objects {
            facts.add(object);
        }
        facts.frame_sizes.sort_unstable();
        facts.frame_sizes.dedup();
        facts
    }
}

/// Returns an empty object for a file that is not DICOM.
fn not_dicom() -> Object {
    Object {
        is_incomplete: true,
        ..Object::default()
    }
}

/// Returns whether the pixel encoding differs between objects.
fn has_mixed_encodings(objects: &[Object]) -> bool {
    let mut encodings = objects
        .iter()
        .filter(|object| object.pixels != Pixels::Absent)
        .map(|object| object.encoding);
    let first = encodings.next();
    encodings.any(|encoding| Some(encoding) != first)
}

/// Computes the hashes of the values of an object's frames; none if its values cannot be compared or are floating-point
/// numbers, or if a frame cannot be decoded. `values` is a buffer.
fn compute_values_hashes(
    file: &File,
    object: &mut Object,
    values: &mut Vec<i64>,
) -> io::Result<()> {
    if comparison_obstacle(object).is_some() || matches!(object.pixels, Pixels::Floating { .. }) {
        return Ok(());
    }
    let mut reader = PixelReader::default();
    let mut hashes = Vec::with_capacity(object.frames.len());
    for frame in &object.frames {
        match reader.values_hash(file, object, frame.index, values) {
            Ok(hash) => hashes.push(hash),
            // With a frame that cannot be decoded, no frame of the object is compared.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                object.pixels = match object.pixels {
                    Pixels::LosslessJpeg => Pixels::Unreadable,
                    _ => Pixels::Damaged,
                };
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    for (frame, hash) in object.frames.iter_mut().zip(hashes) {
        frame.values_hash = Some(hash);
    }
    Ok(())
}

impl Facts {
    /// Counts one object.
    fn add(&mut self, object: &Object) {
        *self.classes.entry(object.sop_class.clone()).or_default() += 1;
        self.series_number = self.series_number.or(object.series_number);
        if object.pixels == Pixels::Absent {
            self.objects_without_pixels += usize::from(!object.is_incomplete);
            self.is_countable &= !object.is_incomplete;
            return;
        }
        self.objects_with_pixels += 1;
        self.has_mosaic |= object.tiling.is_some();
        let (rows, columns) = (object.frame_rows(), object.frame_columns());
        let frames = match object.tiling {
            Some(tiling) => tiling.count,
            None => object.frame_count,
        };
        if rows == 0 || columns == 0 || frames == 0 {
            self.is_countable = false;
            return;
        }
        self.frame_sizes.push((rows, columns));
        let rows_of_frames = u64::from(frames) * u64::from(rows); // each factor is below 2^32
        self.slices = self.slices.saturating_add(u64::from(frames));
        let voxels = rows_of_frames.saturating_mul(u64::from(columns));
        self.voxels = self.voxels.saturating_add(voxels);
    }
}

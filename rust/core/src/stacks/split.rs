//! Stacks: the frames of a series by contrast, size and plane.

use std::collections::BTreeMap;

use crate::frames::{Component, Frame, Object, Pixels, Series};

/// Planes whose normals differ by less than this angle (rad) count as parallel: a scanner that corrects motion turns planes.
const PARALLEL_ANGLE: f64 = 0.15;

/// One frame of a stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct StackFrame<'s> {
    pub object: &'s Object,
    pub frame: &'s Frame,
    /// Index of the object in the series; each file contains one object.
    pub file: usize,
}

/// The frames of a stack in the order of their files.
#[derive(Debug, Default)]
pub(super) struct StackFrames<'s> {
    pub frames: Vec<StackFrame<'s>>,
    /// Unit normal of the plane of the first frame; None without an orientation, and if its direction cosines have none.
    pub normal: Option<[f64; 3]>,
    /// `M`, `P`, `R` or `I`; empty if the header has none or a mixed one.
    pub component: &'static str,
}

/// What distinguishes stacks besides their planes: echo time in µs, component (as in [`StackFrames`]), whether the frame is
/// derived, rows, columns.
type Contrast = (Option<i64>, &'static str, bool, u32, u32);

/// Returns the stacks of a series.
pub(super) fn split_into_stacks(series: &Series) -> Vec<StackFrames<'_>> {
    let mut stacks: BTreeMap<Contrast, Vec<StackFrames<'_>>> = BTreeMap::new();
    for (file, object) in series.objects.iter().enumerate() {
        if object.pixels == Pixels::Absent {
            continue;
        }
        for frame in &object.frames {
            let normal = normal(frame);
            let planes = stacks.entry(contrast(object, frame)).or_default();
            let known = planes
                .iter()
                .position(|plane| are_parallel(plane.normal, normal));
            let index = known.unwrap_or_else(|| {
                planes.push(StackFrames {
                    frames: Vec::new(),
                    normal,
                    component: component(frame),
                });
                planes.len().saturating_sub(1)
            });
            if let Some(plane) = planes.get_mut(index) {
                plane.frames.push(StackFrame {
                    object,
                    frame,
                    file,
                });
            }
        }
    }
    stacks.into_values().flatten().collect()
}

#[allow(clippy::cast_possible_truncation, reason = "an echo time in µs")]
fn contrast(object: &Object, frame: &Frame) -> Contrast {
    let echo = frame.attributes.echo_time;
    (
        echo.map(|time| (time * 1e3).round() as i64),
        component(frame),
        frame.attributes.is_derived,
        object.frame_rows(),
        object.frame_columns(),
    )
}

fn component(frame: &Frame) -> &'static str {
    match frame.attributes.component {
        Component::Magnitude => "M",
        Component::Phase => "P",
        Component::Real => "R",
        Component::Imaginary => "I",
        Component::Unknown | Component::Mixed => "",
    }
}

/// Returns the unit normal of a frame: the cross product of its direction cosines, divided by its length, because some
/// writers round the cosines to one digit. None without an orientation, and if the length is 0 or not finite.
fn normal(frame: &Frame) -> Option<[f64; 3]> {
    let [a, b, c, d, e, f] = frame.attributes.orientation?;
    let product = [b * f - c * e, c * d - a * f, a * e - b * d];
    let length = product.iter().map(|part| part * part).sum::<f64>().sqrt();
    (length > 0.0 && length.is_finite()).then(|| product.map(|part| part / length))
}

fn are_parallel(first: Option<[f64; 3]>, second: Option<[f64; 3]>) -> bool {
    match (first, second) {
        (Some([a, b, c]), Some([d, e, f])) => a * d + b * e + c * f > PARALLEL_ANGLE.cos(),
        (None, None) => true,
        _ => false,
    }
}

/// Returns the index of the file if its object has several frames or is a mosaic; else None. None also for a later part of a
/// concatenation, because a volume may continue in the next part. Scanners also write an object without other parts as the
/// first part, which has offset 0 or number 1. An object at offset 1 follows one of a single frame, which has no index here.
pub(super) fn multi_frame_file_index(stack_frame: &StackFrame<'_>) -> Option<i64> {
    let several = stack_frame.object.frame_count > 1 || stack_frame.object.tiling.is_some();
    let is_later_part = stack_frame.object.concatenation_place > Some(1);
    i64::try_from(stack_frame.file)
        .ok()
        .filter(|_| several && !is_later_part)
}

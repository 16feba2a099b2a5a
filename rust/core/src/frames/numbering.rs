//! Numbers of the frames of several objects with per-frame functional groups.

use super::object::Object;

impl Object {
    /// Returns the place of the object among those with per-frame functional groups of its series: its InstanceNumber, then
    /// its place in the concatenation, whose parts have one InstanceNumber (PS3.3 C.7.6.16.2.2.4). None for other objects.
    pub(crate) fn place(&self) -> Option<(Option<i64>, Option<i64>)> {
        self.numbers_frames
            .then_some((self.instance_number, self.concatenation_place))
    }
}

/// Continues the numbers of the frames from object to object, in the order of their places. The frames of objects with
/// the same place have numbers from the same first one.
pub(super) fn number_frames(objects: &mut [Object]) {
    let mut order: Vec<&mut Object> = objects
        .iter_mut()
        .filter(|object| object.numbers_frames)
        .collect();
    order.sort_by_key(|object| object.place());
    // Number of frames of all objects at earlier places.
    let mut before = 0;
    for same_place in order.chunk_by_mut(|one, other| one.place() == other.place()) {
        let mut count = 0;
        for object in same_place {
            for frame in &mut object.frames {
                let number = i64::from(frame.index) + 1;
                count = number.max(count);
                frame.attributes.instance_number = Some(before + number);
            }
        }
        before += count;
    }
}

#[cfg(test)]
mod tests {
    use super::number_frames;
    use crate::frames::{Frame, Object};

    fn object(instance_number: i64, concatenation_place: Option<i64>) -> Object {
        let frame = |index| Frame {
            index,
            ..Frame::default()
        };
        Object {
            numbers_frames: true,
            instance_number: Some(instance_number),
            concatenation_place,
            frames: (0..2).map(frame).collect(),
            ..Object::default()
        }
    }

    fn numbers(mut objects: Vec<Object>) -> Vec<i64> {
        number_frames(&mut objects);
        let frames = objects.iter().flat_map(|object| &object.frames);
        frames
            .filter_map(|frame| frame.attributes.instance_number)
            .collect()
    }

    #[test]
    fn frames_are_numbered_through_all_objects() {
        assert_eq!(
            numbers(vec![object(7, None), object(3, None)]),
            [3, 4, 1, 2]
        );
        let parts = [4, 0, 2].map(|offset| object(1, Some(offset)));
        assert_eq!(numbers(parts.into()), [5, 6, 1, 2, 3, 4]);
    }

    #[test]
    fn objects_at_one_place_have_the_same_numbers() {
        let objects = vec![object(1, None), object(1, None), object(2, None)];
        assert_eq!(numbers(objects), [1, 2, 1, 2, 3, 4]);
    }
}

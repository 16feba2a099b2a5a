//! Files without a patient or a series number.

use std::collections::HashMap;

/// Patient and number of the files of one group.
pub(super) type GroupKey = (String, Option<i64>);

/// Assigns files without a patient, then files without a number, to a group if only one is possible.
pub(super) fn fill_in(mut by_key: HashMap<GroupKey, Vec<usize>>) -> HashMap<GroupKey, Vec<usize>> {
    if by_key.len() == 1 {
        return by_key;
    }
    let mut patients: Vec<String> = by_key.keys().map(|(patient, _)| patient.clone()).collect();
    patients.sort();
    patients.dedup();
    if let [empty, only] = patients.as_slice() {
        if empty.is_empty() {
            by_key = rekeyed(by_key, |(patient, number)| {
                (
                    if patient.is_empty() {
                        only.clone()
                    } else {
                        patient
                    },
                    number,
                )
            });
        }
    }
    let mut numbers: HashMap<String, Vec<i64>> = HashMap::new();
    for (patient, number) in by_key.keys() {
        numbers.entry(patient.clone()).or_default().extend(number);
    }
    rekeyed(by_key, |(patient, number)| {
        let only = numbers.get(&patient).and_then(|all| match all.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        (patient, number.or(only))
    })
}

fn rekeyed(
    by_key: HashMap<GroupKey, Vec<usize>>,
    key: impl Fn(GroupKey) -> GroupKey,
) -> HashMap<GroupKey, Vec<usize>> {
    let mut result: HashMap<GroupKey, Vec<usize>> = HashMap::new();
    for (group_key, members) in by_key {
        result.entry(key(group_key)).or_default().extend(members);
    }
    result
}

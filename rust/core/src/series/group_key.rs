//! Files without a PatientID or a SeriesNumber: to which group of their series they belong.

use std::collections::HashMap;

/// PatientID in lower case (empty without one) and SeriesNumber of the files of one group of a series.
pub(super) type GroupKey = (String, Option<i64>);

/// Assigns files without a patient to the only patient of the series, then files without a number to the only number of
/// their patient. If there are several patients or numbers, these files remain separate groups. `by_key` has the indices of the
/// files of one series.
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

/// Replaces the key of each group by the result of `key`, and joins groups whose new keys are equal.
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

//! Files without a patient or a series number.

use std::collections::HashMap;

/// Patient and number of the files of one group.
pub(super) type Share = (String, Option<i64>);

/// Assigns files without a patient, then files without a number, to a group if only one is possible.
pub(super) fn joined(mut shares: HashMap<Share, Vec<usize>>) -> HashMap<Share, Vec<usize>> {
    if shares.len() == 1 {
        return shares;
    }
    let mut patients: Vec<String> = shares.keys().map(|(patient, _)| patient.clone()).collect();
    patients.sort();
    patients.dedup();
    if let [empty, only] = patients.as_slice() {
        if empty.is_empty() {
            shares = rekeyed(shares, |(patient, number)| {
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
    for (patient, number) in shares.keys() {
        numbers.entry(patient.clone()).or_default().extend(number);
    }
    rekeyed(shares, |(patient, number)| {
        let only = numbers.get(&patient).and_then(|all| match all.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        (patient, number.or(only))
    })
}

fn rekeyed(
    shares: HashMap<Share, Vec<usize>>,
    key: impl Fn(Share) -> Share,
) -> HashMap<Share, Vec<usize>> {
    let mut result: HashMap<Share, Vec<usize>> = HashMap::new();
    for (share, members) in shares {
        result.entry(key(share)).or_default().extend(members);
    }
    result
}

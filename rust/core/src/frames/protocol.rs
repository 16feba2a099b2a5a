//! The Siemens protocol text (MrPhoenixProtocol): lines `name = value` between two marks.

use std::collections::BTreeMap;

use super::elements::finite_number;

/// Names of the numbers that are read.
const NUMBERS: [&str; 11] = [
    "lRepetitions",
    "lContrasts",
    "sSliceArray.lSize",
    "sKSpace.ucPhasePartialFourier",
    "sKSpace.ucDimension",
    "sPat.lAccelFactPE",
    "sPat.ucPATMode",
    "sSliceAcceleration.lMultiBandFactor",
    "sDiffusion.lDiffWeightings",
    "sDiffusion.ulMode",
    "sAsl.ulMode",
];
/// Name of the text that is read: the program of the pulse sequence.
const SEQUENCE: &str = "tSequenceFileName";
/// The mark before the lines.
const BEGIN: &str = "### ASCCONV BEGIN";
/// The mark after the lines.
const END: &str = "### ASCCONV END";
/// Prefix of the names of values from a protocol text.
pub(super) const PREFIX: &str = "Protocol.";

/// Adds the used values of a protocol text, and the text `Protocol.read`, which says that a protocol exists. Adds
/// nothing if the first mark is missing; reads to the end of the text if only the second one is missing.
pub(super) fn read(
    text: &str,
    numbers: &mut BTreeMap<String, Vec<f64>>,
    texts: &mut BTreeMap<String, String>,
) {
    let Some((_, rest)) = text.split_once(BEGIN) else {
        return;
    };
    let part = rest.split(END).next().unwrap_or_default();
    texts.insert(format!("{PREFIX}read"), "yes".to_owned());
    for line in part.lines() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let (name, value) = (name.trim(), value.split('#').next().unwrap_or_default());
        let value = value.trim().trim_matches('"');
        if name == SEQUENCE {
            texts.insert(format!("{PREFIX}{name}"), value.to_owned());
        } else if NUMBERS.contains(&name) {
            if let Some(number) = number(value) {
                numbers.insert(format!("{PREFIX}{name}"), vec![number]);
            }
        }
    }
}

/// Parses a decimal or hexadecimal number.
fn number(text: &str) -> Option<f64> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok().map(f64::from),
        None => finite_number(text),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_lines_between_the_marks_count() {
        let text = "lRepetitions = 1\n### ASCCONV BEGIN object ###\nlRepetitions\t = \t299\nsAsl.ulMode = 0x4 # mode\n\
                    tSequenceFileName = \"\"%SiemensSeq%\\ep2d_bold\"\"\n### ASCCONV END ###\nlContrasts = 5\n";
        let (mut numbers, mut texts) = (BTreeMap::new(), BTreeMap::new());
        read(text, &mut numbers, &mut texts);
        assert_eq!(numbers.get("Protocol.lRepetitions").unwrap(), &[299.0]);
        assert_eq!(numbers.get("Protocol.sAsl.ulMode").unwrap(), &[4.0]);
        assert!(!numbers.contains_key("Protocol.lContrasts"));
        assert_eq!(
            texts.get("Protocol.tSequenceFileName").unwrap(),
            "%SiemensSeq%\\ep2d_bold"
        );
    }

    #[test]
    fn a_text_without_marks_is_no_protocol() {
        let (mut numbers, mut texts) = (BTreeMap::new(), BTreeMap::new());
        read("lRepetitions = 1", &mut numbers, &mut texts);
        assert!(numbers.is_empty() && texts.is_empty());
    }
}

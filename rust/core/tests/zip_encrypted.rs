//! Archives that other programs encrypted, and their single member decrypted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{self, Read};

use qxbatch_core::archive::source::Source;
use qxbatch_core::archive::zip::decryption::{Attempt, EncryptedMember};
use qxbatch_core::archive::zip::unzip::{check_crc, unpack};
use qxbatch_core::archive::zip::{list, local};
use qxbatch_core::monitor::Monitor;

const CONTENT: &[u8] = b"words known to both sides\n";
const PASSWORD: &[u8] = b"secret";

/// Made with `7z a -tzip -mem=... -psecret` and `zip -P secret`.
const ARCHIVES: [(&str, &str); 6] = [
    (
        "AES of 128 bits, AE-2, by 7-Zip 26.02",
        "504b030433000100630000002100000000002e0000001a00000009000b006b6e6f776e2e7478740199070002\
         004145010000f44710689c134eb8a78bffb10935b3c8c4cc5aaca361fdf7d23bdf6b3e2c37446a26724cd066\
         b5c2500596c67123504b01023f0333000100630000002100000000002e0000001a00000009000b0000000000\
         00002080a481000000006b6e6f776e2e7478740199070002004145010000504b050600000000010001004200\
         0000600000000000",
    ),
    (
        "AES of 192 bits",
        "504b03043300010063000000210000000000320000001a00000009000b006b6e6f776e2e7478740199070002\
         0041450200003a364393e72d3379b84a4f141774eaa8ebf4ebb7e953840c81f67d05432dd39392e0ad3f53dc\
         d92bf9b18ab9f7f671c040a9504b01023f033300010063000000210000000000320000001a00000009000b00\
         0000000000002080a481000000006b6e6f776e2e7478740199070002004145020000504b0506000000000100\
         010042000000640000000000",
    ),
    (
        "AES of 256 bits",
        "504b03043300010063000000210000000000360000001a00000009000b006b6e6f776e2e7478740199070002\
         0041450300007ce1f8af7e469013d6db650587264555458e32bec6348b2e783c0ee671e7faeeebe6fdd46693\
         e4603786758820113cbb9831534e34f7504b01023f033300010063000000210000000000360000001a000000\
         09000b000000000000002080a481000000006b6e6f776e2e7478740199070002004145030000504b05060000\
         00000100010042000000680000000000",
    ),
    (
        "the traditional way, check byte of the CRC, by 7-Zip",
        "504b030414000100000000002100c7b754e9260000001a000000090000006b6e6f776e2e7478740550554268\
         e9da34a4c2f1731eaf9822afaedf66d38f9657b5c7afd470ad03b14f7c8cc53afc504b01023f031400010000\
         0000002100c7b754e9260000001a000000090000000000000000002080a481000000006b6e6f776e2e747874\
         504b05060000000001000100370000004d0000000000",
    ),
    (
        "the traditional way, check byte of the time, by Info-ZIP 3.0",
        "504b03040a0009000000e0512f58c7b754e9260000001a000000090000006b6e6f776e2e747874680d050139\
         2e344c4b6d51f26843352504c367862d9c79fcc6e703994094594b0ca3dc64b6fe504b0708c7b754e9260000\
         001a000000504b01021e030a0009000000e0512f58c7b754e9260000001a0000000900000000000000010000\
         00a481000000006b6e6f776e2e747874504b05060000000001000100370000005d0000000000",
    ),
    (
        "the same with sizes behind the data, deflated",
        "504b0304140009000800e0512f580000e051000000001a000000090000006b6e6f776e2e747874030e4bace0\
         f6012054e95deabe2a7683d7e8265cf8010364f1de8857c3ed404d917d55e3975f320f504b0708c7b754e928\
         0000001a000000504b01021e03140009000800e0512f58c7b754e9280000001a000000090000000000000001\
         000000a481000000006b6e6f776e2e747874504b05060000000001000100370000005f0000000000",
    ),
];

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .map(|digit| digit.to_digit(16).unwrap())
        .collect();
    let pairs = digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]);
    pairs.map(|byte| u8::try_from(byte).unwrap()).collect()
}

/// Returns the content of the only member, or the result of the password.
fn opened(archive: &[u8], password: &[u8]) -> Result<Vec<u8>, String> {
    let directory = list(&archive, 10);
    assert_eq!(directory.damage, Vec::<String>::new());
    let [entry] = directory.entries.as_slice() else {
        panic!("one member")
    };
    let encryption = entry.encryption.expect("encrypted");
    let found = local::read(&archive, entry).unwrap();
    assert!(found.is_encrypted);
    let locked = EncryptedMember::read(&archive, entry, encryption, found.data_offset).unwrap();
    match locked.open(password, &Monitor::default()).unwrap() {
        Attempt::WrongPassword => Err("unfit".into()),
        Attempt::Damaged(reason) => Err(reason),
        Attempt::Decrypted(packed) => {
            let inside = entry.decrypted_entry(encryption).unwrap();
            let mut content = Vec::new();
            let mut reader = unpack(packed, &inside).unwrap();
            reader.read_to_end(&mut content).map_err(|_| "damaged")?;
            let sum = crc32fast::hash(&content);
            check_crc(&inside, sum).map_err(|_| "another CRC")?;
            Ok(content)
        }
    }
}

#[test]
fn the_password_gives_what_the_other_program_packed() {
    for (by, archive) in ARCHIVES {
        assert_eq!(
            opened(&bytes(archive), PASSWORD).as_deref(),
            Ok(CONTENT),
            "{by}"
        );
    }
}

#[test]
fn a_wrong_password_gives_nothing() {
    for (by, archive) in ARCHIVES {
        for password in [b"Secret".as_slice(), b"", b"secret ", &[0xff; 300]] {
            assert!(opened(&bytes(archive), password).is_err(), "{by}");
        }
    }
}

#[test]
fn a_byte_turned_over_never_gives_other_content() {
    for (by, archive) in ARCHIVES {
        let sound = bytes(archive);
        let mut windows = sound.windows(4);
        let directory = windows.position(|window| window == b"PK\x01\x02").unwrap();
        let name = 30 + "known.txt".len();
        for at in name..directory {
            let mut broken = sound.clone();
            broken[at] ^= 0x10;
            let found = opened(&broken, PASSWORD);
            assert!(
                found.is_err() || found.as_deref() == Ok(CONTENT),
                "{by}, byte {at}"
            );
        }
    }
}

/// A file whose data cannot be read from the disk, unlike the bytes before and after them.
struct FaultyDisk<'a> {
    bytes: &'a [u8],
    fault: u64,
}

impl Source for FaultyDisk<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        if (offset..offset + buffer.len() as u64).contains(&self.fault) {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.bytes.read_exact_at(buffer, offset)
    }
}

#[test]
fn data_that_the_disk_cannot_read_are_not_called_cut_short() {
    let archive = bytes(ARCHIVES[0].1);
    let directory = list(&archive.as_slice(), 10);
    let entry = &directory.entries[0];
    let encryption = entry.encryption.unwrap();
    let data = local::read(&archive.as_slice(), entry).unwrap().data_offset;
    let disk = FaultyDisk {
        bytes: &archive,
        fault: data + 15,
    };
    let member = EncryptedMember::read(&disk, entry, encryption, data).unwrap();
    match member.open(PASSWORD, &Monitor::default()).unwrap() {
        Attempt::Damaged(reason) => assert_eq!(reason, "Input/output error"),
        Attempt::WrongPassword | Attempt::Decrypted(_) => panic!("the data were read"),
    }
}

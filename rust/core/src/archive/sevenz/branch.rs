//! Branch filters: they restore the jump addresses of machine code, which were made absolute before compression. The
//! filters are those of the crate lzma-rust2.

use std::io::Read;

use lzma_rust2::filter::bcj::BcjReader;

use super::method::Machine;

/// Returns the stream with its original addresses.
pub fn restore<'a>(
    machine: Machine,
    packed: Box<dyn Read + Send + 'a>,
) -> Box<dyn Read + Send + 'a> {
    Box::new(match machine {
        Machine::X86 => BcjReader::new_x86(packed, 0),
        Machine::Ppc => BcjReader::new_ppc(packed, 0),
        Machine::Ia64 => BcjReader::new_ia64(packed, 0),
        Machine::Arm => BcjReader::new_arm(packed, 0),
        Machine::ArmThumb => BcjReader::new_arm_thumb(packed, 0),
        Machine::Sparc => BcjReader::new_sparc(packed, 0),
        Machine::Arm64 => BcjReader::new_arm64(packed, 0),
        Machine::Riscv => BcjReader::new_riscv(packed, 0),
    })
}

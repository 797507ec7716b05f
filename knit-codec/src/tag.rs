//! Slots: one 64-bit word is a double, or a tag with an operand, hidden among the NaNs.
//!
//! ```text
//! bits 63..48  47..40  39..32  31..0
//!      FFFE     tag     aux     lo     a tagged slot
//!      below FFF9 anything             a double
//! ```
//! FORMAT.md is the source of every number here.

pub(crate) const HEAD: u8 = 0x00;
pub(crate) const UNDEFINED: u8 = 0x01;
pub(crate) const NULL: u8 = 0x02;
pub(crate) const FALSE: u8 = 0x03;
pub(crate) const TRUE: u8 = 0x04;
pub(crate) const HOLES: u8 = 0x05;
pub(crate) const STRING: u8 = 0x06;
pub(crate) const BIGINT64: u8 = 0x07;
pub(crate) const BIGINT: u8 = 0x08;
pub(crate) const DATE: u8 = 0x09;
pub(crate) const OBJECT_SHARED: u8 = 0x0A;
pub(crate) const OBJECT_NEW: u8 = 0x0B;
pub(crate) const OBJECT_LOCAL: u8 = 0x0C;
pub(crate) const ARRAY: u8 = 0x0D;
pub(crate) const ARRAY_NUMBERS: u8 = 0x0E;
pub(crate) const ARRAY_HOLEY: u8 = 0x0F;
pub(crate) const MAP: u8 = 0x10;
pub(crate) const SET: u8 = 0x11;
pub(crate) const REGEXP: u8 = 0x12;
pub(crate) const URL: u8 = 0x13;
pub(crate) const SYMBOL: u8 = 0x14;
pub(crate) const BINARY: u8 = 0x15;
pub(crate) const BINARY_BLOCK: u8 = 0x16;
pub(crate) const STRING_BLOCK: u8 = 0x17;
pub(crate) const ERROR: u8 = 0x18;
pub(crate) const REF: u8 = 0x19;
pub(crate) const SHARED_MEMORY: u8 = 0x1A;
pub(crate) const ENVELOPE: u8 = 0x1B;
/// Not a tag: how errors and expectations name a plain number.
pub(crate) const NUMBER: u8 = 0xFF;

/// `HEAD` aux, bit 2: the message has `REF`s.
pub(crate) const HEAD_REFS: u8 = 4;
/// `HEAD` aux, bit 3: the message has blocks.
pub(crate) const HEAD_BLOCKS: u8 = 8;

/// The only NaN that is ever written.
pub(crate) const CANONICAL_NAN: u64 = 0x7FF8_0000_0000_0000;
/// The first slot that is no double.
pub(crate) const FIRST_RESERVED: u64 = 0xFFF9_0000_0000_0000;
/// The upper 16 bits of every tagged slot.
pub(crate) const TAGGED: u16 = 0xFFFE;

/// Bytes of a slot.
pub(crate) const SLOT: usize = 8;
/// The most keys of a shape.
pub(crate) const MAX_KEYS: usize = 65_535;

#[inline]
pub(crate) const fn slot(tag: u8, aux: u8, lo: u32) -> u64 {
    ((TAGGED as u64) << 48) | ((tag as u64) << 40) | ((aux as u64) << 32) | lo as u64
}

/// The bits of a number as a slot: its own, or the canonical NaN's.
#[inline]
pub(crate) fn number(value: f64) -> u64 {
    if value.is_nan() {
        CANONICAL_NAN
    } else {
        value.to_bits()
    }
}

/// The number in a raw slot, NaN made canonical.
#[inline]
pub(crate) fn double(bits: u64) -> f64 {
    let value = f64::from_bits(bits);
    if value.is_nan() {
        f64::from_bits(CANONICAL_NAN)
    } else {
        value
    }
}

/// Bytes rounded up to whole slots.
#[inline]
pub(crate) const fn padded(bytes: usize) -> usize {
    bytes.div_ceil(SLOT) * SLOT
}

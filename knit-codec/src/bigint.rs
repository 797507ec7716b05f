//! Integers of any size.
//!
//! No arithmetic, only what a value needs to travel: sign, magnitude, conversions, equality, and decimal text. What fits an `i64` is
//! kept as one, so the representation of a number is unique.

use std::fmt;

/// A `bigint` of JavaScript.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BigInt(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Small(i64),
    /// Only for what does not fit; lowest limb first, the highest not 0.
    Large {
        negative: bool,
        limbs: Box<[u64]>,
    },
}

impl BigInt {
    /// From a sign and a magnitude, lowest limb first; leading zeros are dropped, and zero has no sign.
    pub fn from_limbs(negative: bool, limbs: &[u64]) -> Self {
        let used = limbs
            .iter()
            .rposition(|limb| *limb != 0)
            .map_or(0, |last| last + 1);
        match small(negative, &limbs[..used]) {
            Some(value) => Self(Repr::Small(value)),
            None => Self(Repr::Large {
                negative,
                limbs: limbs[..used].into(),
            }),
        }
    }

    /// The same from the limbs' bytes, little-endian.
    pub(crate) fn from_limb_bytes(negative: bool, bytes: &[u8]) -> Self {
        let limb = |chunk: &[u8]| {
            chunk
                .iter()
                .rev()
                .fold(0, |limb, byte| limb << 8 | u64::from(*byte))
        };
        let limbs: Vec<u64> = bytes.chunks_exact(8).map(limb).collect();
        Self::from_limbs(negative, &limbs)
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        match self.0 {
            Repr::Small(value) => value < 0,
            Repr::Large { negative, .. } => negative,
        }
    }

    /// The magnitude, lowest limb first; none for zero.
    pub fn limbs(&self) -> Vec<u64> {
        match &self.0 {
            Repr::Small(0) => Vec::new(),
            Repr::Small(value) => vec![value.unsigned_abs()],
            Repr::Large { limbs, .. } => limbs.to_vec(),
        }
    }

    /// As an `i64`, if it fits.
    pub fn to_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Small(value) => Some(value),
            Repr::Large { .. } => None,
        }
    }

    /// As an `i128`, if it fits.
    pub fn to_i128(&self) -> Option<i128> {
        match &self.0 {
            Repr::Small(value) => Some((*value).into()),
            Repr::Large { negative, limbs } => wide(limbs).and_then(|magnitude| {
                if *negative {
                    0i128.checked_sub_unsigned(magnitude)
                } else {
                    i128::try_from(magnitude).ok()
                }
            }),
        }
    }

    /// As a `u128`, if it fits.
    pub fn to_u128(&self) -> Option<u128> {
        match &self.0 {
            Repr::Small(value) => u128::try_from(*value).ok(),
            Repr::Large { negative: true, .. } => None,
            Repr::Large { limbs, .. } => wide(limbs),
        }
    }

    /// The large form: sign and limbs.
    pub(crate) fn large(&self) -> Option<(bool, &[u64])> {
        match &self.0 {
            Repr::Small(_) => None,
            Repr::Large { negative, limbs } => Some((*negative, limbs)),
        }
    }
}

/// The value of a trimmed magnitude as an `i64`, if it fits.
pub(crate) fn small(negative: bool, limbs: &[u64]) -> Option<i64> {
    match (limbs, negative) {
        ([], _) => Some(0),
        ([limb], false) => i64::try_from(*limb).ok(),
        ([limb], true) => 0i64.checked_sub_unsigned(*limb),
        _ => None,
    }
}

fn wide(limbs: &[u64]) -> Option<u128> {
    match limbs {
        [] => Some(0),
        [low] => Some((*low).into()),
        [low, high] => Some(u128::from(*high) << 64 | u128::from(*low)),
        _ => None,
    }
}

impl From<i64> for BigInt {
    fn from(value: i64) -> Self {
        Self(Repr::Small(value))
    }
}

impl From<u64> for BigInt {
    fn from(value: u64) -> Self {
        Self::from_limbs(false, &[value])
    }
}

impl From<u128> for BigInt {
    fn from(value: u128) -> Self {
        Self::from_limbs(false, &[value as u64, (value >> 64) as u64])
    }
}

impl From<i128> for BigInt {
    fn from(value: i128) -> Self {
        let magnitude = value.unsigned_abs();
        Self::from_limbs(value < 0, &[magnitude as u64, (magnitude >> 64) as u64])
    }
}

impl fmt::Display for BigInt {
    /// Decimal, as `String(bigint)` gives it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHUNK: u64 = 10_000_000_000_000_000_000;
        let (negative, limbs) = match &self.0 {
            Repr::Small(value) => return fmt::Display::fmt(value, f),
            Repr::Large { negative, limbs } => (*negative, limbs),
        };
        let mut rest = limbs.to_vec();
        let mut chunks = Vec::new();
        while rest.iter().any(|limb| *limb != 0) {
            let mut remainder = 0u128;
            for limb in rest.iter_mut().rev() {
                let part = remainder << 64 | u128::from(*limb);
                *limb = (part / u128::from(CHUNK)) as u64;
                remainder = part % u128::from(CHUNK);
            }
            chunks.push(remainder as u64);
        }
        if negative {
            f.write_str("-")?;
        }
        write!(f, "{}", chunks.pop().unwrap_or(0))?;
        chunks
            .iter()
            .rev()
            .try_for_each(|chunk| write!(f, "{chunk:019}"))
    }
}

impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}n")
    }
}

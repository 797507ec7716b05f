//! The values that the codecs write and read: those of the runtime benches (`runtime/harness/payloads.ts`).

use serde::{Deserialize, Serialize};

/// A small message.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Small {
    /// Text.
    pub msg: String,
    /// A number.
    pub id: u32,
}

/// Part of a [`Record`].
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Address {
    /// A city.
    pub city: String,
    /// Digits.
    pub zip: String,
}

/// A nested record of some 90 bytes of JSON.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Record {
    /// Its number.
    pub id: u32,
    /// A name.
    pub name: String,
    /// A flag.
    pub active: bool,
    /// A number that is no integer.
    pub score: f64,
    /// A record within.
    pub address: Address,
}

/// `{ msg, id }`.
pub fn small() -> Small {
    Small {
        msg: "hello".to_owned(),
        id: 7,
    }
}

/// `n` nested records.
pub fn records(n: u32) -> Vec<Record> {
    (0..n)
        .map(|i| Record {
            id: i,
            name: format!("user-{i}"),
            active: i % 3 == 0,
            score: f64::from(i) * 1.25,
            address: Address {
                city: if i % 2 == 0 { "Lisbon" } else { "Oslo" }.to_owned(),
                zip: (10_000 + i).to_string(),
            },
        })
        .collect()
}

/// 100 numbers that are no integers.
pub fn doubles() -> Vec<f64> {
    (0..100).map(|i| f64::from(i) * 1.5 + 0.25).collect()
}

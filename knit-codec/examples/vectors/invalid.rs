//! Messages that must be refused: every rule of FORMAT.md broken once.

/// A message and the code with which it is refused.
pub struct Refusal {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub shapes: Option<Vec<u32>>,
    pub error: &'static str,
}

/// A tagged slot.
pub fn slot(tag: u8, aux: u8, lo: u32) -> u64 {
    (0xFFFE << 48) | (u64::from(tag) << 40) | (u64::from(aux) << 32) | u64::from(lo)
}

/// Slots as bytes.
pub fn bare(slots: &[u64]) -> Vec<u8> {
    slots.iter().flat_map(|slot| slot.to_le_bytes()).collect()
}

/// A message with a head that says where its text begins.
pub fn message(aux: u8, slots: &[u64], text: &[u8]) -> Vec<u8> {
    let head = slot(0, aux, 8 * (slots.len() as u32 + 1));
    [bare(&[head]), bare(slots), text.to_vec()].concat()
}

const ONE: u64 = 0x3FF0_0000_0000_0000;

/// All of them.
pub fn all() -> Vec<Refusal> {
    let mut all = Vec::new();
    let mut refuse = |error, cases: Vec<(&'static str, Vec<u8>)>| {
        all.extend(cases.into_iter().map(|(name, bytes)| Refusal {
            name,
            bytes,
            shapes: None,
            error,
        }));
    };
    refuse("ReservedSlot", reserved());
    refuse("UnknownTag", unknown());
    refuse("UnexpectedTag", unexpected());
    refuse("BadOperand", operands());
    refuse("BadOperand", shapes());
    refuse("Truncated", truncated());
    refuse("TrailingBytes", trailing());
    refuse(
        "TooDeep",
        vec![(
            "arrays nested 1 001 deep",
            message(
                0,
                &[vec![slot(0x0D, 0, 1); 1000], vec![slot(0x0D, 0, 0)]].concat(),
                b"",
            ),
        )],
    );
    refuse("BadReference", references());
    refuse("UnknownShape", unknown_shapes());
    refuse("BadText", texts());
    all.push(Refusal {
        name: "shape past the end of the table",
        bytes: message(0, &[slot(0x0A, 0, 1), ONE], b""),
        shapes: Some(vec![4, 1, 1, 1, 0x61]),
        error: "UnknownShape",
    });
    all
}

type Cases = Vec<(&'static str, Vec<u8>)>;

fn reserved() -> Cases {
    vec![
        ("first reserved slot", bare(&[0xFFF9_0000_0000_0000])),
        (
            "last slot reserved below the tags",
            bare(&[0xFFFD_FFFF_FFFF_FFFF]),
        ),
        (
            "slot reserved above the tags",
            bare(&[0xFFFF_0000_0000_0000]),
        ),
        (
            "reserved slot in an array",
            message(0, &[slot(0x0D, 0, 1), u64::MAX], b""),
        ),
        (
            "reserved slot as a key",
            message(0, &[slot(0x0B, 0, 1), u64::MAX, ONE], b""),
        ),
    ]
}

fn unknown() -> Cases {
    vec![
        ("first unknown tag", bare(&[slot(0x1C, 0, 0)])),
        (
            "last unknown tag",
            message(0, &[slot(0x0D, 0, 1), slot(0xFF, 0, 0)], b""),
        ),
    ]
}

fn unexpected() -> Cases {
    vec![
        ("array without a head", bare(&[slot(0x0D, 0, 0)])),
        ("number after a head", message(0, &[ONE], b"")),
        ("null after a head", message(0, &[slot(2, 0, 0)], b"")),
        ("a second head", message(0, &[slot(0, 0, 16)], b"")),
        (
            "head in an array",
            message(0, &[slot(0x0D, 0, 1), slot(0, 0, 24)], b""),
        ),
        ("holes at the root", message(0, &[slot(5, 0, 1)], b"")),
        (
            "holes in an array without holes",
            message(0, &[slot(0x0D, 0, 1), slot(5, 0, 1)], b""),
        ),
        (
            "holes in a set",
            message(0, &[slot(0x11, 0, 1), slot(5, 0, 1)], b""),
        ),
        (
            "number as a key",
            message(0, &[slot(0x0B, 0, 1), ONE, ONE], b""),
        ),
        (
            "null as the flags of a regexp",
            message(0, &[slot(0x12, 0, 0), slot(6, 0, 1), slot(2, 0, 0)], b"a"),
        ),
        ("number as a url", message(0, &[slot(0x13, 0, 0), ONE], b"")),
        (
            "number as the key of a symbol",
            message(0, &[slot(0x14, 0, 0), ONE], b""),
        ),
        (
            "number as the message of an error",
            message(0, &[slot(0x18, 0, 2), ONE], b""),
        ),
        (
            "number as the errors of an error",
            message(0, &[slot(0x18, 7, 32), ONE], b""),
        ),
        (
            "array as the properties of an error",
            message(0, &[slot(0x18, 0, 64), slot(0x0D, 0, 0)], b""),
        ),
        (
            "reference without the flag",
            message(0, &[slot(0x0D, 0, 1), slot(0x19, 0, 0)], b""),
        ),
        (
            "binary block without the flag",
            message(0, &[slot(0x16, 3, 8), 1], b""),
        ),
        (
            "string block without the flag",
            message(0, &[slot(0x17, 0, 8), 1, 8], b""),
        ),
    ]
}

fn operands() -> Cases {
    vec![
        ("undefined with an aux", bare(&[slot(1, 1, 0)])),
        ("null with an operand", bare(&[slot(2, 0, 1)])),
        ("string with an aux", message(0, &[slot(6, 1, 0)], b"")),
        (
            "key with an aux",
            message(0, &[slot(0x0B, 0, 1), slot(6, 1, 0), ONE], b""),
        ),
        (
            "bigint of 64 bits with an operand",
            bare(&[slot(7, 0, 1), 0]),
        ),
        ("date with an operand", bare(&[slot(9, 0, 1), 0])),
        ("array with an aux", message(0, &[slot(0x0D, 1, 0)], b"")),
        (
            "envelope with an operand",
            message(0, &[slot(0x1B, 0, 2), ONE, ONE], b""),
        ),
        (
            "url with an operand",
            message(0, &[slot(0x13, 0, 1), slot(6, 0, 0)], b""),
        ),
        (
            "holes with an aux",
            message(0, &[slot(0x0F, 0, 1), slot(5, 1, 1)], b""),
        ),
        (
            "unknown flag of the head",
            message(16, &[slot(0x0D, 0, 0)], b""),
        ),
        (
            "unknown text encoding",
            message(3, &[slot(0x0D, 0, 0)], b""),
        ),
        (
            "text not at a multiple of 8",
            bare(&[slot(0, 0, 12), slot(0x0D, 0, 0)]),
        ),
        ("bigint that is too short", bare(&[slot(8, 0, 1), 1])),
        (
            "lowest 64-bit bigint as a long one",
            bare(&[slot(8, 1, 1), 1 << 63]),
        ),
        ("bigint without limbs", bare(&[slot(8, 0, 0)])),
        (
            "bigint with a leading zero",
            bare(&[slot(8, 0, 2), u64::MAX, 0]),
        ),
        (
            "bigint with an unknown flag",
            bare(&[slot(8, 2, 1), u64::MAX]),
        ),
        (
            "object with an unknown flag",
            message(0, &[slot(0x0B, 2, 0)], b""),
        ),
        (
            "packed numbers without numbers",
            message(0, &[slot(0x0E, 0, 0)], b""),
        ),
        (
            "run of no holes",
            message(0, &[slot(0x0F, 0, 1), slot(5, 0, 0)], b""),
        ),
        (
            "too many holes",
            message(0, &[slot(0x0F, 0, 1), slot(5, 0, u32::MAX)], b""),
        ),
        (
            "array too long",
            message(
                0,
                &[slot(0x0F, 0, 3), slot(5, 0, u32::MAX - 1), ONE, ONE],
                b"",
            ),
        ),
        (
            "unknown kind of bytes",
            message(0, &[slot(0x15, 15, 0)], b""),
        ),
        ("half an element", message(0, &[slot(0x15, 7, 6), 0], b"")),
        (
            "padding that is not zero",
            message(0, &[slot(0x15, 3, 1), 0x100], b""),
        ),
        (
            "half an element in a block",
            message(8, &[slot(0x16, 12, 4), 1], b""),
        ),
        (
            "unknown encoding of a string block",
            message(8, &[slot(0x17, 3, 1), 1, 1], b""),
        ),
        (
            "string block with too few bytes",
            message(8, &[slot(0x17, 2, 2), 1, 2], b""),
        ),
        (
            "string block of 2^32 bytes",
            message(8, &[slot(0x17, 1, 2), 1, 1 << 32], b""),
        ),
        (
            "unknown class of errors",
            message(0, &[slot(0x18, 8, 0)], b""),
        ),
        (
            "unknown field of an error",
            message(0, &[slot(0x18, 0, 128)], b""),
        ),
        (
            "unknown kind of shared memory",
            message(0, &[slot(0x1A, 2, 8), 1, 0], b""),
        ),
        (
            "view of shared memory of an unknown kind",
            message(0, &[slot(0x1A, 16, 8), 1, 0], b""),
        ),
        (
            "view of shared memory of half an element",
            message(0, &[slot(0x1A, 16 + 7, 6), 1, 0], b""),
        ),
        (
            "view of shared memory between two elements",
            message(0, &[slot(0x1A, 16 + 10, 8), 1, 4], b""),
        ),
        (
            "shared memory at 2^32",
            message(0, &[slot(0x1A, 0, 8), 1, 1 << 32], b""),
        ),
    ]
}

fn shapes() -> Cases {
    let keys = |n: u32, text: &[u8]| {
        let mut slots = vec![slot(0x0B, 0, n)];
        slots.extend((0..n).map(|_| slot(6, 0, 1)));
        slots.extend((0..n).map(|_| ONE));
        message(0, &slots, text)
    };
    vec![
        ("a key twice", keys(2, b"aa")),
        (
            "a key twice among many",
            keys(26, b"abcdefghijklmnopqrstuvwxya"),
        ),
    ]
}

fn truncated() -> Cases {
    vec![
        ("nothing", vec![]),
        ("half a slot", vec![0; 4]),
        ("head alone", bare(&[slot(0, 0, 8)])),
        (
            "text past the end",
            bare(&[slot(0, 0, 24), slot(0x0D, 0, 0)]),
        ),
        ("bigint of 64 bits without its slot", bare(&[slot(7, 0, 0)])),
        ("bigint without its limbs", bare(&[slot(8, 0, 3), u64::MAX])),
        ("date without its slot", bare(&[slot(9, 0, 0)])),
        (
            "array without its last element",
            message(0, &[slot(0x0D, 0, 2), ONE], b""),
        ),
        (
            "array of 2^32 - 1 elements",
            message(0, &[slot(0x0D, 0, u32::MAX), ONE], b""),
        ),
        (
            "packed numbers that are missing",
            message(0, &[slot(0x0E, 0, 2), ONE], b""),
        ),
        (
            "holey array without entries",
            message(0, &[slot(0x0F, 0, 1)], b""),
        ),
        (
            "map without a value",
            message(0, &[slot(0x10, 0, 1), ONE], b""),
        ),
        (
            "set of 2^32 - 1 values",
            message(0, &[slot(0x11, 0, u32::MAX)], b""),
        ),
        (
            "object without its keys",
            message(0, &[slot(0x0B, 0, 1)], b""),
        ),
        (
            "object without its values",
            message(0, &[slot(0x0B, 0, 1), slot(6, 0, 1)], b"a"),
        ),
        (
            "bytes that are missing",
            message(0, &[slot(0x15, 3, 9), 0], b""),
        ),
        (
            "string longer than the text",
            message(0, &[slot(6, 0, 4)], b"abc"),
        ),
        (
            "string longer than the text, utf-8",
            message(1, &[slot(6, 0, 4)], "äöü".as_bytes()),
        ),
        (
            "string longer than the text, utf-16",
            message(2, &[slot(6, 0, 2)], b"a\0"),
        ),
        (
            "regexp without flags",
            message(0, &[slot(0x12, 0, 0), slot(6, 0, 1)], b"a"),
        ),
        (
            "error without its message",
            message(0, &[slot(0x18, 0, 2)], b""),
        ),
        (
            "error without its cause",
            message(0, &[slot(0x18, 0, 8)], b""),
        ),
        (
            "block without a locator",
            message(8, &[slot(0x16, 3, 1)], b""),
        ),
        (
            "shared memory without an offset",
            message(0, &[slot(0x1A, 0, 8), 1], b""),
        ),
        (
            "envelope without a body",
            message(0, &[slot(0x1B, 0, 0), ONE], b""),
        ),
    ]
}

fn trailing() -> Cases {
    vec![
        ("two scalars", bare(&[ONE, ONE])),
        (
            "half a slot after a scalar",
            [bare(&[ONE]), vec![0; 4]].concat(),
        ),
        (
            "a slot after the value",
            message(0, &[slot(0x0D, 0, 0), ONE], b""),
        ),
        (
            "text that belongs to no string",
            message(0, &[slot(6, 0, 2)], b"abc"),
        ),
        (
            "text without any string",
            message(0, &[slot(0x0D, 0, 0)], b"a"),
        ),
        (
            "text that belongs to no string, utf-8",
            message(1, &[slot(6, 0, 1)], "äö".as_bytes()),
        ),
    ]
}

fn references() -> Cases {
    vec![
        (
            "reference at the root",
            message(4, &[slot(0x19, 0, 0)], b""),
        ),
        (
            "reference to a later value",
            message(
                4,
                &[slot(0x0D, 0, 2), slot(0x19, 0, 1), slot(0x0D, 0, 0)],
                b"",
            ),
        ),
    ]
}

fn unknown_shapes() -> Cases {
    vec![
        (
            "local shape that is not defined",
            message(0, &[slot(0x0C, 0, 0)], b""),
        ),
        (
            "local shape that is defined later",
            message(
                0,
                &[slot(0x0D, 0, 2), slot(0x0C, 0, 0), slot(0x0B, 0, 0)],
                b"",
            ),
        ),
        (
            "shared shape without a table",
            message(0, &[slot(0x0A, 0, 0)], b""),
        ),
    ]
}

fn texts() -> Cases {
    vec![
        (
            "high byte in ascii text",
            message(0, &[slot(6, 0, 2)], "ä".as_bytes()),
        ),
        ("broken utf-8", message(1, &[slot(6, 0, 1)], &[0xC3])),
        (
            "surrogate in utf-8",
            message(1, &[slot(6, 0, 1)], &[0xED, 0xA0, 0x80]),
        ),
        (
            "overlong utf-8",
            message(1, &[slot(6, 0, 1)], &[0xC0, 0x80]),
        ),
        (
            "utf-16 of an odd length",
            message(2, &[slot(6, 0, 1)], b"a\0b"),
        ),
        (
            "string that ends inside a pair",
            message(
                1,
                &[slot(0x0D, 0, 2), slot(6, 0, 1), slot(6, 0, 1)],
                "🧶".as_bytes(),
            ),
        ),
    ]
}

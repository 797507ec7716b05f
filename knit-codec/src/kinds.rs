//! The small enumerations of the format, with the numbers that FORMAT.md gives them.

macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant = $number,)* }

        impl $name {
            /// Every one, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The one with this number in the format.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// Its number in the format.
            pub const fn number(self) -> u8 { self as u8 }

            /// Its name in JavaScript, or in FORMAT.md where JavaScript has none.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

numbered! {
    /// How the text of a message, or of a string in a block, is encoded.
    TextEncoding {
        /// One byte below 0x80 a unit.
        Ascii = 0, "ascii";
        /// Well-formed UTF-8.
        Utf8 = 1, "utf8";
        /// UTF-16, little-endian: where a string has a lone surrogate.
        Utf16 = 2, "utf16";
    }
}

impl TextEncoding {
    /// Whether text of so many units can have so many bytes.
    pub(crate) const fn fits(self, units: u32, bytes: u32) -> bool {
        let (units, bytes) = (units as u64, bytes as u64);
        match self {
            Self::Ascii => bytes == units,
            Self::Utf8 => bytes >= units && bytes <= units * 3,
            Self::Utf16 => bytes == units * 2,
        }
    }
}

numbered! {
    /// What a run of bytes is in JavaScript.
    BinaryKind {
        /// `ArrayBuffer`.
        ArrayBuffer = 0, "ArrayBuffer";
        /// `DataView`.
        DataView = 1, "DataView";
        /// `Int8Array`.
        Int8Array = 2, "Int8Array";
        /// `Uint8Array`.
        Uint8Array = 3, "Uint8Array";
        /// `Uint8ClampedArray`.
        Uint8ClampedArray = 4, "Uint8ClampedArray";
        /// `Int16Array`.
        Int16Array = 5, "Int16Array";
        /// `Uint16Array`.
        Uint16Array = 6, "Uint16Array";
        /// `Int32Array`.
        Int32Array = 7, "Int32Array";
        /// `Uint32Array`.
        Uint32Array = 8, "Uint32Array";
        /// `Float32Array`.
        Float32Array = 9, "Float32Array";
        /// `Float64Array`.
        Float64Array = 10, "Float64Array";
        /// `BigInt64Array`.
        BigInt64Array = 11, "BigInt64Array";
        /// `BigUint64Array`.
        BigUint64Array = 12, "BigUint64Array";
        /// `Float16Array`.
        Float16Array = 13, "Float16Array";
        /// Node's `Buffer`.
        Buffer = 14, "Buffer";
    }
}

impl BinaryKind {
    /// Bytes of an element.
    pub const fn element_size(self) -> usize {
        match self {
            Self::Int16Array | Self::Uint16Array | Self::Float16Array => 2,
            Self::Int32Array | Self::Uint32Array | Self::Float32Array => 4,
            Self::Float64Array | Self::BigInt64Array | Self::BigUint64Array => 8,
            _ => 1,
        }
    }
}

numbered! {
    /// The built-in class of an error.
    #[derive(Default)]
    ErrorClass {
        /// `Error`, and every class of one's own.
        #[default]
        Error = 0, "Error";
        /// `EvalError`.
        EvalError = 1, "EvalError";
        /// `RangeError`.
        RangeError = 2, "RangeError";
        /// `ReferenceError`.
        ReferenceError = 3, "ReferenceError";
        /// `SyntaxError`.
        SyntaxError = 4, "SyntaxError";
        /// `TypeError`.
        TypeError = 5, "TypeError";
        /// `URIError`.
        UriError = 6, "URIError";
        /// `AggregateError`.
        AggregateError = 7, "AggregateError";
    }
}

numbered! {
    /// What kind of object stands for shared memory in JavaScript.
    SharedMemoryKind {
        /// Knit's `ProcessSharedBuffer`.
        ProcessSharedBuffer = 0, "ProcessSharedBuffer";
        /// `SharedArrayBuffer`.
        SharedArrayBuffer = 1, "SharedArrayBuffer";
        /// A `DataView` of one; so all from here: 16 more than the [`BinaryKind`].
        DataView = 17, "DataView";
        /// `Int8Array`.
        Int8Array = 18, "Int8Array";
        /// `Uint8Array`.
        Uint8Array = 19, "Uint8Array";
        /// `Uint8ClampedArray`.
        Uint8ClampedArray = 20, "Uint8ClampedArray";
        /// `Int16Array`.
        Int16Array = 21, "Int16Array";
        /// `Uint16Array`.
        Uint16Array = 22, "Uint16Array";
        /// `Int32Array`.
        Int32Array = 23, "Int32Array";
        /// `Uint32Array`.
        Uint32Array = 24, "Uint32Array";
        /// `Float32Array`.
        Float32Array = 25, "Float32Array";
        /// `Float64Array`.
        Float64Array = 26, "Float64Array";
        /// `BigInt64Array`.
        BigInt64Array = 27, "BigInt64Array";
        /// `BigUint64Array`.
        BigUint64Array = 28, "BigUint64Array";
        /// `Float16Array`.
        Float16Array = 29, "Float16Array";
        /// Node's `Buffer`.
        Buffer = 30, "Buffer";
    }
}

impl SharedMemoryKind {
    /// The class of the view, if it is one of a `SharedArrayBuffer`.
    pub const fn view(self) -> Option<BinaryKind> {
        match self {
            Self::ProcessSharedBuffer | Self::SharedArrayBuffer => None,
            _ => BinaryKind::from_number(self.number() - 16),
        }
    }

    /// Whether length and offset are whole elements of a view.
    pub(crate) fn fits(self, byte_length: u32, byte_offset: u32) -> bool {
        let size = self.view().map_or(1, BinaryKind::element_size) as u32;
        byte_length % size == 0 && byte_offset % size == 0
    }
}

//! What is written in one go: scalars, strings, bytes, references.

use super::writer::{What, Writer};
use crate::bigint::BigInt;
use crate::error::{CodecError, Result};
use crate::kinds::BinaryKind;
use crate::limits::Limits;
use crate::string::JsString;
use crate::tag::{self, SLOT};
use crate::value::{BinaryBlock, SharedMemory, StringBlock};

impl Writer {
    /// `undefined`.
    #[inline]
    pub fn undefined(&mut self) -> Result<()> {
        self.scalar(tag::slot(tag::UNDEFINED, 0, 0))
    }

    /// `null`.
    #[inline]
    pub fn null(&mut self) -> Result<()> {
        self.scalar(tag::slot(tag::NULL, 0, 0))
    }

    /// A boolean.
    #[inline]
    pub fn bool(&mut self, value: bool) -> Result<()> {
        self.scalar(tag::slot(if value { tag::TRUE } else { tag::FALSE }, 0, 0))
    }

    /// A number.
    #[inline]
    pub fn number(&mut self, value: f64) -> Result<()> {
        self.value(What::Number)?;
        self.push(tag::number(value));
        Ok(())
    }

    /// A bigint of 64 bits.
    #[inline]
    pub fn bigint64(&mut self, value: i64) -> Result<()> {
        self.scalar(tag::slot(tag::BIGINT64, 0, 0))?;
        self.push(value as u64);
        Ok(())
    }

    /// A bigint.
    pub fn bigint(&mut self, value: &BigInt) -> Result<()> {
        let Some((negative, limbs)) = value.large() else {
            return self.bigint64(value.to_i64().unwrap_or(0));
        };
        self.scalar(tag::slot(
            tag::BIGINT,
            negative.into(),
            length(limbs.len(), SLOT)?,
        ))?;
        for limb in limbs {
            self.push(*limb);
        }
        Ok(())
    }

    /// A `Date`, in milliseconds since the epoch.
    pub fn date(&mut self, ms: f64) -> Result<()> {
        self.scalar(tag::slot(tag::DATE, 0, 0))?;
        self.numbered += 1;
        self.push(tag::number(ms));
        Ok(())
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, text: &str) -> Result<()> {
        self.value(What::Other)?;
        self.string_slot(text)
    }

    /// A string that may have lone surrogates.
    pub fn js_string(&mut self, string: &JsString) -> Result<()> {
        self.value(What::Other)?;
        self.js_string_slot(string)
    }

    /// `Symbol.for(key)`.
    pub fn symbol(&mut self, key: &JsString) -> Result<()> {
        self.value(What::Other)?;
        self.push(tag::slot(tag::SYMBOL, 0, 0));
        self.js_string_slot(key)
    }

    /// A `URL`, by its `href`.
    pub fn url(&mut self, href: &JsString) -> Result<()> {
        self.object_like(What::Other, tag::slot(tag::URL, 0, 0))?;
        self.js_string_slot(href)
    }

    /// A `RegExp`; the next match of a global or sticky one begins at `last_index`.
    pub fn regexp(&mut self, source: &JsString, flags: &JsString, last_index: u32) -> Result<()> {
        self.object_like(What::Other, tag::slot(tag::REGEXP, 0, last_index))?;
        self.js_string_slot(source)?;
        self.js_string_slot(flags)
    }

    /// Bytes, as whole elements of their kind.
    pub fn binary(&mut self, kind: BinaryKind, bytes: &[u8]) -> Result<()> {
        whole_elements(kind, bytes.len())?;
        self.object_like(
            What::Other,
            tag::slot(tag::BINARY, kind.number(), length(bytes.len(), 1)?),
        )?;
        self.out.extend_from_slice(bytes);
        let padding = tag::padded(bytes.len()) - bytes.len();
        self.out.extend_from_slice(&[0; SLOT][..padding]);
        Ok(())
    }

    /// Bytes that lie in a block.
    pub fn binary_block(&mut self, block: BinaryBlock) -> Result<()> {
        whole_elements(block.kind, block.length as usize)?;
        self.object_like(
            What::Other,
            tag::slot(tag::BINARY_BLOCK, block.kind.number(), block.length),
        )?;
        self.head |= tag::HEAD_BLOCKS;
        self.push(block.locator);
        Ok(())
    }

    /// A string that lies in a block.
    pub fn string_block(&mut self, block: StringBlock) -> Result<()> {
        if !block.encoding.fits(block.units, block.bytes) {
            return Err(CodecError::BadOperand {
                at: self.out.len(),
                why: "a string's bytes do not fit its units",
            });
        }
        self.value(What::Other)?;
        self.head |= tag::HEAD_BLOCKS;
        self.push(tag::slot(
            tag::STRING_BLOCK,
            block.encoding.number(),
            block.units,
        ));
        self.push(block.locator);
        self.push(block.bytes.into());
        Ok(())
    }

    /// A window on memory that both sides see.
    pub fn shared_memory(&mut self, memory: SharedMemory) -> Result<()> {
        if !memory.kind.fits(memory.byte_length, memory.byte_offset) {
            return Err(CodecError::BadOperand {
                at: self.out.len(),
                why: "a view's length and offset are whole elements",
            });
        }
        self.object_like(
            What::Other,
            tag::slot(tag::SHARED_MEMORY, memory.kind.number(), memory.byte_length),
        )?;
        self.push(memory.locator);
        self.push(memory.byte_offset.into());
        Ok(())
    }

    /// An object that was written before, by its number (see [`Value`](crate::Value) for how they count).
    pub fn reference(&mut self, number: u32) -> Result<()> {
        self.open();
        if number >= self.numbered {
            return Err(CodecError::BadReference {
                number,
                at: self.out.len(),
            });
        }
        self.value(What::Ref)?;
        self.head |= tag::HEAD_REFS;
        self.push(tag::slot(tag::REF, 0, number));
        Ok(())
    }

    /// The number that the next object will get.
    pub fn next_number(&self) -> u32 {
        self.numbered
    }
}

/// A count as the format holds it, refused if that many things of this size could not fit a message.
pub(super) fn length(count: usize, size: usize) -> Result<u32> {
    let bytes = count.saturating_mul(size);
    match u32::try_from(count) {
        Ok(count) if bytes <= Limits::MAX_BYTES => Ok(count),
        _ => Err(CodecError::TooLarge {
            bytes,
            limit: Limits::MAX_BYTES,
        }),
    }
}

fn whole_elements(kind: BinaryKind, bytes: usize) -> Result<()> {
    if bytes % kind.element_size() == 0 {
        return Ok(());
    }
    Err(CodecError::BadOperand {
        at: 0,
        why: "the bytes are whole elements",
    })
}

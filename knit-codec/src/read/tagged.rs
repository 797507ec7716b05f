//! Tagged slots: the meaning of each tag, one arm each.

use super::cursor::Cursor;
use super::token::{ErrorHead, ErrorRest, Place, Token};
use crate::bigint::small;
use crate::error::{CodecError, Result};
use crate::kinds::{BinaryKind, ErrorClass, SharedMemoryKind, TextEncoding};
use crate::tag::{self, SLOT};
use crate::value::{BinaryBlock, SharedMemory, StringBlock};

impl<'a> Cursor<'a> {
    pub(super) fn tagged(
        &mut self,
        found: u8,
        aux: u8,
        lo: u32,
        at: usize,
        place: Place,
    ) -> Result<Token<'a>> {
        if place != Place::Value {
            self.check_place(found, at, place)?;
        }
        match found {
            tag::STRING => {
                unused(aux, 0, at)?;
                self.text.take(lo, at).map(Token::String)
            }
            tag::OBJECT_SHARED | tag::OBJECT_NEW | tag::OBJECT_LOCAL => {
                self.object(found, aux, lo, at)
            }
            tag::ARRAY | tag::ARRAY_HOLEY | tag::MAP | tag::SET => self.items(found, aux, lo, at),
            tag::UNDEFINED | tag::NULL | tag::FALSE | tag::TRUE => {
                unused(aux, lo, at)?;
                Ok(match found {
                    tag::UNDEFINED => Token::Undefined,
                    tag::NULL => Token::Null,
                    _ => Token::Bool(found == tag::TRUE),
                })
            }
            tag::HOLES if place == Place::Entry => {
                unused(aux, 0, at)?;
                if lo == 0 {
                    return Err(CodecError::BadOperand {
                        at,
                        why: "a run of holes is not empty",
                    });
                }
                Ok(Token::Holes(lo))
            }
            tag::HOLES => Err(self.unexpected(found, at, "holes stand only in ARRAY_HOLEY")),
            tag::HEAD => Err(self.unexpected(found, at, "only the first slot is a HEAD")),
            tag::BIGINT64 => {
                unused(aux, lo, at)?;
                Ok(Token::BigInt64(self.raw_slot()? as i64))
            }
            tag::BIGINT => self.bigint(aux, lo, at),
            tag::DATE => {
                unused(aux, lo, at)?;
                self.number(at);
                Ok(Token::Date(tag::double(self.raw_slot()?)))
            }
            tag::ARRAY_NUMBERS => {
                unused(aux, 0, at)?;
                if lo == 0 {
                    return Err(CodecError::BadOperand {
                        at,
                        why: "ARRAY_NUMBERS is not empty",
                    });
                }
                self.number(at);
                Ok(Token::Numbers(
                    self.raw((lo as usize).saturating_mul(SLOT))?,
                ))
            }
            tag::REGEXP | tag::URL | tag::SYMBOL => self.strings(found, aux, lo, at),
            tag::BINARY => {
                let kind = binary_kind(aux, lo, at)?;
                self.number(at);
                Ok(Token::Binary {
                    kind,
                    bytes: self.raw(lo as usize)?,
                })
            }
            tag::BINARY_BLOCK | tag::STRING_BLOCK => self.block(found, aux, lo, at),
            tag::ERROR => self.error(aux, lo, at),
            tag::REF => {
                unused(aux, 0, at)?;
                if !self.allows_refs() {
                    return Err(self.unexpected(found, at, "REF needs bit 2 of HEAD"));
                }
                if lo >= self.numbered {
                    return Err(CodecError::BadReference { number: lo, at });
                }
                Ok(Token::Ref(lo))
            }
            tag::SHARED_MEMORY => {
                let kind = SharedMemoryKind::from_number(aux).ok_or(CodecError::BadOperand {
                    at,
                    why: "no such kind of shared memory",
                })?;
                self.number(at);
                let locator = self.raw_slot()?;
                let byte_offset = self.raw_u32()?;
                if !kind.fits(lo, byte_offset) {
                    return Err(CodecError::BadOperand {
                        at,
                        why: "a view's length and offset are whole elements",
                    });
                }
                Ok(Token::SharedMemory(SharedMemory {
                    kind,
                    byte_length: lo,
                    byte_offset,
                    locator,
                }))
            }
            tag::ENVELOPE => {
                unused(aux, lo, at)?;
                self.number(at);
                self.claim(2)?;
                Ok(Token::Envelope)
            }
            tag => Err(CodecError::UnknownTag { tag, at }),
        }
    }

    /// Checks a place that does not take every value.
    fn check_place(&self, found: u8, at: usize, place: Place) -> Result<()> {
        let fits = match place {
            Place::Value | Place::Entry => true,
            Place::Errors => matches!(
                found,
                tag::ARRAY | tag::ARRAY_NUMBERS | tag::ARRAY_HOLEY | tag::REF
            ),
            Place::Properties => matches!(
                found,
                tag::OBJECT_SHARED | tag::OBJECT_NEW | tag::OBJECT_LOCAL
            ),
        };
        if fits || found > tag::ENVELOPE {
            return Ok(());
        }
        Err(self.unexpected(found, at, "an error's field of another kind"))
    }

    fn object(&mut self, found: u8, aux: u8, lo: u32, at: usize) -> Result<Token<'a>> {
        if aux > 1 {
            return Err(CodecError::BadOperand {
                at,
                why: "no such flag of an object",
            });
        }
        // The object is numbered before its keys are read: a mark holds the text at its own slot.
        self.number(at);
        let keys = match found {
            tag::OBJECT_NEW => self.define(lo as usize, at)?,
            tag::OBJECT_LOCAL => self.local(lo, at)?,
            _ => self.shared(lo, at)?,
        };
        if found != tag::OBJECT_NEW {
            self.claim(keys.len())?;
        }
        Ok(Token::Object {
            null_prototype: aux == 1,
            keys,
        })
    }

    fn items(&mut self, found: u8, aux: u8, lo: u32, at: usize) -> Result<Token<'a>> {
        unused(aux, 0, at)?;
        self.number(at);
        let count = lo as usize;
        self.claim(if found == tag::MAP {
            count.saturating_mul(2)
        } else {
            count
        })?;
        Ok(match found {
            tag::ARRAY => Token::Array(lo),
            tag::ARRAY_HOLEY => Token::Holey(lo),
            tag::MAP => Token::Map(lo),
            _ => Token::Set(lo),
        })
    }

    fn bigint(&mut self, aux: u8, lo: u32, at: usize) -> Result<Token<'a>> {
        if aux > 1 {
            return Err(CodecError::BadOperand {
                at,
                why: "no such flag of a bigint",
            });
        }
        let negative = aux == 1;
        let limbs = self.raw((lo as usize).saturating_mul(SLOT))?;
        let highest = limbs
            .last_chunk()
            .map_or(0, |limb| u64::from_le_bytes(*limb));
        if highest == 0 || (lo == 1 && small(negative, &[highest]).is_some()) {
            return Err(CodecError::BadOperand {
                at,
                why: "BIGINT is for what does not fit BIGINT64",
            });
        }
        Ok(Token::BigInt { negative, limbs })
    }

    fn strings(&mut self, found: u8, aux: u8, lo: u32, at: usize) -> Result<Token<'a>> {
        unused(aux, if found == tag::REGEXP { 0 } else { lo }, at)?;
        if found != tag::SYMBOL {
            self.number(at);
        }
        self.claim(if found == tag::REGEXP { 2 } else { 1 })?;
        let strings = self.strings_here(2);
        let first = self.string()?;
        Ok(match found {
            tag::URL => Token::Url(first),
            tag::SYMBOL => Token::Symbol(first),
            _ => {
                self.string()?;
                Token::RegExp(strings, lo)
            }
        })
    }

    fn block(&mut self, found: u8, aux: u8, lo: u32, at: usize) -> Result<Token<'a>> {
        if !self.allows_blocks() {
            return Err(self.unexpected(found, at, "a block needs bit 3 of HEAD"));
        }
        if found == tag::BINARY_BLOCK {
            let kind = binary_kind(aux, lo, at)?;
            self.number(at);
            let locator = self.raw_slot()?;
            return Ok(Token::BinaryBlock(BinaryBlock {
                kind,
                length: lo,
                locator,
            }));
        }
        let encoding = TextEncoding::from_number(aux).ok_or(CodecError::BadOperand {
            at,
            why: "no such text encoding",
        })?;
        let locator = self.raw_slot()?;
        let bytes = self.raw_u32()?;
        if !encoding.fits(lo, bytes) {
            return Err(CodecError::BadOperand {
                at,
                why: "a string's bytes do not fit its units",
            });
        }
        Ok(Token::StringBlock(StringBlock {
            encoding,
            units: lo,
            bytes,
            locator,
        }))
    }

    fn error(&mut self, aux: u8, lo: u32, at: usize) -> Result<Token<'a>> {
        let class = ErrorClass::from_number(aux).ok_or(CodecError::BadOperand {
            at,
            why: "no such class of errors",
        })?;
        if lo > 0x7F {
            return Err(CodecError::BadOperand {
                at,
                why: "no such field of an error",
            });
        }
        self.number(at);
        self.claim(lo.count_ones() as usize)?;
        let bits = lo as u8 & 7;
        let texts = self.strings_here(bits.count_ones());
        for _ in 0..texts.count {
            self.string()?;
        }
        Ok(Token::Error(ErrorHead {
            class,
            bits,
            texts,
            rest: ErrorRest(lo & !7),
        }))
    }
}

/// Checks that operands without a meaning are zero.
#[inline]
fn unused(aux: u8, lo: u32, at: usize) -> Result<()> {
    if aux == 0 && lo == 0 {
        Ok(())
    } else {
        Err(CodecError::BadOperand {
            at,
            why: "an unused operand is zero",
        })
    }
}

fn binary_kind(aux: u8, bytes: u32, at: usize) -> Result<BinaryKind> {
    let kind = BinaryKind::from_number(aux).ok_or(CodecError::BadOperand {
        at,
        why: "no such kind of bytes",
    })?;
    if bytes as usize % kind.element_size() != 0 {
        return Err(CodecError::BadOperand {
            at,
            why: "the bytes are whole elements",
        });
    }
    Ok(kind)
}

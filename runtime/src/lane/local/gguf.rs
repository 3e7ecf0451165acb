//! Reading a GGUF file in place: its facts by name and its tensors as bytes of the mapped file.
//!
//! Every length is checked against the file, so a damaged one is an error and never a crash. Never: writes, copies weights whole.

use crate::models::ModelError;
use memmap2::Mmap;
use rustc_hash::FxHashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A fact of the file.
#[derive(Clone, Debug)]
pub enum Fact {
    Number(f64),
    Text(String),
    List(Vec<Self>),
}

/// How a tensor is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    F32,
    /// Blocks of 32: scale and least value in half precision, 4 bits each.
    Q4_1,
    /// Blocks of 32: scale in half precision, 8 bits each.
    Q8_0,
}

/// Values in a block.
pub const BLOCK: usize = 32;

impl Storage {
    /// Bytes of a block (of 32 values for F32, too).
    #[must_use]
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 128,
            Self::Q4_1 => 20,
            Self::Q8_0 => 34,
        }
    }
}

struct Place {
    dims: Vec<usize>,
    storage: Storage,
    start: usize,
    length: usize,
}

pub struct Gguf {
    path: PathBuf,
    bytes: Mmap,
    facts: FxHashMap<String, Fact>,
    tensors: FxHashMap<String, Place>,
}

/// A tensor: dimensions innermost first, as the file has them.
pub struct Weights<'f> {
    pub dims: &'f [usize],
    pub storage: Storage,
    pub bytes: &'f [u8],
}

impl Gguf {
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let fail = |error: std::io::Error| ModelError::io(path, &error);
        let file = File::open(path).map_err(fail)?;
        // SAFETY: the file is in the models' folder, whose parts are replaced by renames and never written in place; who
        // truncates one by hand while it is in use ends the process, as with any mapped program.
        let bytes = unsafe { Mmap::map(&file) }.map_err(fail)?;
        let (facts, tensors) = read(&bytes).ok_or_else(|| ModelError::Wrong {
            path: path.to_owned(),
            reason: "it is no GGUF file of version 3".to_owned(),
        })?;
        Ok(Self { path: path.to_owned(), bytes, facts, tensors })
    }

    fn wrong(&self, what: &str) -> ModelError {
        ModelError::Wrong { path: self.path.clone(), reason: format!("{what} is missing") }
    }

    pub fn mapped_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub fn number(&self, name: &str) -> Result<f64, ModelError> {
        match self.facts.get(name) {
            Some(Fact::Number(number)) => Ok(*number),
            _ => Err(self.wrong(name)),
        }
    }

    pub fn size(&self, name: &str) -> Result<usize, ModelError> {
        Ok(self.number(name)? as usize)
    }

    pub fn list(&self, name: &str) -> Result<&[Fact], ModelError> {
        match self.facts.get(name) {
            Some(Fact::List(items)) => Ok(items),
            _ => Err(self.wrong(name)),
        }
    }

    pub fn tensor(&self, name: &str) -> Result<Weights<'_>, ModelError> {
        let place = self.tensors.get(name).ok_or_else(|| self.wrong(name))?;
        let bytes = self.bytes.get(place.start..place.start + place.length);
        let bytes = bytes.ok_or_else(|| self.wrong(name))?;
        Ok(Weights { dims: &place.dims, storage: place.storage, bytes })
    }
}

impl Weights<'_> {
    /// All values of blocks, or of some of them.
    #[must_use]
    pub fn values(storage: Storage, blocks: &[u8]) -> Vec<f32> {
        let mut values = Vec::with_capacity(blocks.len() / storage.block_bytes() * BLOCK);
        for block in blocks.chunks_exact(storage.block_bytes()) {
            block_values(storage, block, &mut values);
        }
        values
    }
}

fn block_values(storage: Storage, block: &[u8], values: &mut Vec<f32>) {
    match (storage, block) {
        (Storage::F32, block) => {
            let (words, _) = block.as_chunks::<4>();
            values.extend(words.iter().map(|word| f32::from_le_bytes(*word)));
        }
        (Storage::Q4_1, [s0, s1, m0, m1, quads @ ..]) => {
            let (scale, least) = (half([*s0, *s1]), half([*m0, *m1]));
            values.extend(quads.iter().map(|byte| f32::from(byte & 15) * scale + least));
            values.extend(quads.iter().map(|byte| f32::from(byte >> 4) * scale + least));
        }
        (Storage::Q8_0, [s0, s1, eights @ ..]) => {
            let scale = half([*s0, *s1]);
            values.extend(eights.iter().map(|byte| f32::from(byte.cast_signed()) * scale));
        }
        // Chunks are exact, so a block has its header.
        _ => {}
    }
}

/// A number in half precision.
#[must_use]
pub fn half(bytes: [u8; 2]) -> f32 {
    let bits = u32::from(u16::from_le_bytes(bytes));
    let sign = (bits >> 15) << 31;
    let exponent = bits >> 10 & 31;
    let fraction = bits & 0x3ff;
    match exponent {
        0 => {
            let small = fraction as f32 * 2f32.powi(-24);
            if sign == 0 { small } else { -small }
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

type Tables = (FxHashMap<String, Fact>, FxHashMap<String, Place>);

fn read(bytes: &[u8]) -> Option<Tables> {
    const DEFAULT_ALIGNMENT: usize = 32;
    let mut reader = Reader { bytes, at: 0 };
    if reader.take::<4>()? != *b"GGUF" || reader.u32()? != 3 {
        return None;
    }
    let (tensors, facts) = (reader.u64()?, reader.u64()?);
    let mut known = FxHashMap::default();
    for _ in 0..facts {
        let name = reader.text()?;
        let kind = reader.u32()?;
        known.insert(name, reader.fact(kind)?);
    }
    let mut places = Vec::new();
    for _ in 0..tensors {
        places.push(reader.place()?);
    }
    let alignment = match known.get("general.alignment") {
        Some(Fact::Number(number)) if *number >= 1.0 => *number as usize,
        _ => DEFAULT_ALIGNMENT,
    };
    let data = reader.at.checked_next_multiple_of(alignment)?;
    let mut tensors = FxHashMap::default();
    for (name, mut place) in places {
        place.start = place.start.checked_add(data)?;
        bytes.get(place.start..place.start.checked_add(place.length)?)?;
        tensors.insert(name, place);
    }
    Some((known, tensors))
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.u64()?).ok()
    }

    fn text(&mut self) -> Option<String> {
        let length = self.size()?;
        let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    fn fact(&mut self, kind: u32) -> Option<Fact> {
        Some(match kind {
            0 => Fact::Number(f64::from(u8::from_le_bytes(self.take()?))),
            1 => Fact::Number(f64::from(i8::from_le_bytes(self.take()?))),
            2 => Fact::Number(f64::from(u16::from_le_bytes(self.take()?))),
            3 => Fact::Number(f64::from(i16::from_le_bytes(self.take()?))),
            4 => Fact::Number(f64::from(self.u32()?)),
            5 => Fact::Number(f64::from(i32::from_le_bytes(self.take()?))),
            6 => Fact::Number(f64::from(f32::from_le_bytes(self.take()?))),
            7 => Fact::Number(f64::from(u8::from_le_bytes(self.take()?))),
            8 => Fact::Text(self.text()?),
            9 => {
                let kind = self.u32()?;
                let count = self.u64()?;
                // A list in a list is never written; refusing it bounds the recursion.
                if kind == 9 {
                    return None;
                }
                Fact::List((0..count).map(|_| self.fact(kind)).collect::<Option<_>>()?)
            }
            10 => Fact::Number(self.u64()? as f64),
            11 => Fact::Number(i64::from_le_bytes(self.take()?) as f64),
            12 => Fact::Number(f64::from_le_bytes(self.take()?)),
            _ => return None,
        })
    }

    /// A tensor's name and place; its start is counted from the beginning of the data.
    fn place(&mut self) -> Option<(String, Place)> {
        let name = self.text()?;
        let rank = self.u32()?;
        let dims: Vec<usize> = (0..rank).map(|_| self.size()).collect::<Option<_>>()?;
        let storage = match self.u32()? {
            0 => Storage::F32,
            3 => Storage::Q4_1,
            8 => Storage::Q8_0,
            _ => return None,
        };
        let start = self.size()?;
        let values = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim))?;
        if !values.is_multiple_of(BLOCK) {
            return None;
        }
        let length = (values / BLOCK).checked_mul(storage.block_bytes())?;
        Some((name, Place { dims, storage, start, length }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Gguf, Storage, Weights, half};

    #[test]
    fn half_precision() {
        let of = |bits: u16| half(bits.to_le_bytes());
        assert_eq!((of(0x3c00), of(0xc000), of(0x3555)), (1.0, -2.0, 0.333_251_95));
        assert_eq!((of(0), of(1), of(0x7c00)), (0.0, 2f32.powi(-24), f32::INFINITY));
    }

    #[test]
    fn blocks() {
        // Scale 1, least value -2; the low halves of the bytes come first.
        let mut block = vec![0x00, 0x3c, 0x00, 0xc0];
        block.extend([0x10; 16]);
        let values = Weights::values(Storage::Q4_1, &block);
        assert_eq!((values.len(), values[0], values[16]), (32, -2.0, -1.0));
        let mut block = vec![0x00, 0x40];
        block.extend([0xff; 32]);
        assert_eq!(Weights::values(Storage::Q8_0, &block), [-2.0; 32]);
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        assert_eq!(Gguf::open(&path).err().unwrap().code(), "R1005");
        let mut whole = b"GGUF\x03\0\0\0".to_vec();
        whole.extend(1u64.to_le_bytes());
        whole.extend(u64::MAX.to_le_bytes());
        whole.extend([0xff; 64]);
        for length in 1..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = Gguf::open(&path).err().unwrap();
            assert_eq!(error.code(), "R1005", "{error}");
        }
    }
}

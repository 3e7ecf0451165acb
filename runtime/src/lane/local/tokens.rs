//! The words of SmolLM2: text to tokens and back, and the form of a conversation.
//!
//! Turns are marked by control tokens that only this file writes: a prompt that spells one out gets its letters, so nobody ends
//! a turn from inside. Never: a control token made from text.

use crate::lane::grammar::vocabulary::Vocabulary;
use crate::lane::local::gguf::{Fact, Gguf};
use crate::lane::request::{Message, Role};
use crate::models::ModelError;
use crate::models::onnx::wrong;
use rustc_hash::FxHashMap;
use std::path::Path;
use tokenizers::Tokenizer;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

/// What the model was trained to see when nobody says otherwise.
const SYSTEM: &str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

pub struct Words {
    tokenizer: Tokenizer,
    pub vocabulary: Vocabulary,
    begin_turn: u32,
    end_turn: u32,
    end_text: u32,
    line: Vec<u32>,
}

impl Words {
    pub fn of(file: &Gguf, path: &Path) -> Result<Self, ModelError> {
        let tokens = texts(file.list("tokenizer.ggml.tokens")?);
        let control: Vec<bool> = file
            .list("tokenizer.ggml.token_type")?
            .iter()
            .map(|kind| matches!(kind, Fact::Number(kind) if *kind != 1.0))
            .collect();
        let tokenizer = tokenizer(file, &tokens).map_err(|error| wrong(path, error))?;
        let bytes = byte_alphabet();
        let written = |(at, token): (usize, &&str)| -> Option<Box<[u8]>> {
            let is_control = control.get(at).copied().unwrap_or(false);
            if is_control { None } else { token.chars().map(|c| bytes.get(&c).copied()).collect() }
        };
        let vocabulary = Vocabulary::new(tokens.iter().enumerate().map(written).collect());
        if !vocabulary.can_finish_all() {
            return Err(wrong(path, "its vocabulary lacks bytes that JSON needs"));
        }
        let id = |name: &str| {
            let at = tokens.iter().position(|token| *token == name);
            at.map(|at| at as u32).ok_or_else(|| wrong(path, format!("it has no token {name}")))
        };
        let mut words = Self {
            begin_turn: id("<|im_start|>")?,
            end_turn: id("<|im_end|>")?,
            end_text: id("<|endoftext|>")?,
            line: Vec::new(),
            tokenizer,
            vocabulary,
        };
        words.line = words.encode("\n");
        Ok(words)
    }

    /// The tokens of a text; none of them is a control token.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let encoded = self.tokenizer.encode_fast(text, false);
        // An unknown character has no tokens, which is no error.
        encoded.map(|encoded| encoded.get_ids().to_vec()).unwrap_or_default()
    }

    /// A conversation up to where the model's answer begins.
    #[must_use]
    pub fn conversation(&self, messages: &[Message]) -> Vec<u32> {
        let mut tokens = Vec::new();
        if messages.first().is_none_or(|first| first.role != Role::System) {
            self.turn(Role::System, SYSTEM, &mut tokens);
        }
        for message in messages {
            self.turn(message.role, &message.text, &mut tokens);
        }
        tokens.push(self.begin_turn);
        tokens.extend(self.encode("assistant\n"));
        tokens
    }

    fn turn(&self, role: Role, text: &str, tokens: &mut Vec<u32>) {
        tokens.push(self.begin_turn);
        tokens.extend(self.encode(&format!("{}\n{text}", role.name())));
        tokens.push(self.end_turn);
        tokens.extend(&self.line);
    }

    /// The tokens that end an answer.
    #[must_use]
    pub fn stops(&self) -> [u32; 2] {
        [self.end_turn, self.end_text]
    }

    /// The text of tokens; half a character at the end is left out.
    #[must_use]
    pub fn text(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .filter_map(|token| self.vocabulary.bytes(*token))
            .flat_map(|bytes| bytes.iter().copied())
            .collect();
        let text = String::from_utf8_lossy(&bytes);
        text.trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned()
    }
}

/// An upper bound of the tokens of a conversation, known without the model: a token is at least a byte, and a turn has a fixed
/// frame.
#[must_use]
pub fn most_tokens(messages: &[Message]) -> u64 {
    /// Of a turn: its two marks, its role, the line ends.
    const TURN: u64 = 16;
    let texts: u64 = messages.iter().map(|message| message.text.len() as u64 + TURN).sum();
    texts + SYSTEM.len() as u64 + 2 * TURN
}

fn texts(list: &[Fact]) -> Vec<&str> {
    list.iter().map(|fact| if let Fact::Text(text) = fact { text } else { "" }).collect()
}

fn tokenizer(file: &Gguf, tokens: &[&str]) -> Result<Tokenizer, String> {
    let merges = file.list("tokenizer.ggml.merges").map_err(|error| error.to_string())?;
    let merges: Option<Merges> = texts(merges)
        .into_iter()
        .map(|pair| pair.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())))
        .collect();
    let merges = merges.ok_or("a merge is no pair")?;
    let vocabulary: Vocab =
        (0u32..).zip(tokens).map(|(id, token)| ((*token).to_owned(), id)).collect();
    let model = BPE::builder().vocab_and_merges(vocabulary, merges).build();
    let mut tokenizer = Tokenizer::new(model.map_err(|error| error.to_string())?);
    let digits = Digits::new(true).into();
    let bytes = ByteLevel::new(false, true, true).into();
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![digits, bytes])));
    Ok(tokenizer)
}

/// The characters that stand for bytes in a byte-level vocabulary (GPT-2): printable ones for themselves, the others moved up.
fn byte_alphabet() -> FxHashMap<char, u8> {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut moved = 0x100u32..;
    (0..=u8::MAX)
        .filter_map(|byte| {
            let c = match is_printable(byte) {
                true => Some(char::from(byte)),
                false => moved.next().and_then(char::from_u32),
            };
            c.map(|c| (c, byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::byte_alphabet;

    #[test]
    fn every_byte_has_its_character() {
        let bytes = byte_alphabet();
        assert_eq!(bytes.len(), 256);
        assert_eq!((bytes[&'Ġ'], bytes[&'Ċ'], bytes[&'a'], bytes[&'é']), (b' ', b'\n', b'a', 0xe9));
    }
}

//! The kinds of tokens, how they are written in messages, and what a line break next to them means (L-4).
//!
//! Only the 24 reserved words are keywords here; contextual ones are names that the parser reads by their place.

use logos::Logos;

use crate::source::Span;

/// A kind of token. The variants up to `PastedAmp` are recognised by logos, the rest is made by the lexer around it.
#[derive(Logos, Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[logos(skip r"[ \t\r\u{feff}]+")]
pub enum TokenKind {
    #[token("\n")]
    Newline,
    #[regex("//[^\n]*", allow_greedy = true)]
    Comment,
    /// Scanned to its matching `*/` by the lexer.
    #[token("/*")]
    BlockComment,
    /// Extended by the lexer where it goes on outside ASCII.
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Name,
    /// Scanned by the lexer; the value tells Int, Float or Duration.
    #[regex("[0-9]")]
    Number,
    #[regex(r"\$[0-9]")]
    Money,
    /// Text without holes.
    #[token("\"")]
    Text,
    #[token("\"\"\"")]
    TripleText,

    #[token("as")]
    As,
    #[token("assert")]
    Assert,
    #[token("await")]
    Await,
    #[token("break")]
    Break,
    #[token("continue")]
    Continue,
    #[token("else")]
    Else,
    #[token("enum")]
    Enum,
    #[token("false")]
    False,
    #[token("for")]
    For,
    #[token("function")]
    Function,
    #[token("if")]
    If,
    #[token("import")]
    Import,
    #[token("in")]
    In,
    #[token("is")]
    Is,
    #[token("let")]
    Let,
    #[token("loop")]
    Loop,
    #[token("match")]
    Match,
    #[token("require")]
    Require,
    #[token("return")]
    Return,
    #[token("struct")]
    Struct,
    #[token("true")]
    True,
    #[token("try")]
    Try,
    #[token("var")]
    Var,
    #[token("while")]
    While,

    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token(",")]
    Comma,
    #[token(";")]
    Semi,
    #[token(".")]
    Dot,
    #[token(":")]
    Colon,
    #[token("@")]
    At,
    #[token("?")]
    Question,
    #[token("!")]
    Bang,
    #[token("|")]
    Pipe,
    #[token(":=")]
    ColonEq,
    #[token("=")]
    Eq,
    #[token("+=")]
    PlusEq,
    #[token("-=")]
    MinusEq,
    #[token("*=")]
    StarEq,
    #[token("/=")]
    SlashEq,
    #[token("%=")]
    PercentEq,
    #[token("->")]
    #[regex(r"-\\u003[eE]")]
    Arrow,
    #[token("=>")]
    #[regex(r"=\\u003[eE]")]
    FatArrow,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("==")]
    EqEq,
    #[token("!=")]
    BangEq,
    #[token("<")]
    #[regex(r"\\u003[cC]")]
    Lt,
    #[token("<=")]
    #[regex(r"\\u003[cC]=")]
    Le,
    #[token(">")]
    #[regex(r"\\u003[eE]")]
    Gt,
    #[token(">=")]
    #[regex(r"\\u003[eE]=")]
    Ge,
    #[token("&&")]
    #[token("\\u0026\\u0026")]
    AndAnd,
    #[token("||")]
    OrOr,
    #[token("??")]
    Coalesce,
    #[token("..")]
    DotDot,
    #[token("..=")]
    DotDotEq,
    #[token("==>")]
    #[regex(r"==\\u003[eE]")]
    Implies,
    #[token("<==>")]
    #[regex(r"\\u003[cC]==\\u003[eE]")]
    Iff,
    /// A pasted escape of `&` that makes no operator.
    #[token("\\u0026")]
    PastedAmp,

    /// `///` text.
    DocComment,
    /// A whole session command line (L-5).
    Command,
    /// `"` or `"""` of a text that has holes.
    TemplateStart,
    /// Characters between holes.
    TemplateText,
    /// `$name`
    HoleName,
    /// `${`
    HoleStart,
    /// `}`
    HoleEnd,
    /// The closing quotes, or nothing where they are missing.
    TemplateEnd,
    /// A line break that separates (L-4).
    Sep,
    /// Characters that begin no token; already reported.
    Unknown,
    /// The end of the text, or of the bracket the parser is in.
    End,
}

/// A token. Spans are absolute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
    /// Index of the value of a literal, text part or command in the lexer's output; `u32::MAX` for none.
    pub value: u32,
    /// First token of its line.
    pub line_start: bool,
}

use TokenKind as T;

impl TokenKind {
    /// As shown in messages.
    pub fn describe(self) -> &'static str {
        match self {
            T::Name => "a name",
            T::Number => "a number",
            T::Money => "an amount of money",
            T::Text | T::TripleText | T::TemplateStart => "text",
            T::TemplateText | T::TemplateEnd | T::HoleName | T::HoleStart => "text",
            T::HoleEnd => "`}`",
            T::Newline | T::Sep => "the end of the line",
            T::Comment | T::BlockComment | T::DocComment => "a comment",
            T::Command => "a session command",
            T::Unknown | T::PastedAmp => "an unreadable character",
            T::End => "the end",
            _ => self.quoted(),
        }
    }

    /// Keywords and symbols in backquotes.
    fn quoted(self) -> &'static str {
        match self {
            T::As => "`as`",
            T::Assert => "`assert`",
            T::Await => "`await`",
            T::Break => "`break`",
            T::Continue => "`continue`",
            T::Else => "`else`",
            T::Enum => "`enum`",
            T::False => "`false`",
            T::For => "`for`",
            T::Function => "`function`",
            T::If => "`if`",
            T::Import => "`import`",
            T::In => "`in`",
            T::Is => "`is`",
            T::Let => "`let`",
            T::Loop => "`loop`",
            T::Match => "`match`",
            T::Require => "`require`",
            T::Return => "`return`",
            T::Struct => "`struct`",
            T::True => "`true`",
            T::Try => "`try`",
            T::Var => "`var`",
            T::While => "`while`",
            T::LParen => "`(`",
            T::RParen => "`)`",
            T::LBracket => "`[`",
            T::RBracket => "`]`",
            T::LBrace => "`{`",
            T::RBrace => "`}`",
            T::Comma => "`,`",
            T::Semi => "`;`",
            T::Dot => "`.`",
            T::Colon => "`:`",
            T::At => "`@`",
            T::Question => "`?`",
            T::Bang => "`!`",
            T::Pipe => "`|`",
            T::ColonEq => "`:=`",
            T::Eq => "`=`",
            T::PlusEq => "`+=`",
            T::MinusEq => "`-=`",
            T::StarEq => "`*=`",
            T::SlashEq => "`/=`",
            T::PercentEq => "`%=`",
            T::Arrow => "`->`",
            T::FatArrow => "`=>`",
            T::Plus => "`+`",
            T::Minus => "`-`",
            T::Star => "`*`",
            T::Slash => "`/`",
            T::Percent => "`%`",
            T::EqEq => "`==`",
            T::BangEq => "`!=`",
            T::Lt => "`<`",
            T::Le => "`<=`",
            T::Gt => "`>`",
            T::Ge => "`>=`",
            T::AndAnd => "`&&`",
            T::OrOr => "`||`",
            T::Coalesce => "`??`",
            T::DotDot => "`..`",
            T::DotDotEq => "`..=`",
            T::Implies => "`==>`",
            T::Iff => "`<==>`",
            _ => "a token",
        }
    }

    /// The reserved words of L-3.
    pub fn is_keyword(self) -> bool {
        (T::As as u8..=T::While as u8).contains(&(self as u8))
    }

    /// Comments and line breaks: what only the highlighter sees.
    pub fn is_trivia(self) -> bool {
        matches!(self, T::Newline | T::Comment | T::BlockComment | T::DocComment | T::Unknown)
    }

    fn is_binary_operator(self) -> bool {
        matches!(
            self,
            T::Plus
                | T::Minus
                | T::Star
                | T::Slash
                | T::Percent
                | T::EqEq
                | T::BangEq
                | T::Lt
                | T::Le
                | T::Gt
                | T::Ge
                | T::AndAnd
                | T::OrOr
                | T::Coalesce
                | T::DotDot
                | T::DotDotEq
                | T::Implies
                | T::Iff
        )
    }

    /// L-4: a line break after this token is no separator.
    pub fn continues_after(self) -> bool {
        match self {
            T::Comma | T::LParen | T::LBracket | T::LBrace | T::HoleStart | T::Dot | T::Colon => {
                true
            }
            T::ColonEq | T::Eq | T::PlusEq | T::MinusEq | T::StarEq | T::SlashEq => true,
            T::PercentEq | T::Arrow | T::FatArrow | T::Pipe => true,
            T::Let | T::Var | T::If | T::While | T::For | T::In | T::Is | T::As => true,
            T::Match | T::Else | T::Await | T::Try => true,
            _ => self != T::Gt && self.is_binary_operator(),
        }
    }

    /// L-4: a line break before this token is no separator.
    pub fn continues_before(self) -> bool {
        match self {
            T::RParen | T::RBracket | T::RBrace | T::HoleEnd | T::Comma | T::Dot => true,
            T::Arrow | T::FatArrow | T::Pipe | T::Else => true,
            T::Minus | T::DotDot => false,
            _ => self.is_binary_operator(),
        }
    }

    /// Separators of lists: line break, `;`, `,`.
    pub fn separates(self) -> bool {
        matches!(self, T::Sep | T::Semi | T::Comma)
    }
}

#[cfg(test)]
mod tests {
    use super::TokenKind as T;
    use crate::syntax::words::RESERVED;

    #[test]
    fn keywords_are_the_24_reserved_words() {
        let found = RESERVED.iter().filter(|word| {
            let mut lexer = logos::Lexer::<T>::new(word);
            lexer.next().is_some_and(|kind| kind.is_ok_and(T::is_keyword))
        });
        assert_eq!(found.count(), 24);
        assert!(!T::Name.is_keyword() && !T::LParen.is_keyword());
    }
}

//! Bounds, the parser, and its errors as ranges of the text.

use std::ops::Range;

use cel::parser::PrattParser;
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};
use mesh_bundle::limits;

use super::CelFinding;
use super::habits;
use super::tree::{self, Tree};
use crate::diag::codes;

/// Tokens of one expression: enough for the largest tree, and a bound on the parser's work.
const TOKENS: usize = 4 * limits::EXPR_NODES;

/// Links of one chain of accesses and operators: `a.b.c + d`.
const CHAIN: usize = 64;

/// Nesting that the parser is let into. Deeper than the lowered tree may be, since brackets and field accesses nest
/// in the text alone.
const PARSER_DEPTH: u16 = 96;

/// Parses `text` to a tree whose every node knows its words.
pub(super) fn parse(text: &str) -> Result<Tree, Vec<CelFinding>> {
    let tokens = tokens(text)?;
    if let Some(finding) = dashed(text, &tokens) {
        return Err(vec![finding]);
    }
    let masked = mask(text, &tokens);
    let parsed = PrattParser::new()
        .max_recursion_depth(PARSER_DEPTH)
        .max_expression_node_count(TOKENS)
        .error_recovery_limit(4)
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true)
        .parse(masked.as_deref().unwrap_or(text));
    match parsed {
        Ok(ast) => Ok(tree::build(&ast, &tokens, text)),
        Err(errors) => {
            Err(errors.errors.iter().take(1).map(|e| syntax_error(text, &tokens, e.pos, &e.msg)).collect())
        }
    }
}

/// Maps whose keys may have a dash.
const KEYED: &[&str] =
    &["headers", "headerValues", "query", "queryValues", "cookies", "cookieValues", "claims", "labels"];

/// A key with a dash behind a dot, which CEL would read as a subtraction.
fn dashed(text: &str, tokens: &[Token]) -> Option<CelFinding> {
    let word = |at: usize| tokens.get(at).and_then(|token| text.get(token.start..token.end));
    let joined = |at: usize| {
        tokens.get(at).zip(tokens.get(at + 1)).is_some_and(|(token, next)| token.end == next.start)
    };
    let name =
        |at: usize| word(at).is_some_and(|w| w.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    let at = (0..tokens.len()).find(|at| {
        word(*at).is_some_and(|word| KEYED.contains(&word))
            && word(at + 1) == Some(".")
            && name(at + 2)
            && word(at + 3) == Some("-")
            && joined(at + 2)
            && joined(at + 3)
            && name(at + 4)
    })?;
    let mut last = at + 4;
    while word(last + 1) == Some("-") && joined(last) && joined(last + 1) && name(last + 2) {
        last += 2;
    }
    let range = tokens.get(at + 2)?.start..tokens.get(last)?.end;
    let key = text.get(range.clone())?;
    let message = "a name with a dash is read as a subtraction";
    // The whole of `request.headers`.
    let mut first = at;
    while first >= 2 && word(first - 1) == Some(".") && name(first - 2) {
        first -= 2;
    }
    let map = text.get(tokens.get(first)?.start..tokens.get(at)?.end)?;
    let finding = CelFinding::new(codes::CEL_SYNTAX, range, message);
    Some(finding.help(format!("write `{map}[\"{key}\"]`")))
}

/// Names that the parser expands where `(` follows. Expanded, they grow with every nesting and lose their words.
const MACROS: &[&str] = &["has", "all", "exists", "exists_one", "existsOne", "map", "filter"];

/// The text with a capital letter in front of each name of a macro, so that the parser reads a plain call; `None`
/// where there is none. The length stays, so places stay.
fn mask(text: &str, tokens: &[Token]) -> Option<String> {
    let mut masked: Option<Vec<u8>> = None;
    for (name, open) in tokens.iter().zip(tokens.iter().skip(1)) {
        if open.kind == TokenKind::TokLeftParen
            && text.get(name.start..name.end).is_some_and(|words| MACROS.contains(&words))
            && let Some(first) = masked.get_or_insert_with(|| text.as_bytes().to_vec()).get_mut(name.start)
        {
            first.make_ascii_uppercase();
        }
    }
    masked.and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Lexes within the bounds; white space and comments are left out.
fn tokens(text: &str) -> Result<Vec<Token>, Vec<CelFinding>> {
    let whole = 0..text.len();
    let limit = |message: String| vec![CelFinding::new(codes::CEL_LIMIT, whole.clone(), message)];
    if text.len() > limits::EXPR_TEXT {
        return Err(limit(format!(
            "the expression has {} bytes, and the limit is {}",
            text.len(),
            limits::EXPR_TEXT
        )));
    }
    if text.trim().is_empty() {
        return Err(vec![CelFinding::new(codes::CEL_SYNTAX, whole, "the expression is empty")]);
    }
    let mut lexer = Lexer::new(text);
    let mut tokens = Vec::new();
    // What the parser nests deeper for, by bracket: `.`, `[`, arithmetic and prefixes. `&&` and `||` it balances.
    let mut chains = vec![0_usize];
    loop {
        let token = lexer.lex();
        let words = super::words::words(text, token.start..token.end);
        match token.kind {
            TokenKind::TokEnd | TokenKind::TokError => break,
            TokenKind::TokWhitespace | TokenKind::TokComment => continue,
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => {
                if let Some(chain) = chains.last_mut() {
                    *chain += 1;
                }
                chains.push(0);
            }
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace
                if chains.len() > 1 =>
            {
                chains.pop();
            }
            TokenKind::TokLogicalAnd | TokenKind::TokLogicalOr | TokenKind::TokComma => {
                if let Some(chain) = chains.last_mut() {
                    *chain = 0;
                }
            }
            _ if !words.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'')) => {
                if let Some(chain) = chains.last_mut() {
                    *chain += 1;
                }
            }
            _ => {}
        }
        tokens.push(token);
        // The first chain stands in no bracket.
        if chains.len() > limits::EXPR_DEPTH + 1 || chains.last().is_some_and(|chain| *chain > CHAIN) {
            return Err(limit(format!("the expression is nested deeper than {}", limits::EXPR_DEPTH)));
        }
        if tokens.len() > TOKENS {
            return Err(limit(format!("the expression has more than {TOKENS} words")));
        }
    }
    Ok(tokens)
}

fn syntax_error(text: &str, tokens: &[Token], (line, column): (isize, isize), message: &str) -> CelFinding {
    if let Some(habit) = habits::find(text) {
        let finding = CelFinding::new(codes::CEL_SYNTAX, habit.range, habit.message).label("here");
        // Only what parses is said to be the form to write.
        let written = habit.written.filter(|written| {
            let parser =
                PrattParser::new().max_recursion_depth(PARSER_DEPTH).max_expression_node_count(TOKENS);
            parser.enable_optional_syntax(true).parse(written).is_ok()
        });
        return finding.help(match written {
            Some(written) => format!("{}: `{written}`", habit.help),
            None => habit.help,
        });
    }
    let range = at(text, line, column).map_or(0..text.len(), |offset| word_at(text, tokens, offset));
    if message.contains("recursion") || message.contains("node count") {
        let finding = CelFinding::new(codes::CEL_LIMIT, range, "the expression is nested too deeply");
        return finding.help("split the rule, or list values with `in`");
    }
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let mut message = message.replace('\'', "`").replace("<EOF>", "the end");
    for name in MACROS {
        let (first, rest) = name.split_at(1);
        message = message.replace(&format!("`{}{rest}`", first.to_ascii_uppercase()), &format!("`{name}`"));
    }
    let mut words = message.chars();
    let message: String = words.next().into_iter().flat_map(char::to_lowercase).chain(words).collect();
    CelFinding::new(codes::CEL_SYNTAX, range, format!("the expression does not parse: {message}"))
        .label("here")
        .help(balance(text, tokens).unwrap_or_else(|| {
            "conditions read like `request.method == \"POST\" && request.path.startsWith(\"/a\")` (`docs/cel.md`)".to_owned()
        }))
}

/// The bracket that is not closed, or closes nothing.
fn balance(text: &str, tokens: &[Token]) -> Option<String> {
    let mut open: Vec<char> = Vec::new();
    for token in tokens {
        match text.get(token.start..token.end) {
            Some("(") => open.push(')'),
            Some("[") => open.push(']'),
            Some("{") => open.push('}'),
            Some(close @ (")" | "]" | "}")) if open.pop().is_none_or(|due| !close.starts_with(due)) => {
                return Some(format!("this `{close}` closes nothing"));
            }
            _ => {}
        }
    }
    open.pop().map(|due| format!("a `{due}` is missing"))
}

/// The byte offset of a line and column, both from 1; columns count characters.
fn at(text: &str, line: isize, column: isize) -> Option<usize> {
    let (line, column) =
        (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?.checked_sub(1)?);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?;
    let within = rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset);
    Some(start + within)
}

/// The token at an offset, or the character there where the lexer gave up; at the end the last token, since there is
/// nothing to point at behind it.
fn word_at(text: &str, tokens: &[Token], offset: usize) -> Range<usize> {
    if let Some(token) = tokens.iter().find(|t| t.end > offset) {
        return token.start..token.end;
    }
    match (text.get(offset..).and_then(|rest| rest.chars().next()), tokens.last()) {
        (Some(c), _) if !c.is_whitespace() => offset..offset + c.len_utf8(),
        (_, Some(token)) => token.start..token.end,
        (_, None) => 0..text.len(),
    }
}

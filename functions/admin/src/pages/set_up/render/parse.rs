//! From a template's text to its nodes.

use super::untried::{Untried, shortened};
use super::value::Value;

/// Blocks within each other at most.
const DEEPEST: usize = 32;
/// Terms of a condition at most.
const MOST_TERMS: usize = 32;

pub(super) enum Node {
    Text(String),
    Output(Expression),
    Assign(String, Expression),
    If(Vec<(Condition, Vec<Node>)>),
    For(String, Expression, Vec<Node>),
}

pub(super) struct Expression {
    pub(super) operand: Operand,
    pub(super) filters: Vec<(String, Vec<Operand>)>,
    pub(super) line: usize,
}

#[derive(Clone)]
pub(super) enum Operand {
    Literal(Value),
    /// `blank` or `empty`.
    Empty,
    Path(String),
}

pub(super) enum Condition {
    Always,
    True(Operand),
    Compare(Operand, Comparison, Operand),
    Not(Box<Condition>),
    Both(Box<Condition>, Box<Condition>),
    Either(Box<Condition>, Box<Condition>),
}

#[derive(Clone, Copy)]
pub(super) enum Comparison {
    Same,
    Other,
    Contains,
}

/// A piece of the template: text, `{{ … }}` or `{% … %}`.
enum Piece<'t> {
    Text(&'t str),
    Output(&'t str),
    Tag(&'t str),
}

pub(super) fn template(text: &str, plain: bool) -> Result<Vec<Node>, Untried> {
    let pieces = pieces(text)?;
    if plain {
        for (piece, line) in &pieces {
            let what = match piece {
                Piece::Tag(tag) => format!("`{{% {} %}}`", shortened(tag.trim())),
                Piece::Output(inner) if inner.contains(['|', '(', '[']) => {
                    format!("`{{{{ {} }}}}`", shortened(inner.trim()))
                }
                _ => continue,
            };
            return Err(Untried { line: *line, what });
        }
    }
    let mut parser = Parser { pieces, at: 0, depth: 0 };
    let (nodes, end) = parser.nodes()?;
    match end {
        None => Ok(nodes),
        Some((tag, line)) => Err(untried(line, tag)),
    }
}

/// Where each piece ends; with the line that it begins in.
fn pieces(text: &str) -> Result<Vec<(Piece<'_>, usize)>, Untried> {
    let (mut pieces, mut rest, mut line) = (Vec::new(), text, 1);
    let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
    let mut trim_next = false;
    loop {
        // Each brace is looked at once, so that a long template takes no longer than its length.
        let opens = |at: &usize| matches!(rest.as_bytes().get(at + 1), Some(b'{' | b'%'));
        let open = rest.match_indices('{').map(|(at, _)| at).find(opens);
        let (before, from) = rest.split_at(open.unwrap_or(rest.len()));
        let mut shown = if trim_next { before.trim_start() } else { before };
        let is_output = from.starts_with("{{");
        let body = from.get(2..).unwrap_or_default();
        if body.starts_with('-') {
            shown = shown.trim_end();
        }
        pieces.push((Piece::Text(shown), line));
        line += lines(before);
        if open.is_none() {
            return Ok(pieces);
        }
        let close = if is_output { "}}" } else { "%}" };
        let Some(end) = body.find(close) else {
            let what = format!("`{}`, which is not closed", shortened(from.trim()));
            return Err(Untried { line, what });
        };
        let inner = body.get(..end).unwrap_or_default();
        trim_next = inner.ends_with('-');
        let inside = inner.strip_prefix('-').unwrap_or(inner);
        let inside = inside.strip_suffix('-').unwrap_or(inside);
        pieces.push((if is_output { Piece::Output(inside) } else { Piece::Tag(inside) }, line));
        line += lines(inner);
        rest = body.get(end + 2..).unwrap_or_default();
    }
}

fn untried(line: usize, tag: &str) -> Untried {
    Untried { line, what: format!("`{{% {} %}}`", shortened(tag)) }
}

/// The tag that ended a list of nodes, with its line.
type End<'t> = Option<(&'t str, usize)>;

struct Parser<'t> {
    pieces: Vec<(Piece<'t>, usize)>,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    /// Nodes up to a tag that begins none.
    fn nodes(&mut self) -> Result<(Vec<Node>, End<'t>), Untried> {
        let mut nodes = Vec::new();
        while let Some((piece, line)) = self.pieces.get(self.at) {
            let line = *line;
            self.at += 1;
            match piece {
                Piece::Text(text) => nodes.push(Node::Text((*text).to_owned())),
                Piece::Output(inner) => nodes.push(Node::Output(expression(inner, line)?)),
                Piece::Tag(tag) => {
                    let tag = tag.trim();
                    match self.tag(tag, line)? {
                        Some(node) => nodes.push(node),
                        None => return Ok((nodes, Some((tag, line)))),
                    }
                }
            }
        }
        Ok((nodes, None))
    }

    fn tag(&mut self, tag: &'t str, line: usize) -> Result<Option<Node>, Untried> {
        let (word, rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        Ok(Some(match word {
            "assign" => {
                let (name, value) = rest.split_once('=').ok_or_else(|| untried(line, tag))?;
                Node::Assign(name.trim().to_owned(), expression(value, line)?)
            }
            "if" => self.branches(condition(rest, line)?, "endif", (tag, line))?,
            "unless" => {
                let condition = Condition::Not(Box::new(condition(rest, line)?));
                self.branches(condition, "endunless", (tag, line))?
            }
            "for" => {
                let (name, list) = rest.split_once(" in ").ok_or_else(|| untried(line, tag))?;
                // `reversed`, `limit:` and ranges are not known.
                if list.trim().contains(char::is_whitespace) || list.contains("..") {
                    return Err(untried(line, tag));
                }
                let (list, name) = (expression(list, line)?, name.trim().to_owned());
                let (body, end) = self.body((tag, line))?;
                match end {
                    Some(("endfor", _)) => Node::For(name, list, body),
                    _ => return Err(untried(line, tag)),
                }
            }
            "elsif" | "else" | "endif" | "endunless" | "endfor" => return Ok(None),
            _ => return Err(untried(line, tag)),
        }))
    }

    fn body(&mut self, opened: (&str, usize)) -> Result<(Vec<Node>, End<'t>), Untried> {
        if self.depth >= DEEPEST {
            return Err(untried(opened.1, opened.0));
        }
        self.depth += 1;
        let body = self.nodes();
        self.depth -= 1;
        body
    }

    fn branches(
        &mut self,
        first: Condition,
        closed_by: &str,
        opened: (&str, usize),
    ) -> Result<Node, Untried> {
        let (mut branches, mut condition) = (Vec::new(), first);
        loop {
            let (body, end) = self.body(opened)?;
            branches.push((condition, body));
            let (tag, line) = end.ok_or_else(|| untried(opened.1, opened.0))?;
            condition = match tag.split_once(char::is_whitespace).unwrap_or((tag, "")) {
                ("elsif", rest) => self::condition(rest, line)?,
                ("else", _) => Condition::Always,
                (word, _) if word == closed_by => return Ok(Node::If(branches)),
                _ => return Err(untried(line, tag)),
            };
        }
    }
}

/// The words of an expression: a quoted text is one, and so is each mark.
fn words(text: &str, line: usize) -> Result<Vec<&str>, Untried> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => {
                let close = rest.get(1..).and_then(|inner| inner.find(first));
                close.map(|close| close + 2).ok_or_else(|| Untried {
                    line,
                    what: format!("`{}`, a text that is not closed", shortened(rest.trim())),
                })?
            }
            '|' | ':' | ',' => 1,
            '=' | '!' | '<' | '>' => rest.find(|c| !"=!<>".contains(c)).unwrap_or(rest.len()),
            _ => rest
                .find(|c: char| c.is_whitespace() || "|:,=!<>\"'".contains(c))
                .unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

fn expression(text: &str, line: usize) -> Result<Expression, Untried> {
    let words = words(text, line)?;
    let odd = || Untried { line, what: format!("`{{{{ {} }}}}`", shortened(text.trim())) };
    let mut parts = words.split(|word| *word == "|");
    let operand = match parts.next() {
        Some([one]) => operand(one).ok_or_else(odd)?,
        _ => return Err(odd()),
    };
    let mut filters = Vec::new();
    for part in parts {
        let (name, arguments) = part.split_first().ok_or_else(odd)?;
        let arguments = arguments.iter().filter(|word| ![":", ","].contains(word));
        let arguments = arguments.map(|word| self::operand(word).ok_or_else(odd));
        filters.push(((*name).to_owned(), arguments.collect::<Result<_, _>>()?));
    }
    Ok(Expression { operand, filters, line })
}

fn operand(word: &str) -> Option<Operand> {
    let quoted = |mark: char| word.strip_prefix(mark)?.strip_suffix(mark);
    if let Some(text) = quoted('"').or_else(|| quoted('\'')) {
        return Some(Operand::Literal(Value::Text(text.to_owned())));
    }
    match word {
        "true" | "false" => return Some(Operand::Literal(Value::Truth(word == "true"))),
        "nil" | "null" => return Some(Operand::Literal(Value::Nothing)),
        "blank" | "empty" => return Some(Operand::Empty),
        _ => {}
    }
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Operand::Literal(Value::Text(word.to_owned())));
    }
    let path = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    path.then(|| Operand::Path(word.to_owned())).filter(|_| !word.is_empty())
}

fn condition(text: &str, line: usize) -> Result<Condition, Untried> {
    let words = words(text, line)?;
    let odd = || Untried { line, what: format!("the condition `{}`", shortened(text.trim())) };
    if words.iter().filter(|word| ["and", "or"].contains(word)).count() >= MOST_TERMS {
        return Err(odd());
    }
    chained(&words).ok_or_else(odd)
}

fn chained(words: &[&str]) -> Option<Condition> {
    let Some(at) = words.iter().position(|word| ["and", "or"].contains(word)) else {
        return term(words);
    };
    let (left, right) = words.split_at(at);
    let (left, rest) = (term(left)?, chained(right.get(1..)?)?);
    let (left, rest) = (Box::new(left), Box::new(rest));
    Some(if right.first() == Some(&"and") {
        Condition::Both(left, rest)
    } else {
        Condition::Either(left, rest)
    })
}

fn term(words: &[&str]) -> Option<Condition> {
    match words {
        [one] => Some(Condition::True(operand(one)?)),
        [left, comparison, right] => {
            let comparison = match *comparison {
                "==" => Comparison::Same,
                "!=" | "<>" => Comparison::Other,
                "contains" => Comparison::Contains,
                _ => return None,
            };
            Some(Condition::Compare(operand(left)?, comparison, operand(right)?))
        }
        _ => None,
    }
}

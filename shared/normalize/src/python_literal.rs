//! Python literals.
//!
//! In: a text that Python's `repr` wrote. Out: the value as a [`Node`]. It exists because Gorgias
//! fills `"{{ticket.tags}}"` with the `repr` of a list of dictionaries (docs/facts.md, Gorgias 2).

use crate::json::Node;

/// The most levels of lists and dictionaries. The parser is recursive, and no ticket goes deeper.
const MAX_DEPTH: usize = 32;

/// Reads one literal: `None`, `True`, `False`, a number, a string in either kind of quotation
/// marks, a list, tuple, set or dictionary. A call such as `datetime.datetime(2024, 1, 1)`, and any
/// other word, become their own text. `None` for anything else.
///
/// Python: `repr` of the built-in types
/// (docs.python.org/3/reference/lexical_analysis.html#literals).
pub(crate) fn parse(text: &str) -> Option<Node> {
    let mut reader = PythonParser { rest: text };
    let node = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(node)
}

struct PythonParser<'a> {
    rest: &'a str,
}

impl<'a> PythonParser<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: char) -> bool {
        self.space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        match self.rest.chars().next()? {
            '[' => self.list('[', ']', depth),
            '(' => self.list('(', ')', depth),
            '{' => self.braces(depth),
            '\'' | '"' => self.string().map(Node::Text),
            '0'..='9' | '-' | '+' | '.' => {
                let number = self.take_while(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
                number.parse::<f64>().ok().map(|_| Node::Number(number.to_owned()))
            }
            _ => self.word(depth),
        }
    }

    fn list(&mut self, open: char, close: char, depth: usize) -> Option<Node> {
        self.eat(open);
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.value(depth + 1)?);
            if !self.eat(',') {
                return self.eat(close).then_some(Node::List(items));
            }
        }
        Some(Node::List(items))
    }

    /// A dictionary, or a set, which becomes a list.
    fn braces(&mut self, depth: usize) -> Option<Node> {
        self.eat('{');
        let (mut entries, mut items) = (Vec::new(), Vec::new());
        while !self.eat('}') {
            let key = self.value(depth + 1)?;
            if self.eat(':') {
                entries.push((scalar(key)?, self.value(depth + 1)?));
            } else {
                items.push(key);
            }
            if !self.eat(',') {
                if self.eat('}') {
                    break;
                }
                return None;
            }
        }
        match (entries.is_empty(), items.is_empty()) {
            (_, true) => Some(Node::Object(entries)),
            (true, false) => Some(Node::List(items)),
            (false, false) => None,
        }
    }

    /// A constant, a string with a prefix, a call, or another word.
    fn word(&mut self, depth: usize) -> Option<Node> {
        let start = self.rest;
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.');
        match (word, self.rest.chars().next()) {
            ("None", _) => Some(Node::Null),
            ("True", _) => Some(Node::Bool(true)),
            ("False", _) => Some(Node::Bool(false)),
            ("u" | "b" | "U" | "B", Some('\'' | '"')) => self.string().map(Node::Text),
            (word, Some('(')) if !word.is_empty() => {
                self.list('(', ')', depth)?;
                let length = start.len() - self.rest.len();
                start.get(..length).map(|call| Node::Text(call.to_owned()))
            }
            // A keyword argument of such a call.
            (word, Some('=')) if !word.is_empty() => {
                self.eat('=');
                self.value(depth + 1)
            }
            // A constant such as `datetime.timezone.utc`.
            (word, _) => (!word.is_empty()).then(|| Node::Text(word.to_owned())),
        }
    }

    fn string(&mut self) -> Option<String> {
        let mut chars = self.rest.chars();
        let quote = chars.next()?;
        let mut text = String::new();
        loop {
            match chars.next()? {
                c if c == quote => break,
                '\\' => escape(&mut chars, &mut text)?,
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(text)
    }
}

/// Appends the character that follows a backslash to `text`.
fn escape(chars: &mut std::str::Chars<'_>, text: &mut String) -> Option<()> {
    let escaped = match chars.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'x' => hex(chars, 2)?,
        'u' => hex(chars, 4)?,
        'U' => hex(chars, 8)?,
        c @ ('\\' | '\'' | '"') => c,
        other => {
            // As in Python, a backslash before anything else stands for itself.
            text.push('\\');
            other
        }
    };
    text.push(escaped);
    Some(())
}

/// A character from its hexadecimal code. Python allows a lone surrogate, which becomes U+FFFD.
fn hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let (code, rest) = chars.as_str().split_at_checked(digits)?;
    *chars = rest.chars();
    let code = u32::from_str_radix(code, 16).ok()?;
    Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// The text of a dictionary's key. `None` for a list or dictionary.
fn scalar(key: Node) -> Option<String> {
    match key {
        Node::Text(text) | Node::Number(text) => Some(text),
        Node::Bool(value) => Some(if value { "True" } else { "False" }.to_owned()),
        Node::Null => Some("None".to_owned()),
        Node::List(_) | Node::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Node {
        Node::Text(text.to_owned())
    }

    #[test]
    fn literals() {
        for (source, expected) in [
            ("None", Some(Node::Null)),
            (" True ", Some(Node::Bool(true))),
            ("-1.5e3", Some(Node::Number("-1.5e3".to_owned()))),
            ("'it\\'s \"x\"'", Some(text("it's \"x\""))),
            ("\"don't\"", Some(text("don't"))),
            (r"'\x41\u00e9\U0001f98a\q\\'", Some(text("Aé🦊\\q\\"))),
            (r"'\ud83e'", Some(text("\u{fffd}"))),
            ("(1,)", Some(Node::List(vec![Node::Number("1".to_owned())]))),
            ("{}", Some(Node::Object(vec![]))),
            (
                "{'a': [], 1: None}",
                Some(Node::Object(vec![
                    ("a".to_owned(), Node::List(vec![])),
                    ("1".to_owned(), Node::Null),
                ])),
            ),
            ("{'a', 'b'}", Some(Node::List(vec![text("a"), text("b")]))),
            ("f(1, x=g.h)", Some(text("f(1, x=g.h)"))),
            ("", None),
            ("'open", None),
            ("'x' y", None),
            ("[1 2]", None),
            ("{'a': 1, 'b'}", None),
            (r"'\x4'", None),
            (r"'\xé'", None),
            ("<Tag 1>", None),
        ] {
            assert_eq!(parse(source), expected, "{source}");
        }
        assert_eq!(parse(&"[".repeat(100_000)), None);
    }

    /// As Python writes it: in single quotes, unless that would need an escape and double quotes
    /// would not.
    fn repr(node: &Node) -> String {
        let listed = |items: Vec<String>| items.join(", ");
        match node {
            Node::Null => "None".to_owned(),
            Node::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
            Node::Number(number) => number.clone(),
            Node::Text(text) => {
                let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
                let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
                format!("{quote}{}{quote}", escaped.replace(quote, &format!("\\{quote}")))
            }
            Node::List(items) => format!("[{}]", listed(items.iter().map(repr).collect())),
            Node::Object(entries) => {
                let entry = |(key, value): &(String, Node)| {
                    format!("{}: {}", repr(&text(key)), repr(value))
                };
                format!("{{{}}}", listed(entries.iter().map(entry).collect()))
            }
        }
    }

    fn node() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            Just(Node::Null),
            any::<bool>().prop_map(Node::Bool),
            any::<i64>().prop_map(|n| Node::Number(n.to_string())),
            ".*".prop_map(Node::Text),
            "['\"\\\\a\n]{0,6}".prop_map(Node::Text),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let entries = prop::collection::vec((".{0,4}", inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Node::List),
                entries.prop_map(Node::Object)
            ]
        })
    }

    proptest! {
        #[test]
        fn what_python_writes_is_read_back(node in node()) {
            prop_assert_eq!(parse(&repr(&node)), Some(node));
        }

        #[test]
        fn nothing_panics(text in "[\\[\\](){}'\",:\\\\xuUN0-9a-f. =-]{0,40}") {
            let _ = parse(&text);
        }
    }
}

//! A small part of Liquid: what the payloads that admins paste are made of.
//!
//! Known are `{{ a.b | filter }}`, `assign`, `if`/`elsif`/`else`, `unless` and `for`, comparisons
//! with `==`, `!=` and `contains`, `and` and `or`, and the filters in [`filtered`]. Anything else
//! is [`Untried`], with its line: it may well work in the helpdesk. A placeholder without a value
//! is blank, as it is there.
//!
//! The work is bounded, whatever the template: steps, bytes of a value and of the output, depth.

use std::collections::BTreeMap;

mod parse;
mod untried;
mod value;

pub(super) use untried::Untried;

use parse::{Comparison, Condition, Expression, Node, Operand};
use untried::shortened;
use value::Value;

/// Nodes that are rendered at most.
const STEPS: usize = 100_000;
/// Bytes of a value, and of the output, at most.
const LARGEST: usize = 1024 * 1024;

/// Renders a template over a ticket. `plain`: placeholders alone are known (Gorgias' engine is
/// another one).
pub(super) fn render(
    template: &str,
    plain: bool,
    ticket: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Untried> {
    let nodes = parse::template(template, plain)?;
    let mut run = Run { ticket, own: BTreeMap::new(), out: String::new(), steps: 0 };
    run.nodes(&nodes)?;
    Ok(run.out)
}

struct Run<'t> {
    ticket: &'t dyn Fn(&str) -> Option<String>,
    own: BTreeMap<String, Value>,
    out: String,
    steps: usize,
}

impl Run<'_> {
    fn step(&mut self, line: usize) -> Result<(), Untried> {
        self.steps += 1;
        match self.steps > STEPS || self.out.len() > LARGEST {
            true => Err(too_much(line)),
            false => Ok(()),
        }
    }

    fn nodes(&mut self, nodes: &[Node]) -> Result<(), Untried> {
        for node in nodes {
            match node {
                Node::Text(text) => {
                    self.step(0)?;
                    self.out.push_str(text);
                }
                Node::Output(expression) => {
                    self.step(expression.line)?;
                    let text = self.value(expression)?.text();
                    self.out.push_str(&text);
                }
                Node::Assign(name, expression) => {
                    self.step(expression.line)?;
                    let value = self.value(expression)?;
                    self.own.insert(name.clone(), value);
                }
                Node::If(branches) => {
                    self.step(0)?;
                    for (condition, body) in branches {
                        if self.holds(condition)? {
                            self.nodes(body)?;
                            break;
                        }
                    }
                }
                Node::For(name, expression, body) => {
                    let items = match self.value(expression)? {
                        Value::List(items) => items,
                        Value::Text(text) if !text.is_empty() => vec![text],
                        _ => Vec::new(),
                    };
                    let last = items.len().saturating_sub(1);
                    for (index, item) in items.into_iter().enumerate() {
                        self.step(expression.line)?;
                        self.own.insert(name.clone(), Value::Text(item));
                        self.own.insert("forloop.first".into(), Value::Truth(index == 0));
                        self.own.insert("forloop.last".into(), Value::Truth(index == last));
                        self.nodes(body)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn value(&self, expression: &Expression) -> Result<Value, Untried> {
        let mut value = self.operand(&expression.operand);
        for (filter, arguments) in &expression.filters {
            let arguments: Vec<String> =
                arguments.iter().map(|operand| self.operand(operand).text()).collect();
            value = filtered(value, filter, &arguments, expression.line)?;
            if value.size() > LARGEST {
                return Err(too_much(expression.line));
            }
        }
        Ok(value)
    }

    fn operand(&self, operand: &Operand) -> Value {
        match operand {
            Operand::Literal(value) => value.clone(),
            Operand::Empty => Value::Text(String::new()),
            Operand::Path(path) => match self.own.get(path) {
                Some(value) => value.clone(),
                None => (self.ticket)(path).map_or(Value::Nothing, Value::Text),
            },
        }
    }

    fn holds(&self, condition: &Condition) -> Result<bool, Untried> {
        // From the right, as Liquid does.
        Ok(match condition {
            Condition::Always => true,
            Condition::Not(inner) => !self.holds(inner)?,
            Condition::Both(left, right) => self.holds(left)? && self.holds(right)?,
            Condition::Either(left, right) => self.holds(left)? || self.holds(right)?,
            Condition::True(operand) => self.operand(operand).is_true(),
            Condition::Compare(left, comparison, right) => {
                let (a, b) = (self.operand(left), self.operand(right));
                let same = match (left, right) {
                    (_, Operand::Empty) => a.is_empty(),
                    (Operand::Empty, _) => b.is_empty(),
                    _ => a == b,
                };
                match comparison {
                    Comparison::Same => same,
                    Comparison::Other => !same,
                    Comparison::Contains => match &a {
                        Value::List(items) => items.contains(&b.text()),
                        a => a.text().contains(&b.text()),
                    },
                }
            }
        })
    }
}

/// The filters that are known.
fn filtered(
    value: Value,
    filter: &str,
    arguments: &[String],
    line: usize,
) -> Result<Value, Untried> {
    let first = arguments.first().map(String::as_str).unwrap_or_default();
    let second = arguments.get(1).map(String::as_str).unwrap_or_default();
    let text = |text: String| Ok(Value::Text(text));
    match filter {
        "strip" => text(value.text().trim().to_owned()),
        "lstrip" => text(value.text().trim_start().to_owned()),
        "rstrip" => text(value.text().trim_end().to_owned()),
        "upcase" => text(value.text().to_uppercase()),
        "downcase" => text(value.text().to_lowercase()),
        "strip_newlines" => text(value.text().replace(['\r', '\n'], "")),
        "append" => text(value.text() + first),
        "prepend" => text(first.to_owned() + &value.text()),
        "remove" => text(replaced(&value.text(), first, "", line)?),
        "replace" => text(replaced(&value.text(), first, second, line)?),
        "escape" => {
            let escaped = replaced(&value.text(), "&", "&amp;", line)?;
            let escaped = escaped.replace('<', "&lt;").replace('>', "&gt;");
            text(escaped.replace('"', "&quot;").replace('\'', "&#39;"))
        }
        "default" if value.is_empty() => text(first.to_owned()),
        "default" => Ok(value),
        "split" => {
            let whole = value.text();
            let parts: Vec<String> = match first {
                "" => whole.chars().map(String::from).collect(),
                " " => whole.split_whitespace().map(str::to_owned).collect(),
                _ if whole.is_empty() => Vec::new(),
                at => whole.split(at).map(str::to_owned).collect(),
            };
            Ok(Value::List(parts))
        }
        "join" => match value {
            Value::List(items) if items.len().saturating_mul(first.len()) > LARGEST => {
                Err(too_much(line))
            }
            Value::List(items) => text(items.join(first)),
            other => Ok(other),
        },
        "first" | "last" => Ok(match value {
            Value::List(items) if filter == "first" => items.into_iter().next(),
            Value::List(items) => items.into_iter().next_back(),
            _ => None,
        }
        .map_or(Value::Nothing, Value::Text)),
        "size" => text(match value {
            Value::List(items) => items.len().to_string(),
            other => other.text().chars().count().to_string(),
        }),
        other => Err(Untried { line, what: format!("the filter `{}`", shortened(other)) }),
    }
}

fn replaced(text: &str, from: &str, to: &str, line: usize) -> Result<String, Untried> {
    if from.is_empty() {
        return Ok(text.to_owned());
    }
    if text.matches(from).count().saturating_mul(to.len()) > LARGEST {
        return Err(too_much(line));
    }
    Ok(text.replace(from, to))
}

fn too_much(line: usize) -> Untried {
    Untried { line: line.max(1), what: "a loop or a text that gets too large".to_owned() }
}

#[cfg(test)]
mod tests;

//! The `curl` and `aws` commands of the guides, taken apart as a shell does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What one `curl` sends to the local API.
#[derive(Debug)]
pub(crate) struct Curl {
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Curl {
    /// Reads a block that is one `curl` to `http://127.0.0.1:3000`; `None` for any other block.
    pub(crate) fn read(block: &str) -> Option<Self> {
        let mut words = words(block).into_iter();
        if words.next()? != "curl" {
            return None;
        }
        let mut curl =
            Self { method: "GET", path: String::new(), headers: Vec::new(), body: String::new() };
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} has no value"));
            match word.as_str() {
                "-u" => {
                    let basic = format!("Basic {}", STANDARD.encode(value()));
                    curl.headers.push(("authorization".to_owned(), basic));
                }
                "-H" => {
                    let header = value();
                    let (name, text) = header.split_once(':').unwrap();
                    curl.headers.push((name.to_owned(), text.trim().to_owned()));
                }
                "-d" => {
                    // curl drops no line breaks of a text on its command line.
                    curl.body = value();
                    curl.method = "POST";
                }
                url => {
                    let path = url.strip_prefix("http://127.0.0.1:3000");
                    curl.path = path.unwrap_or_else(|| panic!("{url}: {block}")).to_owned();
                }
            }
        }
        Some(curl)
    }
}

/// The words of a command, its continued lines as one.
fn words(block: &str) -> Vec<String> {
    shlex::split(&block.replace("\\\n", " "))
        .unwrap_or_else(|| panic!("no shell takes this: {block}"))
}

/// The items that a block's `aws dynamodb put-item` puts, in DynamoDB JSON, once the shell has put
/// these values in the place of its variables.
pub(crate) fn put_items(block: &str, variables: &[(&str, &str)]) -> Vec<Value> {
    let words = words(block);
    let items = words.windows(2).filter(|pair| pair[0] == "--item").map(|pair| {
        let item = variables
            .iter()
            .fold(pair[1].clone(), |item, (variable, value)| item.replace(variable, value));
        assert!(!item.contains('$'), "a variable is left: {item}");
        serde_json::from_str(&item).unwrap_or_else(|problem| panic!("{problem}: {item}"))
    });
    items.collect()
}

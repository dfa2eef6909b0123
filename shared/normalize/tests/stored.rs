//! The types that a table keeps: what serde writes, it reads back as the same value.

#![expect(clippy::unwrap_used, reason = "a value that cannot be stored or read ends the test")]

use normalize::{Address, Customer, CustomerAddress, EmployeeRef, Language, LanguageTag};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn stored<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> Value {
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(&serde_json::from_value::<T>(json.clone()).unwrap(), value);
    json
}

fn customer(address: CustomerAddress) -> Customer {
    Customer { name: None, custom_id: Some("c-1".to_owned()), address }
}

#[test]
fn a_customer_is_read_back_as_written() {
    let valid = Address::parse("Jané.Doe@bücher.example");
    assert_eq!(valid, None, "the local part must be ASCII");
    let valid = Address::parse(" Jane.Doe@Bücher.example ").unwrap();
    assert_eq!(
        stored(&customer(CustomerAddress::Valid(valid))),
        json!({ "custom_id": "c-1", "address": { "valid": "Jane.Doe@xn--bcher-kva.example" } })
    );
    assert_eq!(
        stored(&customer(CustomerAddress::Missing)),
        json!({ "custom_id": "c-1", "address": "missing" })
    );
}

#[test]
fn a_malformed_address_never_becomes_a_valid_one() {
    // The text is stored as one line. The character that made it malformed can be missing there.
    let address = CustomerAddress::Malformed("jane@example.com".to_owned());
    assert_eq!(
        stored(&customer(address)),
        json!({ "custom_id": "c-1", "address": { "malformed": "jane@example.com" } })
    );
}

#[test]
fn a_stored_value_that_the_parser_refuses_is_an_error() {
    for bad in ["", "jane", "jane@", "jane@example", "j\u{e9}@example.com", "a@b.com, c@d.com"] {
        let address = serde_json::from_value::<Address>(json!(bad));
        assert!(address.is_err(), "{bad}");
        let error = address.unwrap_err().to_string();
        assert!(bad.is_empty() || !error.contains(bad), "the text is not in the error: {error}");
    }
    for bad in [json!({}), json!({ "email": " " }), json!({ "email": null, "custom_id": "" })] {
        assert!(serde_json::from_value::<EmployeeRef>(bad.clone()).is_err(), "{bad}");
    }
    assert!(serde_json::from_value::<LanguageTag>(json!("Klingonese")).is_err());
}

#[test]
fn an_employee_and_a_language_are_read_back_as_written() {
    let employee = EmployeeRef::new(Some("Kim@Example.com"), None).unwrap();
    assert_eq!(stored(&employee), json!({ "email": "kim@example.com" }));
    let given = |text: &str| Language { given: text.to_owned(), tag: LanguageTag::parse(text) };
    for (text, tag) in [("pt_BR", "pt-BR"), ("zh-hk", "zh-Hant"), ("es-LA", "es-419")] {
        assert_eq!(stored(&given(text)), json!({ "given": text, "tag": tag }));
    }
    assert_eq!(stored(&given("Klingonese")), json!({ "given": "Klingonese" }));
}

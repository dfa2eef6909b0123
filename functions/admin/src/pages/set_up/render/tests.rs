use liquid::ParserBuilder;

use super::*;

fn ticket(path: &str) -> Option<String> {
    let value = match path {
        "ticket.tags" => "vip returns new",
        "ticket.requester.email" => " jane@example.com ",
        "ticket.requester.name" => "Jane \"JD\" Doe",
        "ticket.empty" => "",
        "ticket.words" => "a \"b\" \\ c\r\nd\te",
        _ => return None,
    };
    Some(value.to_owned())
}

fn rendered(template: &str) -> Result<String, Untried> {
    render(template, false, &ticket)
}

#[test]
fn what_is_known_renders_as_the_real_engine_renders_it() {
    let object = liquid::object!({ "ticket": {
        "tags": "vip returns new", "empty": "", "words": "a \"b\" \\ c\r\nd\te",
        "requester": { "email": " jane@example.com ", "name": "Jane \"JD\" Doe" },
    }});
    let parser = ParserBuilder::with_stdlib().build().unwrap();
    for template in [
        "plain } text % {",
        "{{ticket.requester.name}}|{{ ticket.requester.name | upcase }}",
        "{{ ticket.words | replace: '\"', ' ' | replace: '\\', ' ' | strip_newlines }}",
        "{{ 'a' | append: \"b|:\" | prepend: 'c' }}",
        "{{ ticket.empty | default: 'none' }}",
        "{{ 'a<b>&\"c\"' | escape }}",
        "{{ ticket.requester.email | strip | size }}",
        "a  {%- assign x = 'y' -%}  b{{- x -}} c",
        "{% assign raw = ticket.tags | split: ' ' %}[{% for t in raw %}\"{{t}}\"\
         {% unless forloop.last %},{% endunless %}{% endfor %}]",
        "{% assign e = ticket.requester.email | strip %}\
         {% if e and e != \"\" %}{{e}}{% else %}no{% endif %}",
        "{% assign e = ticket.empty | strip %}{% if e and e != \"\" %}{{e}}{% else %}no{% endif %}",
        "{% if ticket.empty == 'x' %}1\
         {% elsif ticket.tags contains 'vip' %}2{% else %}3{% endif %}",
        "{% if ticket.empty == 'x' or ticket.tags contains 'vip' and true %}1{% endif %}",
        "{% unless ticket.tags contains 'vip' %}1{% else %}2{% endunless %}",
    ] {
        let real = parser.parse(template).unwrap().render(&object).unwrap();
        assert_eq!(rendered(template), Ok(real), "{template}");
    }
}

#[test]
fn what_is_not_known_is_named_with_its_line() {
    for (template, line, what) in [
        ("a\n{% case x %}", 2, "`{% case x %}`"),
        ("{{ x | date: '%Y' }}", 1, "the filter `date`"),
        ("\n\n{{ x", 3, "`{{ x`, which is not closed"),
        ("{% if x %}", 1, "`{% if x %}`"),
        ("{% if x > 1 %}{% endif %}", 1, "the condition `x > 1`"),
        ("{% endfor %}", 1, "`{% endfor %}`"),
        ("{% for i in (1..9) %}{% endfor %}", 1, "`{% for i in (1..9) %}`"),
        ("{{ 'x }}", 1, "`'x`, a text that is not closed"),
        ("{{ }}", 1, "`{{  }}`"),
        ("{{ x y }}", 1, "`{{ x y }}`"),
    ] {
        let untried = rendered(template).expect_err(template);
        assert_eq!((untried.line, untried.what.as_str()), (line, what), "{template}");
    }
    let deep = "{% if a %}".repeat(200);
    assert!(rendered(&deep).is_err());
    assert_eq!(render("{{a|b}}", true, &ticket).unwrap_err().what, "`{{ a|b }}`");
    assert_eq!(render("{{ ticket.tags }}", true, &ticket).unwrap(), "vip returns new");
}

#[test]
fn whatever_the_template_the_work_ends() {
    let doubling =
        "{% assign a = 'xxxxxxxxxx' %}".to_owned() + &"{% assign a = a | append: a %}".repeat(60);
    let wide = format!("{{% assign l = '{}' | split: '' %}}", "x".repeat(5_000));
    let nested =
        format!("{wide}{{% for a in l %}}{{% for b in l %}}{{{{a}}}}{{% endfor %}}{{% endfor %}}");
    let swelling =
        format!("{{{{ '{}' | replace: 'x', '{}' }}}}", "x".repeat(9_000), "y".repeat(9_000));
    for template in [doubling, nested, swelling] {
        assert!(rendered(&template).unwrap_err().what.contains("too large"));
    }
}

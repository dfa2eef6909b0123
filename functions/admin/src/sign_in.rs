//! `/admin/sign-in`: a form of name and key that begins a session; `/admin/sign-out` ends it.

use std::time::Duration;

use askama::Template;
use jiff::Timestamp;
use lambda_http::{Request, RequestExt as _};
use links::SessionToken;

use crate::admin::Admin;
use crate::context::Context;
use crate::error::AdminError;
use crate::form::Form;
use crate::origin;
use crate::reply::{Reply, Style};
use crate::view;
use crate::visitor::{COOKIE, SESSION, key_of, looks_like_a_key, shown_name};

/// What a wrong key costs its sender. Keys have 128 random bits: this is to be seen in the log, and
/// to make guessing at a stolen beginning of a key slow.
const WRONG_KEY: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    style: Style,
    name: &'a str,
    next: &'a str,
    wrong: Option<&'a str>,
}

/// `GET /admin/sign-in?next=PATH`.
pub(crate) async fn page(_: &Admin, request: &Request) -> Result<Reply, AdminError> {
    let query = request.query_string_parameters();
    let next = own_path(query.first("next").unwrap_or_default());
    let html = SignInPage { style: Style, name: "", next, wrong: None }.render()?;
    Ok(Reply::html(200, html))
}

/// `POST /admin/sign-in`: 303 to where the visitor wanted to go, with the session's cookie.
pub(crate) async fn submit(
    admin: &Admin,
    request: &Request,
    now: Timestamp,
) -> Result<Reply, AdminError> {
    origin::require_own(request)?;
    let form = Form::read(request)?;
    let (name, next) = (form.text("name"), own_path(form.text("next")));
    let again = |wrong| -> Result<Reply, AdminError> {
        let html = SignInPage { style: Style, name, next, wrong: Some(wrong) }.render()?;
        Ok(Reply::html(422, html))
    };
    if name.is_empty() {
        return again("Type your name: the audit trail shows it beside what you change.");
    }
    if looks_like_a_key(name) {
        return again("This looks like a key. Type your name: everybody can read it.");
    }
    let digest = intake::digest(form.text("key").as_bytes());
    if let Some((key, _)) = key_of(admin, &digest).await? {
        admin.store.note_key_use(&digest, key.last_used, now).await;
    } else {
        tracing::warn!("sign-in with a wrong key");
        tokio::time::sleep(WRONG_KEY).await;
        return again("This key opens nothing here. It must be an admin key that is not revoked.");
    }
    let session = SessionToken { name: shown_name(name), key: digest, signed_in_at: now };
    let cookie = cookie(request, &admin.secrets.seal_session(&session), SESSION.as_secs());
    Ok(Reply::see_other(next).with("set-cookie", cookie))
}

/// `POST /admin/sign-out`: ends the session, also for whoever has copied its cookie.
pub(crate) async fn out(context: &Context<'_>) -> Result<Reply, AdminError> {
    context.visitor.sign_out(context.admin).await?;
    let cookie = cookie(context.request, "", 0);
    Ok(Reply::see_other("/admin/sign-in").with("set-cookie", cookie))
}

/// 303 to the form, which leads back to the page that was asked for.
pub(crate) fn to_sign_in(request: &Request) -> Reply {
    let path = request.raw_http_path();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let wanted = format!("{path}{query}");
    let next: String = form_urlencoded::byte_serialize(own_path(&wanted).as_bytes()).collect();
    Reply::see_other(&format!("/admin/sign-in?next={next}"))
}

fn cookie(request: &Request, value: &str, seconds: i64) -> String {
    let secure = if view::is_loopback(request) { "" } else { "; Secure" };
    format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/admin; Max-Age={seconds}{secure}")
}

/// A path of these pages; anything else leads to the first page. It must not lead to another site.
fn own_path(path: &str) -> &str {
    let own = path == "/admin" || path.starts_with("/admin/") || path.starts_with("/admin?");
    let plain = path.bytes().all(|byte| matches!(byte, b'!'..=b'~')) && !path.contains('\\');
    if own && plain && path.len() < 2_000 && !path.starts_with("/admin/sign-") {
        path
    } else {
        "/admin"
    }
}

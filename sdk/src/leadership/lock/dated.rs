//! A list that keeps what kube's own drops: the `Date` of the answer.

use http::{Response, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use kube::api::{DynamicObject, ListParams, ObjectList};
use kube::client::Body;
use kube::core::{Request, Status};
use kube::{Api, Error};

use crate::leadership::election::{Dates, Stamp};

/// Of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`, which mail has too.
static DATES: DateTimeParser = DateTimeParser::new();

/// What a list answered, and when by the API server's clock, if it said so.
pub(super) async fn list(
    api: &Api<DynamicObject>,
    params: &ListParams,
) -> Result<(ObjectList<DynamicObject>, Option<Stamp>), Error> {
    let request = Request::new(api.resource_url()).list(params).map_err(Error::BuildRequest)?;
    let answer = api.clone().into_client().send(request.map(Body::from)).await?;
    let answered = date(&answer);
    let code = answer.status();
    let body = answer.into_body().collect_bytes().await?;
    if code.is_success() {
        let list = serde_json::from_slice(&body).map_err(Error::SerdeError)?;
        return Ok((list, answered));
    }
    let status = serde_json::from_slice(&body).unwrap_or_else(|_| {
        // A proxy's page, say.
        let text = String::from_utf8_lossy(&body);
        Status::failure(text.trim(), "no status").with_code(code.as_u16())
    });
    Err(Error::Api(status.boxed()))
}

/// Dates of the object, from a list that was answered at `answered`. `None` if one is missing.
pub(super) fn dates(object: &DynamicObject, version: u64, answered: Option<Stamp>) -> Option<Dates> {
    let writers = object.metadata.managed_fields.as_deref()?;
    let written =
        writers.iter().map(|writer| writer.time.as_ref().map(|time| stamp(time.0))).collect::<Option<Vec<_>>>()?;
    Some(Dates { version, answered: answered?, written: written.into_iter().max()? })
}

fn date(answer: &Response<Body>) -> Option<Stamp> {
    let date = answer.headers().get(header::DATE)?.to_str().ok()?;
    DATES.parse_timestamp(date).ok().map(stamp)
}

fn stamp(time: Timestamp) -> Stamp {
    Stamp::from_micros(time.as_microsecond())
}

//! OpenAPI v2, empty: kubectl asks for it about what it has not found in v3, and takes nothing for an answer.

use http::request::Parts;
use http::{HeaderValue, Response, header};
use serde_json::json;

use crate::cluster::answer;
use crate::cluster::body::ResponseBody;
use crate::cluster::media::accepts_json;
use crate::cluster::resources;

/// What clients ask for, and what the server calls it.
const WISHED: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// A document that describes no kind.
pub(crate) fn document(parts: &Parts) -> Response<ResponseBody> {
    let version = resources::version().git_version.as_str();
    if accepts_json(&parts.headers) {
        let info = json!({"title": "Kubernetes", "version": version});
        return answer::json(200, &json!({"swagger": "2.0", "info": info, "paths": {}}));
    }
    let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if !accept.is_some_and(|accept| accept.contains(WISHED)) {
        return answer::nothing(406);
    }
    // Fields 1 and 2 of gnostic's `Document` and of its `Info`.
    let info = [field(1, b"Kubernetes"), field(2, version.as_bytes())].concat();
    let document = [field(1, b"2.0"), field(2, &info)].concat();
    let mut response = answer::whole(200, document.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
    response
}

/// A text or a message within one, of less than 128 bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    const LENGTH_DELIMITED: u8 = 2;
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[number << 3 | LENGTH_DELIMITED, length], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_tells_its_number_and_its_length() {
        assert_eq!(field(2, b"abc"), [0x12, 3, b'a', b'b', b'c']);
    }
}

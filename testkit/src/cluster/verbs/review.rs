//! Kinds that are only ever created: questions to the server, which keeps none of them.

use serde_json::{Value, json};

use super::{Answer, metadata};
use crate::cluster::request::Request;
use crate::cluster::resources::Kind;
use crate::cluster::state::State;
use crate::cluster::status::Status;

/// Questions of what somebody may do.
const OF_ACCESS: [&str; 3] = ["localsubjectaccessreviews", "selfsubjectaccessreviews", "subjectaccessreviews"];

pub(super) fn is_review(kind: &Kind) -> bool {
    matches!(kind.verbs.as_slice(), [only] if only == "create")
}

/// Everybody may do everything here. Other questions are refused by name.
pub(super) fn answer(state: &mut State, request: &Request, mut body: Value) -> Result<Answer, Status> {
    let kind = &request.kind;
    if !OF_ACCESS.contains(&kind.plural.as_str()) {
        return Err(Status::unsupported(format!("{} of {}", kind.plural, kind.api_version())));
    }
    metadata::receive(state, request, &mut body, None)?;
    metadata::metadata(&mut body)?;
    body["status"] = json!({"allowed": true});
    Ok(Answer::Made(201, body))
}

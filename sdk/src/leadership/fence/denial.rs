//! Denials by the fence in the API server, which `generate manifests --fence` writes.

use http::{Response, StatusCode};
use kube::client::Body;

/// What the name of such a policy ends with, and that of its binding.
pub(crate) const POLICY: &str = "leader-fence";
/// How the API server begins to say which policy denied a request.
const DENIED_BY: &str = "ValidatingAdmissionPolicy '";

/// An answer with this in its extensions is a denial by the fence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Denied;

/// The same answer, marked if the fence has denied the write. The API server may not know yet that this process leads.
pub(super) async fn mark(answer: Response<Body>) -> kube::Result<Response<Body>> {
    // A policy whose lock is not found denies with 403 or 422, as it says by itself.
    if !matches!(answer.status(), StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY) {
        return Ok(answer);
    }
    let (mut parts, body) = answer.into_parts();
    let body = body.collect_bytes().await?;
    if is_denial(&String::from_utf8_lossy(&body)) {
        parts.extensions.insert(Denied);
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Names may have something behind them, by kustomize's `nameSuffix`.
fn is_denial(message: &str) -> bool {
    let names = message.split(DENIED_BY).skip(1).filter_map(|rest| rest.split('\'').next());
    names.into_iter().any(|name| name.contains(POLICY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_of_other_policies_stand() {
        let told = |policy: &str| {
            format!(
                r#"{{"message": "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy '{policy}' with binding 'b' denied request: no"}}"#
            )
        };
        assert!(is_denial(&told("shop.shop-system.leader-fence")));
        assert!(!is_denial(&told("images-are-signed")));
        assert!(!is_denial("leader-fence may not create configmaps"));
    }
}

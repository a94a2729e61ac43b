//! From a URL, a method and headers to what is asked for.

use std::sync::Arc;

use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;

use super::list_options;
use super::media::{self, Media, Output};
use super::options::Options;
use super::resources::{Kind, Resources};
use super::status::{Cause, Status};

/// As the server limits it.
const FIELD_MANAGER_LENGTH: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchKind {
    Json,
    Merge,
    Strategic,
    Apply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch(PatchKind),
    Delete,
    DeleteCollection,
}

impl Verb {
    /// As RBAC and the audit log call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch(_) => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

impl Verb {
    /// What the server calls what comes along with it.
    fn options(self) -> &'static str {
        match self {
            Self::Create => "CreateOptions",
            Self::Update => "UpdateOptions",
            Self::Patch(_) => "PatchOptions",
            Self::Delete | Self::DeleteCollection => "DeleteOptions",
            Self::Get | Self::List | Self::Watch => "ListOptions",
        }
    }
}

/// One request for objects.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) verb: Verb,
    pub(crate) kind: Arc<Kind>,
    /// Empty for all namespaces, and for what is in none.
    pub(crate) namespace: String,
    /// Empty for lists, and where a create leaves the name to the body.
    pub(crate) name: String,
    pub(crate) subresource: Option<String>,
    pub(crate) options: Options,
    pub(crate) output: Output,
    pub(crate) media: Media,
}

/// Where a URL leads to.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    Objects(Box<Request>),
    /// `/version`, discovery, health, OpenAPI.
    Other,
}

/// The parts of a path below a group and version.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place<'a> {
    group: &'a str,
    version: &'a str,
    namespace: &'a str,
    plural: &'a str,
    name: &'a str,
    subresource: Option<&'a str>,
    /// The old way to ask for a watch, by the path.
    watch: bool,
}

/// Finds out what is asked for.
pub(crate) fn route(method: &Method, uri: &Uri, headers: &HeaderMap, resources: &Resources) -> Result<Route, Status> {
    let path = percent_decode_str(uri.path()).decode_utf8_lossy();
    let Some(place) = Place::of(&path) else { return Ok(Route::Other) };
    let Place { group, version, namespace, plural, name, subresource, watch } = place;
    let Some(kind) = resources.find(group, version, plural) else {
        // A group that nobody serves is the caller's to answer: the real server does not even know the path.
        return if resources.has_built_in(group) { Err(Status::no_such_resource()) } else { Ok(Route::Other) };
    };
    // Only lists and watches go over all namespaces.
    let misplaced = if kind.namespaced { namespace.is_empty() && !name.is_empty() } else { !namespace.is_empty() };
    if misplaced {
        // The server of CRDs does not know such paths at all.
        return if kind.custom.is_some() { Ok(Route::Other) } else { Err(Status::no_such_resource()) };
    }
    let mut options = Options::of_query(uri.query().unwrap_or_default())?;
    options.watch |= watch;
    let verb = verb(method, headers, &options, kind, name, subresource)?;
    if options.force && matches!(verb, Verb::Patch(kind) if kind != PatchKind::Apply) {
        let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
        return Err(Status::invalid_options("PatchOptions", &[cause]));
    }
    if kind.namespaced && namespace.is_empty() && verb == Verb::Create {
        return Err(Status::method_not_allowed());
    }
    if options.field_manager.len() > FIELD_MANAGER_LENGTH {
        let message = format!("Too long: may not be more than {FIELD_MANAGER_LENGTH} bytes");
        let cause = Cause { reason: "FieldValueTooLong", message, field: "fieldManager".to_owned() };
        return Err(Status::invalid_options(verb.options(), &[cause]));
    }
    may_be_asked_with(verb, &options)?;
    let verbs = match subresource {
        None => &kind.verbs,
        Some(subresource) => &kind.subresources.get(subresource).ok_or_else(|| no_subresource(kind, name))?.verbs,
    };
    if !verbs.iter().any(|known| known == verb.name()) {
        let lists = verb == Verb::Watch && verbs.iter().any(|known| known == "list");
        return Err(if lists { Status::watch_not_supported(kind) } else { Status::method_not_allowed() });
    }
    Ok(Route::Objects(Box::new(Request {
        verb,
        kind: kind.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        subresource: subresource.map(str::to_owned),
        options,
        output: media::output(headers, kind, verb)?,
        media: media::of_body(method, headers)?,
    })))
}

fn may_be_asked_with(verb: Verb, options: &Options) -> Result<(), Status> {
    match verb {
        Verb::List | Verb::Watch | Verb::DeleteCollection => list_options::check(options),
        Verb::Create | Verb::Update | Verb::Patch(_) => {
            let said = options.field_validation.as_str();
            if matches!(said, "" | "Ignore" | "Strict" | "Warn") {
                return Ok(());
            }
            let cause = Cause::not_supported("fieldValidation", said, r#""", "Ignore", "Strict", "Warn""#);
            Err(Status::invalid_options(verb.options(), &[cause]))
        }
        Verb::Get | Verb::Delete => Ok(()),
    }
}

/// What the real server creates below an object, such as an eviction, is nothing that is simulated.
fn cannot_create(kind: &Kind, subresource: Option<&str>) -> Status {
    let creates =
        |name: &&str| kind.subresources.get(*name).is_some_and(|known| known.verbs.iter().any(|verb| verb == "create"));
    match subresource.filter(creates) {
        Some(name) => Status::unsupported(format!("the subresource {}/{name}", kind.plural)),
        None => Status::method_not_allowed(),
    }
}

/// The server of CRDs takes it for an object that is not there.
fn no_subresource(kind: &Kind, name: &str) -> Status {
    if kind.custom.is_some() { Status::not_found(kind, name) } else { Status::no_such_resource() }
}

impl<'a> Place<'a> {
    /// `None` if the path is not one of objects.
    fn of(path: &'a str) -> Option<Self> {
        let mut parts = path.trim_matches('/').split('/');
        let (group, version) = match parts.next()? {
            "api" => ("", parts.next()?),
            "apis" => (parts.next()?, parts.next()?),
            _ => return None,
        };
        let mut parts: Vec<&str> = parts.collect();
        let watch = parts.first() == Some(&"watch");
        if watch {
            parts.remove(0);
        }
        let (namespace, rest) = match parts.as_slice() {
            // A namespace itself, and its own subresources.
            ["namespaces"] | ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", parts.as_slice()),
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            rest => ("", rest),
        };
        let (plural, name, subresource) = match rest {
            [plural] => (*plural, "", None),
            [plural, name] => (*plural, *name, None),
            [plural, name, subresource] => (*plural, *name, Some(*subresource)),
            _ => return None,
        };
        Some(Self { group, version, namespace, plural, name, subresource, watch })
    }
}

fn verb(
    method: &Method,
    headers: &HeaderMap,
    options: &Options,
    kind: &Kind,
    name: &str,
    subresource: Option<&str>,
) -> Result<Verb, Status> {
    Ok(match (method.as_str(), name.is_empty()) {
        ("GET", true) if options.watch => Verb::Watch,
        ("GET", true) => Verb::List,
        ("GET", false) if options.watch => Verb::Watch,
        ("GET", false) => Verb::Get,
        ("POST", true) => Verb::Create,
        ("POST", false) => return Err(cannot_create(kind, subresource)),
        ("PUT", false) => Verb::Update,
        ("PATCH", false) => Verb::Patch(media::patch_kind(headers, kind)?),
        ("DELETE", true) => Verb::DeleteCollection,
        ("DELETE", false) => Verb::Delete,
        _ => return Err(Status::method_not_allowed()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &Method, uri: &str, headers: &[(&str, &str)]) -> Result<Request, Status> {
        let headers: Vec<(http::HeaderName, http::HeaderValue)> =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        match route(method, &uri.parse().unwrap(), &headers.into_iter().collect(), &Resources::default())? {
            Route::Objects(request) => Ok(*request),
            Route::Other => panic!("{uri} should lead to objects"),
        }
    }

    #[test]
    fn a_url_tells_kind_namespace_name_and_subresource() {
        let request = ask(&Method::GET, "/apis/apps/v1/namespaces/a/deployments/x/status", &[]).unwrap();
        assert_eq!((request.verb, request.kind.kind.as_str()), (Verb::Get, "Deployment"));
        assert_eq!((&*request.namespace, &*request.name), ("a", "x"));
        assert_eq!(request.subresource.as_deref(), Some("status"));
    }

    #[test]
    fn a_name_may_be_percent_encoded() {
        let uri = "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode";
        assert_eq!(ask(&Method::GET, uri, &[]).unwrap().name, "system:node");
    }

    #[test]
    fn a_namespace_is_an_object_and_a_place() {
        let request = ask(&Method::DELETE, "/api/v1/namespaces/a", &[]).unwrap();
        assert_eq!((&*request.kind.kind, &*request.namespace, &*request.name), ("Namespace", "", "a"));
        let request = ask(&Method::POST, "/api/v1/namespaces/a/configmaps", &[]).unwrap();
        assert_eq!((&*request.kind.kind, &*request.namespace, request.verb), ("ConfigMap", "a", Verb::Create));
    }

    #[test]
    fn methods_and_media_that_are_not_there_are_refused_as_by_the_server() {
        let code = |method, uri, headers| ask(&method, uri, headers).unwrap_err().code;
        assert_eq!(code(Method::GET, "/api/v1/namespaces/a/gadgets", &[]), 404);
        assert_eq!(code(Method::PUT, "/api/v1/namespaces/a/configmaps", &[]), 405);
        assert_eq!(code(Method::POST, "/api/v1/configmaps", &[]), 405);
        let protobuf = [("content-type", "application/vnd.kubernetes.protobuf")];
        assert_eq!(code(Method::POST, "/api/v1/namespaces/a/configmaps", &protobuf), 415);
        assert_eq!(code(Method::PATCH, "/api/v1/namespaces/a/configmaps/x", &[]), 415);
        assert_eq!(code(Method::GET, "/api/v1/configmaps", &[("accept", "image/png")]), 406);
    }

    #[test]
    fn the_first_form_that_there_is_is_given() {
        let accept = "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(ask(&Method::GET, "/api/v1/pods", &[("accept", accept)]).unwrap().output, Output::Table);
        assert_eq!(ask(&Method::GET, "/api/v1/pods", &[("accept", "*/*")]).unwrap().output, Output::Whole);
    }
}

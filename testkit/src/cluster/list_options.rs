//! Which options of lists and watches go together, in the words of the server's own validation.

use super::options::{Options, VersionMatch};
use super::status::{Cause, Status};

const MATCH: &str = "resourceVersionMatch";
const INITIAL: &str = "sendInitialEvents";

/// Refuses options that make no sense, all of them at once.
pub(crate) fn check(options: &Options) -> Result<(), Status> {
    let causes = if options.watch { of_watch(options) } else { of_list(options) };
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid_options("ListOptions", &causes)) }
}

fn of_list(options: &Options) -> Vec<Cause> {
    let mut causes = Vec::new();
    let forbidden = |why: &str| Cause::forbidden(MATCH, why);
    if let Some(said) = &options.version_match {
        if options.resource_version.is_none() {
            causes.push(forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"));
        }
        causes.extend(beside_continue(options));
        if let VersionMatch::Unknown(other) = said {
            causes.push(not_supported(other, r#""Exact", "NotOlderThan", """#));
        }
        if *said == VersionMatch::Exact && options.resource_version.as_deref() == Some("0") {
            causes.push(forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
        }
    }
    if options.send_initial_events.is_some() {
        causes.push(Cause::forbidden(INITIAL, "sendInitialEvents is forbidden for list"));
    }
    causes
}

fn of_watch(options: &Options) -> Vec<Cause> {
    let mut causes = Vec::new();
    let said = options.version_match.as_ref();
    if options.send_initial_events.is_some() && said != Some(&VersionMatch::NotOlderThan) {
        causes.push(Cause::forbidden(MATCH, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    }
    let Some(said) = said else { return causes };
    if options.send_initial_events.is_none() {
        let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        causes.push(Cause::forbidden(MATCH, why));
    }
    match said {
        VersionMatch::NotOlderThan => {}
        VersionMatch::Exact => causes.push(not_supported("Exact", r#""NotOlderThan""#)),
        VersionMatch::Unknown(other) => causes.push(not_supported(other, r#""NotOlderThan""#)),
    }
    causes.extend(beside_continue(options));
    causes
}

fn beside_continue(options: &Options) -> Option<Cause> {
    let why = "resourceVersionMatch is forbidden when continue is provided";
    (!options.continue_token.is_empty()).then(|| Cause::forbidden(MATCH, why))
}

fn not_supported(said: &str, supported: &str) -> Cause {
    Cause::not_supported(MATCH, said, supported)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(query: &str) -> usize {
        let options = Options::of_query(query).unwrap();
        if options.watch { of_watch(&options).len() } else { of_list(&options).len() }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        assert_eq!(causes("resourceVersionMatch=Exact&continue=x"), 2);
        assert_eq!(causes("resourceVersionMatch=Nearly&resourceVersion=5&sendInitialEvents=true"), 2);
        assert_eq!(causes("watch=true&sendInitialEvents=true&resourceVersionMatch=Exact"), 2);
    }

    #[test]
    fn what_goes_together_is_taken() {
        assert_eq!(causes("resourceVersionMatch=Exact&resourceVersion=5"), 0);
        assert_eq!(causes("watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"), 0);
        assert_eq!(causes("watch=true"), 0);
    }
}

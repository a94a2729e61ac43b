//! Fields that somebody else owns, told as the server does.

use serde_json::{Value, json};

use super::compare::Difference;
use super::managed::{Managed, Manager};
use super::set::FieldSet;
use crate::cluster::status::Status;

/// Whether `writer` changes nothing that others own and have not given up.
pub(super) fn none(
    difference: &Difference,
    managed: &Managed,
    writer: &Manager,
    given_up: &FieldSet,
) -> Result<(), Status> {
    let written = difference.modified.clone().union(&difference.added).difference(given_up);
    let others = managed.0.iter().filter(|(manager, _)| *manager != writer);
    let of_manager = others.map(|(manager, entry)| (manager.shown(), entry.fields.intersection(&written).paths()));
    let conflicts: Vec<(String, Vec<String>)> = of_manager.filter(|(_, paths)| !paths.is_empty()).collect();
    if conflicts.is_empty() { Ok(()) } else { Err(status(&conflicts)) }
}

fn status(conflicts: &[(String, Vec<String>)]) -> Status {
    let causes = conflicts.iter().flat_map(|(manager, paths)| {
        paths.iter().map(move |path| {
            json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path})
        })
    });
    let causes: Vec<Value> = causes.collect();
    let message = match conflicts {
        [(manager, paths)] if paths.len() == 1 => {
            format!("Apply failed with 1 conflict: conflict with {manager}: {}", paths.concat())
        }
        _ => {
            let of_manager = conflicts.iter().map(|(manager, paths)| {
                let paths: String = paths.iter().map(|path| format!("\n- {path}")).collect();
                format!("conflicts with {manager}:{paths}")
            });
            let of_manager: Vec<String> = of_manager.collect();
            format!("Apply failed with {} conflicts: {}", causes.len(), of_manager.join("\n"))
        }
    };
    Status::new(409, "Conflict", message).with_detail("causes", causes)
}

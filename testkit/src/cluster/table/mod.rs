//! The rows of `kubectl get`.

mod age;
mod builtin;
mod path;
mod pods;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::path::at;
use super::encode;
use super::request::Request;
use super::resources::Kind;
use super::state::State;
use super::store::Object;

/// A column: how it is called, of what type it is, and what its cells are.
struct Column {
    definition: Value,
    cell: Cell,
}

/// What stands in a cell.
enum Cell {
    /// What is found by a JSON path.
    At(String),
    /// How long ago what is found by a JSON path was.
    Since(String),
    /// What the server's own types show.
    Made(fn(&Value, Timestamp) -> Value),
}

/// A table of these objects; `metadata` of the list that it stands for.
pub(crate) fn of(request: &Request, state: &State, objects: &[&Object], metadata: Option<Value>) -> Value {
    let columns = columns(&request.kind);
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells: Vec<Value> = columns.iter().map(|column| cell(column, object.value(), state.now)).collect();
            let shown = match request.options.include_object.as_str() {
                "None" => Value::Null,
                "Object" => object.value().clone(),
                _ => encode::metadata_only(object),
            };
            json!({"cells": cells, "object": shown})
        })
        .collect();
    let version = objects.first().map(|object| object.version().to_string()).unwrap_or_default();
    let metadata = metadata.unwrap_or_else(|| json!({"resourceVersion": version}));
    let definitions: Vec<Value> = columns.into_iter().map(|column| column.definition).collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions, "rows": rows,
    })
}

fn columns(kind: &Kind) -> Vec<Column> {
    let Some(custom) = &kind.custom else {
        return builtin::columns(kind.resource()).into_iter().map(Column::built_in).collect();
    };
    let mut columns = vec![Column::built_in(builtin::NAME)];
    if custom.columns.is_empty() {
        columns.push(Column {
            definition: Column::defined("Age", "date", "", "When it was created.", 0),
            cell: Cell::Since(".metadata.creationTimestamp".to_owned()),
        });
    }
    columns.extend(custom.columns.iter().map(Column::custom));
    columns
}

impl Column {
    fn defined(name: &str, of: &str, format: &str, description: &str, priority: i64) -> Value {
        json!({"name": name, "type": of, "format": format, "description": description, "priority": priority})
    }

    fn built_in((name, of, priority, cell): builtin::Column) -> Self {
        let (format, description) =
            if name == "Name" { ("name", "Name must be unique within a namespace.") } else { ("", "") };
        Self { definition: Self::defined(name, of, format, description, priority), cell: Cell::Made(cell) }
    }

    /// One of `additionalPrinterColumns`.
    fn custom(told: &Value) -> Self {
        let text = |field: &str| told[field].as_str().unwrap_or_default();
        let priority = told["priority"].as_i64().unwrap_or(0);
        let path = text("jsonPath").to_owned();
        Self {
            definition: Self::defined(text("name"), text("type"), text("format"), text("description"), priority),
            cell: if text("type") == "date" { Cell::Since(path) } else { Cell::At(path) },
        }
    }
}

fn cell(column: &Column, object: &Value, now: Timestamp) -> Value {
    match &column.cell {
        Cell::Made(cell) => cell(object, now),
        Cell::Since(path) => age::since(at(object, path).unwrap_or(&Value::Null), now),
        Cell::At(path) => match at(object, path) {
            Some(found @ (Value::Object(_) | Value::Array(_))) => found.to_string().into(),
            found => found.cloned().unwrap_or_default(),
        },
    }
}

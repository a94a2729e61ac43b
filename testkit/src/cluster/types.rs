//! What built-in objects are made of, as far as writing them needs it: fields, how lists and maps merge, where objects are one piece.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::resources::BUILT_IN;

/// One type, such as `core.v1.PodSpec`.
#[derive(Debug, Deserialize)]
pub(crate) struct Type {
    pub(crate) fields: BTreeMap<String, Shape>,
    /// Whoever writes a part of it owns all of it.
    #[serde(default)]
    pub(crate) atomic: bool,
}

/// What a field, an item of a list or a value of a map is.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Shape {
    /// `string`, `integer`, `number`, `boolean`, `any`, or `#` and the name of a type.
    Plain(String),
    List {
        list: ListKind,
        of: Box<Self>,
        /// What tells items of a map apart.
        #[serde(default)]
        keys: Vec<String>,
        /// What keys are if an item does not say.
        #[serde(default)]
        defaults: BTreeMap<String, Value>,
        #[serde(default)]
        always: bool,
        /// What tells items apart in a strategic merge patch.
        merge: Option<String>,
        /// Of a strategic merge patch: `merge`, `merge,retainKeys`; replaced as a whole without.
        strategy: Option<String>,
    },
    Map {
        map: MapKind,
        #[serde(default)]
        always: bool,
        of: Box<Self>,
    },
    /// A type, and what differs in this place.
    Place {
        #[serde(default)]
        atomic: bool,
        #[serde(default)]
        always: bool,
        of: Box<Self>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ListKind {
    Atomic,
    Set,
    Map,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MapKind {
    Granular,
    Atomic,
}

impl Shape {
    /// Whether it is there even in an empty object, if only as null.
    pub(crate) fn is_always_there(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::List { always, .. } | Self::Map { always, .. } | Self::Place { always, .. } => *always,
        }
    }

    /// The type it leads to, if it is an object of a known one.
    pub(crate) fn object(&self) -> Option<&'static Type> {
        match self {
            Self::Plain(name) => Type::of(name.strip_prefix('#')?),
            Self::Place { of, .. } => of.object(),
            Self::List { .. } | Self::Map { .. } => None,
        }
    }
}

impl Type {
    /// By its name, as in [`Kind::type_name`](super::resources::Kind).
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        static TYPES: OnceLock<BTreeMap<String, Type>> = OnceLock::new();
        #[derive(Deserialize)]
        struct BuiltIn {
            types: BTreeMap<String, Type>,
        }
        // That the file can be read is what the tests below see to.
        let read = || serde_json::from_str::<BuiltIn>(BUILT_IN).map_or_else(|_| BTreeMap::new(), |read| read.types);
        TYPES.get_or_init(read).get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::resources::Resources;
    use super::*;

    #[test]
    fn every_built_in_kind_s_type_is_there() {
        for kind in Resources::default().all() {
            let name = kind.type_name.as_deref();
            assert!(name.and_then(Type::of).is_some(), "{} {}: {name:?}", kind.api_version(), kind.kind);
        }
    }

    #[test]
    fn containers_are_told_apart_by_name() {
        let pod_spec = Type::of("core.v1.PodSpec").unwrap();
        let Shape::List { list, of, keys, merge, .. } = &pod_spec.fields["containers"] else { panic!("no list") };
        assert_eq!((*list, keys.as_slice(), merge.as_deref()), (ListKind::Map, &["name".to_owned()][..], Some("name")));
        assert!(of.object().unwrap().fields.contains_key("image"));
        assert!(Type::of("meta.v1.LabelSelector").unwrap().atomic);
    }
}

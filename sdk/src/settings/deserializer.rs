//! serde's view of a section: texts are read as what the field is, keys are matched without regard to case and `_`.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::duration::parse_duration;
use super::failure::{Failure, folded};
use super::node::{Kind, Node, same_key};

/// Reads a node; what is at one of the paths in `left_out` counts as not there.
pub(super) struct NodeDeserializer<'s> {
    node: Node,
    path: String,
    left_out: &'s BTreeSet<String>,
}

/// The entries of a section or list, one after the other.
struct Entries<'s> {
    entries: std::vec::IntoIter<Entry>,
    current: Option<Entry>,
    left_out: &'s BTreeSet<String>,
}

struct Entry {
    /// The key as the type knows it.
    key: String,
    node: Node,
    path: String,
}

struct Variant<'s> {
    name: String,
    content: NodeDeserializer<'s>,
}

// === impl NodeDeserializer ===

impl<'s> NodeDeserializer<'s> {
    pub(super) fn new(node: Node, path: &str, left_out: &'s BTreeSet<String>) -> Self {
        Self { node, path: path.to_owned(), left_out }
    }

    fn expected(&self, what: &str) -> Failure {
        let found = match &self.node.kind {
            Kind::Null => ", found nothing",
            Kind::List(_) => ", found a list",
            Kind::Table(_) => ", found a section",
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Text(_) => "",
        };
        Failure::custom(format!("expected {what}{found}")).at(&self.path, &self.node)
    }

    fn scalar(&self, what: &str) -> Result<String, Failure> {
        self.node.scalar().ok_or_else(|| self.expected(what))
    }

    /// A whole number that fits the field.
    fn integer<T: TryFrom<i128>>(&self, least: impl fmt::Display, most: impl fmt::Display) -> Result<T, Failure> {
        let expected = format!("a whole number from {least} to {most}");
        let number = self.scalar(&expected)?.trim().parse::<i128>().ok();
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.expected(&expected))
    }

    fn float(&self) -> Result<f64, Failure> {
        self.scalar("a number")?.trim().parse().map_err(|_| self.expected("a number"))
    }

    fn entries(&self, keys: Vec<(String, String, Node)>) -> Entries<'s> {
        let entries = keys
            .into_iter()
            .map(|(key, written, node)| Entry { key, node, path: format!("{}:{written}", self.path) })
            .filter(|entry| !self.left_out.contains(&folded(&entry.path)))
            .collect::<Vec<_>>();
        Entries { entries: entries.into_iter(), current: None, left_out: self.left_out }
    }

    /// The entries under the names of the fields that they are matched to; those that match none under their own.
    fn fields(&self, fields: &'static [&'static str]) -> Result<Entries<'s>, Failure> {
        let written = self.node.entries().ok_or_else(|| self.expected("a section"))?;
        let mut keys = Vec::new();
        for (key, node) in written {
            self.refuse_second_spelling(&keys, fields, &key, &node)?;
            match fields.iter().find(|field| same_key(field, &key)) {
                // Another spelling of the same field, and `field` sees them all.
                Some(field) if keys.iter().any(|(known, _, _)| known == field) => {}
                Some(field) => keys.extend(self.node.field(field).map(|node| ((*field).to_owned(), key, node))),
                None if node.kind == Kind::Null => {}
                None => keys.push((key.clone(), key, node)),
            }
        }
        Ok(self.entries(keys))
    }

    /// Between `MaxItems` and `max_items` the later layer decides; in one layer nothing does.
    fn refuse_second_spelling(
        &self,
        before: &[(String, String, Node)],
        fields: &[&str],
        key: &str,
        node: &Node,
    ) -> Result<(), Failure> {
        let path = format!("{}:{key}", self.path);
        let field = fields.iter().find(|field| same_key(field, key));
        let Some((_, other, _)) = before.iter().find(|(known, _, _)| Some(&known.as_str()) == field) else {
            return Ok(());
        };
        let in_same_layer = matches!(&self.node.kind, Kind::Table(table) if table.get(other).is_some_and(|other| other.origin == node.origin));
        if !in_same_layer || self.left_out.contains(&folded(&path)) {
            return Ok(());
        }
        Err(Failure::custom(format!("is given twice, also as {other}: expected one of them")).at(&path, node))
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            visitor.$visit(self.integer::<$type>($type::MIN, $type::MAX)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.node.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_u64(value),
                _ => visitor.visit_i128(*value),
            },
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::Text(value) => visitor.visit_str(value),
            Kind::List(_) => self.deserialize_seq(visitor),
            Kind::Table(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.scalar("true or false")?.trim().to_lowercase().as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.expected("true or false")),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8 deserialize_i16 visit_i16 i16 deserialize_i32 visit_i32 i32 deserialize_i64 visit_i64 i64
        deserialize_u8 visit_u8 u8 deserialize_u16 visit_u16 u16 deserialize_u32 visit_u32 u32 deserialize_u64 visit_u64 u64
        deserialize_i128 visit_i128 i128 deserialize_u128 visit_u128 u128
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_string(self.scalar("a text")?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.node.kind == Kind::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let elements = self.node.elements().ok_or_else(|| self.expected("a list"))?;
        let keys = elements.into_iter().map(|(index, node)| (index.to_string(), index.to_string(), node)).collect();
        visitor.visit_seq(self.entries(keys))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let written = self.node.entries().ok_or_else(|| self.expected("a section"))?;
        let keys = written.into_iter().map(|(key, node)| (key.clone(), key, node)).collect();
        visitor.visit_map(self.entries(keys))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        // `std::time::Duration` as serde knows it; nobody writes seconds and nanoseconds into settings.
        if let (("Duration", ["secs", "nanos"]), Some(text)) = ((name, fields), self.node.scalar()) {
            let duration = parse_duration(&text).map_err(|error| Failure::custom(error).at(&self.path, &self.node))?;
            let parts = [("secs", duration.as_secs()), ("nanos", duration.subsec_nanos().into())];
            return visitor.visit_map(MapDeserializer::new(parts.into_iter()));
        }
        visitor.visit_map(self.fields(fields)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let expected = || self.expected(&format!("one of {}", variants.join(", ")));
        let (name, content) = match (self.node.scalar(), self.node.entries().as_deref()) {
            (Some(name), _) => (name, Node::null(self.node.origin.clone())),
            (None, Some([(name, content)])) => (name.clone(), content.clone()),
            _ => return Err(expected()),
        };
        let name = variants.iter().find(|variant| same_key(variant, name.trim())).ok_or_else(expected)?;
        let content = NodeDeserializer::new(content, &self.path, self.left_out);
        visitor.visit_enum(Variant { name: (*name).to_owned(), content })
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct ignored_any }
}

// === impl Entries ===

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.current = self.entries.next();
        let Some(Entry { key, node, path }) = &self.current else { return Ok(None) };
        // A key is a text that may be read as a number, like any other.
        let key_node = Node::text(key, node.origin.clone());
        let key = seed.deserialize(NodeDeserializer::new(key_node.clone(), path, self.left_out));
        key.map(Some).map_err(|failure| failure.at(path, node))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Failure> {
        let entry = self.current.take().ok_or_else(|| Failure::custom("a value was read before its key"))?;
        self.read(seed, entry)
    }
}

impl<'de> SeqAccess<'de> for Entries<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.read(seed, entry).map(Some)
    }
}

impl Entries<'_> {
    fn read<'de, T: DeserializeSeed<'de>>(&self, seed: T, entry: Entry) -> Result<T::Value, Failure> {
        let Entry { node, path, .. } = entry;
        seed.deserialize(NodeDeserializer::new(node.clone(), &path, self.left_out))
            .map_err(|failure| failure.at(&path, &node))
    }
}

// === impl Variant ===

impl<'de, 's> EnumAccess<'de> for Variant<'s> {
    type Error = Failure;
    type Variant = NodeDeserializer<'s>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), Failure> {
        let name: StrDeserializer<'_, Failure> = self.name.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for NodeDeserializer<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        if self.node.kind == Kind::Null { Ok(()) } else { Err(self.expected("nothing more than the name")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_map(self.fields(fields)?)
    }
}

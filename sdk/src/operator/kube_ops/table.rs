//! What one row of the table of keys is, and what is made of all of them.

use crate::settings::Node;

use super::reader::Facts;

/// One key of the section.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name, as the documentation writes it.
    pub name: &'static str,
    /// Its type in words.
    pub kind: &'static str,
    /// What it means.
    pub doc: &'static str,
    pub(super) preset: Preset,
}

/// The value of a key that nobody sets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Preset {
    /// No value.
    Nothing,
    /// This one, written as a user would.
    Text(&'static str),
    /// One that is made at the start; first in words. An empty text in the settings means the same.
    Made(&'static str, fn(&Facts<'_>) -> Node),
    /// Likewise, but an empty text is a mistake.
    Required(&'static str, fn(&Facts<'_>) -> Node),
}

impl Key {
    /// Its value when nobody sets it, or in words where that comes from; empty if it has none.
    #[must_use]
    pub fn default_value(&self) -> &'static str {
        match self.preset {
            Preset::Nothing => "",
            Preset::Text(value) => value,
            Preset::Made(words, _) | Preset::Required(words, _) => words,
        }
    }
}

/// Makes of the table: the struct, the list of keys, and how the struct is filled.
macro_rules! section_table {
    ($( $(#[doc = $doc:literal])+ $key:literal $field:ident : $type:ty = $default:expr; )+) => {
        /// The `KubeOps` section, checked. Made by [`KubeOps::from_settings`].
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct KubeOps {
            $( $(#[doc = $doc])+ pub $field: $type, )+
            /// Tells this process from another one of the same name.
            instance: String,
        }

        /// Every key of the section, in the order of the documentation.
        pub const KEYS: &[Key] = &[ $( Key {
            name: $key,
            kind: <$type as types::Setting>::KIND,
            preset: $default,
            doc: concat!($($doc),+).trim_ascii(),
        } ),+ ];

        /// The values that could be read, for checks that need several.
        struct Draft {
            $( $field: Option<$type>, )+
        }

        impl Draft {
            fn read(reader: &mut Reader<'_>) -> Self {
                Self { $( $field: reader.read($key, &$default), )+ }
            }

            fn finish(self, instance: String) -> Option<KubeOps> {
                Some(KubeOps { $( $field: self.$field?, )+ instance })
            }
        }
    };
}

pub(super) use section_table;

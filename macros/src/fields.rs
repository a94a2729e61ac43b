//! The fields of a struct, named or not.

use darling::{Error, Result};
use syn::{Attribute, Data, DeriveInput, Index, Member, Type};

/// One field: how it is written in `Self { … }`, and its type.
pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: &'a [Attribute],
}

/// All fields of a struct; an error for enums and unions, which `what` (as in "a controller") can't be, and for generics.
pub(crate) fn fields_of<'a>(input: &'a DeriveInput, what: &str) -> Result<Vec<Field<'a>>> {
    let mut errors = Error::accumulator();
    if !input.generics.params.is_empty() {
        let problem = format!("{what} has no generic parameters: it is built by its type alone");
        errors.push(Error::custom(problem).with_span(&input.generics));
    }
    let fields = match &input.data {
        Data::Struct(data) => Some(&data.fields),
        Data::Enum(data) => {
            errors.push(Error::custom(format!("{what} is a struct, not an enum")).with_span(&data.enum_token));
            None
        }
        Data::Union(data) => {
            errors.push(Error::custom(format!("{what} is a struct, not a union")).with_span(&data.union_token));
            None
        }
    };
    let fields = fields.into_iter().flatten().enumerate().map(|(index, field)| Field {
        member: field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(index)), Member::Named),
        ty: &field.ty,
        attrs: &field.attrs,
    });
    errors.finish_with(fields.collect())
}

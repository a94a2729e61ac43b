//! `#[derive(State)]`.

use darling::{Error, FromMeta, Result};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, Path, parse_quote};

use crate::controller_args::metas;
use crate::fields::{Field, fields_of};

/// `#[state(…)]` on the struct.
#[derive(Debug, Default, FromMeta)]
struct StateArgs {
    #[darling(default, rename = "crate")]
    krate: Option<Path>,
}

/// `#[state(…)]` on a field.
#[derive(Debug, Default, FromMeta)]
struct FieldArgs {
    #[darling(default)]
    skip: bool,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Error::accumulator();
    let args = errors.handle(metas(input, "state").and_then(|metas| StateArgs::from_list(&metas))).unwrap_or_default();
    let krate = args.krate.unwrap_or_else(|| parse_quote!(::kubeops));
    let fields = errors.handle(fields_of(input, "the state")).unwrap_or_default();
    let provided = errors.handle(provided(fields)).unwrap_or_default();
    errors.finish()?;

    let ident = &input.ident;
    let from_fields = provided.iter().map(|Field { member, ty, .. }| {
        let clone = quote_spanned! { ty.span() => ::core::clone::Clone::clone(&services.state().#member) };
        quote! {
            #[automatically_derived]
            impl #krate::__private::FromServices<#ident> for #ty {
                fn from_services(services: &#krate::__private::Services<#ident>) -> Self {
                    #clone
                }
            }
        }
    });
    let clone = quote_spanned! { ident.span() => ::core::clone::Clone::clone(services.state()) };
    Ok(quote! {
        #(#from_fields)*
        #[automatically_derived]
        impl #krate::__private::FromServices<#ident> for #ident {
            fn from_services(services: &#krate::__private::Services<#ident>) -> Self {
                #clone
            }
        }
    })
}

/// The fields that are not skipped; each type only once, because controllers ask by type.
fn provided(fields: Vec<Field<'_>>) -> Result<Vec<Field<'_>>> {
    let mut errors = Error::accumulator();
    let mut provided: Vec<Field<'_>> = Vec::new();
    for field in fields {
        if errors.handle(field_args(field.attrs)).is_some_and(|args| args.skip) {
            continue;
        }
        let same = |other: &Field<'_>| other.ty.to_token_stream().to_string() == field.ty.to_token_stream().to_string();
        if provided.iter().any(same) {
            let problem = "two fields of one type: controllers ask for state by its type, so give one of them a type of \
                           its own, or mark it `#[state(skip)]`";
            errors.push(Error::custom(problem).with_span(field.ty));
            continue;
        }
        provided.push(field);
    }
    errors.finish_with(provided)
}

fn field_args(attrs: &[Attribute]) -> Result<FieldArgs> {
    let mut errors = Error::accumulator();
    let mut args = FieldArgs::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("state")) {
        if let Some(FieldArgs { skip }) = errors.handle(FieldArgs::from_meta(&attr.meta)) {
            args.skip |= skip;
        }
    }
    errors.finish_with(args)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::expand;

    #[test]
    fn two_fields_of_one_type_are_an_error_unless_one_is_skipped() {
        let twice = expand(&parse_quote! { struct AppState { one: String, two: String } });
        assert!(twice.is_err_and(|error| error.to_string().contains("two fields of one type")));
        assert!(expand(&parse_quote! { struct AppState { one: String, #[state(skip)] two: String } }).is_ok());
    }

    #[test]
    fn an_unknown_attribute_of_a_field_is_an_error() {
        assert!(expand(&parse_quote! { struct AppState { #[state(skipp)] one: String } }).is_err());
    }
}

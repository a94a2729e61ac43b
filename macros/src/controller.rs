//! `#[derive(Controller)]`.

use darling::{Error, Result};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, LitStr, Path, parse_quote};

use crate::controller_args::ControllerArgs;
use crate::fields::{Field, fields_of};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Error::accumulator();
    let args = errors.handle(ControllerArgs::of(input));
    let fields = errors.handle(fields_of(input, "a controller"));
    let (args, fields) = errors.finish_with((args.unwrap_or_default(), fields.unwrap_or_default()))?;
    let krate = args.krate.clone().unwrap_or_else(|| parse_quote!(::kubeops));

    let controller = controller_impl(&input.ident, &args, &krate);
    let from_services = from_services_impl(&input.ident, &args, &fields, &krate);
    Ok(quote! {
        #controller
        #from_services
    })
}

fn controller_impl(ident: &Ident, args: &ControllerArgs, krate: &Path) -> TokenStream {
    let ControllerArgs { entity, name, finalizer, owns, concurrency, rbac, state: _, krate: _ } = args;
    let concurrency = concurrency.as_ref().map(|number| {
        quote! {
            const CONCURRENCY: ::core::option::Option<::core::primitive::u16> = ::core::option::Option::Some(#number);
        }
    });
    let finalizer_items = finalizer.as_ref().map(|finalizer| finalizer_items(finalizer, krate));
    let has_finalizer = finalizer.as_ref().map(|_| quote! { impl #krate::__private::HasFinalizer for #ident {} });
    let owned_kinds =
        owns.iter().map(|kind| quote_spanned! { kind.span() => #krate::__private::OwnedKind::of::<#kind>() });
    let owns = (!owns.is_empty()).then(|| {
        quote! {
            fn owns() -> #krate::__private::Vec<#krate::__private::OwnedKind> {
                ::core::convert::From::from([#(#owned_kinds),*])
            }
        }
    });
    let rules = rbac.iter().map(|rbac| rbac.rule(krate));
    let rbac = (!rbac.is_empty()).then(|| {
        quote! {
            const RBAC: &'static [#krate::__private::RbacRule] = &[#(#rules),*];
        }
    });
    let must_reconcile = quote_spanned! { ident.span() =>
        const _: fn() = #krate::__private::must_reconcile::<#ident>;
    };
    quote! {
        #[automatically_derived]
        impl #krate::__private::Controller for #ident {
            type Entity = #entity;
            const NAME: &'static ::core::primitive::str = #name;
            #concurrency
            #finalizer_items
            #rbac
            #owns
            fn crd() -> ::core::option::Option<#krate::__private::CustomResourceDefinition> {
                use #krate::__private::{CrdOfBuiltIn as _, CrdOfCustomResource as _};
                (&#krate::__private::Kind::<#entity>::new()).crd()
            }
        }
        #has_finalizer
        #must_reconcile
    }
}

/// Spanned at the name, so that a missing `impl Finalize` shows there.
fn finalizer_items(finalizer: &LitStr, krate: &Path) -> TokenStream {
    let span = finalizer.span();
    let finalize = quote_spanned! { span => #krate::__private::finalize(self) };
    quote! {
        const FINALIZER: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(#finalizer);
        fn finalizer(&self) -> ::core::option::Option<&dyn #krate::__private::DynFinalize<Self::Entity>> {
            ::core::option::Option::Some(#finalize)
        }
    }
}

/// Each bound and each call is spanned at the field's type, so that a type that nothing provides shows there.
fn from_services_impl(ident: &Ident, args: &ControllerArgs, fields: &[Field<'_>], krate: &Path) -> TokenStream {
    let generic = Ident::new("__S", Span::mixed_site());
    let state = args.state.as_ref().map_or_else(|| quote! { #generic }, |state| quote! { #state });
    let parameters = args.state.is_none().then(|| quote! { <#generic> });
    let bounds = fields.iter().filter(|_| args.state.is_none()).map(|Field { ty, .. }| {
        let krate = at(krate, ty.span());
        quote_spanned! { ty.span() => #ty: #krate::__private::FromServices<#state> }
    });
    let needs = fields.iter().map(|Field { ty, .. }| {
        quote_spanned! { ty.span() => <#ty as #krate::__private::FromServices<#state>>::needs(needs); }
    });
    let built = fields.iter().map(|Field { member, ty, .. }| {
        let value =
            quote_spanned! { ty.span() => <#ty as #krate::__private::FromServices<#state>>::from_services(services) };
        quote! { #member: #value }
    });
    // Not `automatically_derived`: that hides the bounds in the compiler's notes.
    quote! {
        impl #parameters #krate::__private::FromServices<#state> for #ident where #(#bounds),* {
            #[allow(unused_variables)]
            fn needs(needs: &mut #krate::__private::Needs) {
                #(#needs)*
            }
            #[allow(unused_variables)]
            fn from_services(services: &#krate::__private::Services<#state>) -> Self {
                Self { #(#built),* }
            }
        }
    }
}

/// A path as if it stood at `span`: a bound that begins elsewhere is shown there.
fn at(path: &Path, span: Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    path.to_token_stream().into_iter().map(respan).collect()
}

#[cfg(test)]
mod tests {
    use syn::{DeriveInput, parse_quote};

    use super::expand;

    fn problems(input: &DeriveInput) -> Vec<String> {
        match expand(input) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.flatten().into_iter().map(|error| error.to_string()).collect(),
        }
    }

    #[test]
    fn all_mistakes_of_one_struct_are_told_at_once() {
        let problems = problems(&parse_quote! {
            #[controller(finalizer = "cleanup", name = "Not A Label", concurrency = 0, watches(Node), entitty = Guestbook)]
            enum Broken<T> { One(T) }
        });
        for part in [
            "entity = …",
            "has no `/`",
            "can't name a controller",
            "from 1 to 65535",
            "watches",
            "entitty",
            "not an enum",
            "generic",
        ] {
            assert!(problems.iter().any(|problem| problem.contains(part)), "{part} is not in {problems:#?}");
        }
        assert_eq!(problems.len(), 8, "{problems:#?}");
    }

    #[test]
    fn a_struct_whose_name_makes_no_controllers_name_has_to_be_given_one() {
        let nameless = problems(&parse_quote! { #[controller(entity = Guestbook)] struct 控制器; });
        assert!(matches!(&*nameless, [problem] if problem.contains("name = ")), "{nameless:#?}");
        let named = problems(&parse_quote! { #[controller(entity = Guestbook, name = "one")] struct 控制器; });
        assert_eq!(named, Vec::<String>::new());
    }

    #[test]
    fn a_raw_identifier_names_its_controller_without_its_mark() {
        let tokens = expand(&parse_quote! { #[controller(entity = Guestbook)] struct r#match; }).unwrap().to_string();
        assert!(tokens.contains("\"match\""), "{tokens}");
    }

    #[test]
    fn a_struct_without_fields_is_a_controller() {
        assert_eq!(problems(&parse_quote! { #[controller(entity = Guestbook)] struct Plain; }), Vec::<String>::new());
    }
}

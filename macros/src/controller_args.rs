//! What `#[controller(…)]` says.

use darling::ast::NestedMeta;
use darling::util::PathList;
use darling::{Error, FromMeta, Result};
use syn::ext::IdentExt;
use syn::{DeriveInput, Ident, LitInt, LitStr, Path};

use crate::names;
use crate::rbac::RbacArgs;

/// The attributes of one struct, each checked for itself.
#[derive(Debug, Default, FromMeta)]
pub(crate) struct ControllerArgs {
    /// Required; that it is missing is told with a message of our own.
    #[darling(default)]
    pub(crate) entity: Option<Path>,
    /// Always there in what [`ControllerArgs::of`] returns.
    #[darling(default, and_then = checked_name)]
    pub(crate) name: Option<LitStr>,
    #[darling(default, and_then = checked_finalizer)]
    pub(crate) finalizer: Option<LitStr>,
    #[darling(default)]
    pub(crate) owns: PathList,
    #[darling(default, and_then = checked_concurrency)]
    pub(crate) concurrency: Option<LitInt>,
    #[darling(default, multiple)]
    pub(crate) rbac: Vec<RbacArgs>,
    #[darling(default)]
    pub(crate) state: Option<Path>,
    #[darling(default, rename = "crate")]
    pub(crate) krate: Option<Path>,
}

impl ControllerArgs {
    /// Reads all `#[controller(…)]` of a struct, with all their errors at once.
    pub(crate) fn of(input: &DeriveInput) -> Result<Self> {
        let metas = metas(input, "controller")?;
        let named = metas.iter().any(|meta| matches!(meta, NestedMeta::Meta(meta) if meta.path().is_ident("entity")));
        let mut errors = Error::accumulator();
        if !named {
            errors.push(
                Error::custom("which kind is reconciled is missing: add `#[controller(entity = …)]`")
                    .with_span(&input.ident),
            );
        }
        let mut args = errors.handle(Self::from_list(&metas)).unwrap_or_default();
        if args.name.is_none() {
            args.name = errors.handle(default_name(&input.ident));
        }
        errors.finish_with(args)
    }
}

/// All items in the attributes named `attribute`.
pub(crate) fn metas(input: &DeriveInput, attribute: &str) -> Result<Vec<NestedMeta>> {
    let mut errors = Error::accumulator();
    let mut metas = Vec::new();
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident(attribute)) {
        let items = attr
            .meta
            .require_list()
            .map_err(Error::from)
            .and_then(|list| NestedMeta::parse_meta_list(list.tokens.clone()).map_err(Error::from));
        metas.extend(errors.handle(items).unwrap_or_default());
    }
    errors.finish_with(metas)
}

fn default_name(ident: &Ident) -> Result<LitStr> {
    let name = names::controller_name(&ident.unraw().to_string());
    match names::label_problem(&name) {
        Some(problem) => {
            let problem = format!("{problem}: give it a name, `#[controller(name = \"…\", …)]`");
            Err(Error::custom(problem).with_span(ident))
        }
        None => Ok(LitStr::new(&name, ident.span())),
    }
}

fn checked_name(name: Option<LitStr>) -> Result<Option<LitStr>> {
    checked(name, names::label_problem)
}

fn checked_finalizer(finalizer: Option<LitStr>) -> Result<Option<LitStr>> {
    checked(finalizer, names::qualified_name_problem)
}

fn checked(literal: Option<LitStr>, problem: impl Fn(&str) -> Option<String>) -> Result<Option<LitStr>> {
    match literal.as_ref().and_then(|literal| Some((literal.span(), problem(&literal.value())?))) {
        Some((span, problem)) => Err(Error::custom(problem).with_span(&span)),
        None => Ok(literal),
    }
}

fn checked_concurrency(concurrency: Option<LitInt>) -> Result<Option<LitInt>> {
    let Some(literal) = &concurrency else { return Ok(None) };
    match literal.base10_parse::<u16>() {
        Ok(1..) => Ok(concurrency),
        Ok(0) | Err(_) => {
            let problem = "`concurrency` is how many objects are reconciled at once: a number from 1 to 65535";
            Err(Error::custom(problem).with_span(literal))
        }
    }
}

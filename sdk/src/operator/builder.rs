//! The builder of an operator.

use std::fmt;
use std::future::ready;

use futures::future::BoxFuture;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use crate::BoxError;
use crate::chain::chain;
use crate::controller::{FromServices, Reconcile, Registration, Result};
use crate::crds::by_name;
use crate::health::{AddError, Health, Probes};
use crate::host::{Host, HostedService};
use crate::settings::Settings;

/// An operator: what it is called, and what it is made of.
///
/// Made by [`operator!`](crate::operator!). Nothing happens before [`run`](Operator::run).
#[must_use = "an operator does nothing until `run`"]
pub struct Operator<S = ()> {
    pub(super) parts: Parts<S>,
    pub(super) make_state: MakeState<S>,
}

/// What an operator is made of, its state aside.
pub(crate) struct Parts<S> {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) about: &'static str,
    pub(super) controllers: Vec<Registration<S>>,
    pub(super) services: Vec<AddService>,
    pub(super) checks: Vec<AddCheck<S>>,
    /// Keys of settings that the status page may show.
    pub(super) shown_settings: Vec<&'static str>,
}

pub(super) type MakeState<S> = Box<dyn FnOnce(Settings) -> BoxFuture<'static, Result<S>> + Send>;
pub(super) type AddService = Box<dyn FnOnce(Host) -> Host + Send>;
pub(super) type AddCheck<S> = Box<dyn FnOnce(&Health, &S) -> std::result::Result<(), AddError> + Send>;

impl Operator<()> {
    /// An operator without state. [`operator!`](crate::operator!) is shorter.
    ///
    /// `name` is the default prefix of the lock's name and the field manager of server-side apply; `about` is shown in the
    /// command line's help.
    pub fn new(name: &'static str, version: &'static str, about: &'static str) -> Self {
        let parts = Parts {
            name,
            version,
            about,
            controllers: Vec::new(),
            services: Vec::new(),
            checks: Vec::new(),
            shown_settings: Vec::new(),
        };
        Self { parts, make_state: Box::new(|_| Box::pin(ready(Ok(())))) }
    }

    /// The operator's own state, made once from the settings, before anything is asked of the cluster. Its fields are what
    /// controllers get by `#[derive(State)]`.
    ///
    /// An error stops the process: [`Problems`](crate::settings::Problems) of a section are reported with those of all others.
    pub fn with_state<S, F, Making>(self, make: F) -> Operator<S>
    where
        F: FnOnce(Settings) -> Making + Send + 'static,
        Making: Future<Output = Result<S>> + Send + 'static,
        S: Clone + Send + Sync + 'static,
    {
        let Parts { name, version, about, controllers, services, checks, shown_settings } = self.parts;
        let stateless = |check: AddCheck<()>| -> AddCheck<S> { Box::new(move |health, _| check(health, &())) };
        let parts = Parts {
            name,
            version,
            about,
            controllers: controllers.into_iter().map(Registration::with_state).collect(),
            services,
            checks: checks.into_iter().map(stateless).collect(),
            shown_settings,
        };
        Operator { parts, make_state: Box::new(|settings| Box::pin(make(settings))) }
    }
}

impl<S: Clone + Send + Sync + 'static> Operator<S> {
    pub(crate) const fn parts(&self) -> &Parts<S> {
        &self.parts
    }

    /// Adds a controller. It is built anew for each term, from services that belong to the term.
    pub fn add_controller<C: Reconcile + FromServices<S>>(mut self) -> Self {
        self.parts.controllers.push(Registration::of::<C>());
        self
    }

    /// Adds a service that runs as long as the process, on standbys too.
    pub fn add_service(mut self, name: &'static str, service: impl HostedService) -> Self {
        self.parts.services.push(Box::new(move |host| host.add(name, service)));
        self
    }

    /// Adds a health check to the readiness probe. Its error, with what caused it, tells why not; a text is one too.
    ///
    /// A name that is taken, or that could not be part of a path, is an error at the start.
    pub fn add_health_check<F, Checking, E>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn(S) -> Checking + Send + Sync + 'static,
        Checking: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.parts.checks.push(Box::new(move |health, state| {
            let state = state.clone();
            health.add(name, Probes::READY, move || {
                let checking = check(state.clone());
                async move { checking.await.map(|()| String::new()).map_err(|error| chain(error.into().as_ref())) }
            })
        }));
        self
    }

    /// Lets the status page show the value of a setting, such as `Guestbook:Theme`, and of what is below it. Of settings that are not
    /// the SDK's own it tells only that they are set and where, unless they are named here. For keys that never hold a secret.
    pub fn show_setting(mut self, key: &'static str) -> Self {
        self.parts.shown_settings.push(key);
        self
    }
}

impl<S> Parts<S> {
    /// The CRDs of all controllers, each once.
    pub(crate) fn crds(&self) -> Vec<CustomResourceDefinition> {
        let mut crds: Vec<CustomResourceDefinition> = Vec::new();
        for crd in self.controllers.iter().filter_map(|registration| registration.crd.clone()) {
            if !crds.contains(&crd) {
                crds.push(crd);
            }
        }
        crds
    }

    /// Names that two controllers share, and definitions of one CRD that differ.
    pub(super) fn problems(&self) -> Vec<String> {
        let names: Vec<&str> = self.controllers.iter().map(|controller| controller.name).collect();
        let mut twice: Vec<&str> = names.clone();
        twice.sort_unstable();
        twice.retain(|name| names.iter().filter(|other| other == &name).count() > 1);
        twice.dedup();
        let tell = |name: &str| {
            format!("two controllers are named `{name}`: name one of them, `#[controller(name = \"…\", …)]`")
        };
        let conflicting = by_name(&self.crds()).err().map(|conflict| conflict.to_string());
        twice.into_iter().map(tell).chain(conflicting).collect()
    }
}

impl<S> fmt::Debug for Operator<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator")
            .field("name", &self.parts.name)
            .field("version", &self.parts.version)
            .finish_non_exhaustive()
    }
}

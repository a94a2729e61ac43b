//! The derives need nothing of the prelude, and no name that a user might have taken.

#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types, missing_docs, unreachable_pub, reason = "names taken on purpose")]

struct Option;
struct Some;
struct None;
struct Result;
struct Vec;
struct Box;
struct String;
struct Services;
struct Needs;
struct str;
mod core {}
mod std {}
mod kube {}

#[derive(::std::clone::Clone, ::kubeops::controller::State)]
struct AppState {
    number: ::core::primitive::u8,
}

#[derive(::kubeops::controller::Controller)]
#[controller(
    entity = ::k8s_openapi::api::core::v1::ConfigMap,
    finalizer = "example.com/cleanup",
    owns(::k8s_openapi::api::core::v1::Secret, ::k8s_openapi::api::core::v1::Node),
    concurrency = 1
)]
struct ConfigMaps {
    services: ::core::primitive::u8,
    needs: ::kube::Client,
}

type ConfigMap = ::k8s_openapi::api::core::v1::ConfigMap;

impl ::kubeops::controller::Reconcile for ConfigMaps {
    async fn reconcile(
        &self,
        _: &ConfigMap,
        _: &::kubeops::controller::Context<ConfigMap>,
    ) -> ::kubeops::controller::Result<::kubeops::controller::Action> {
        ::core::result::Result::Ok(::kubeops::controller::Action::await_change())
    }
}

impl ::kubeops::controller::Finalize for ConfigMaps {
    async fn finalize(
        &self,
        _: &ConfigMap,
        _: &::kubeops::controller::Context<ConfigMap>,
    ) -> ::kubeops::controller::Result<::kubeops::controller::Action> {
        ::core::result::Result::Ok(::kubeops::controller::Action::await_change())
    }
}

#[::core::prelude::v1::test]
fn a_struct_in_a_hostile_module_is_a_controller() {
    let registration = ::kubeops::controller::Registration::<AppState>::of::<ConfigMaps>();
    ::core::assert_eq!(registration.name, "config-maps");
}

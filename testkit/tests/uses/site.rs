//! Where a use takes place.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, CustomResourceExt, Resource};
use kubeops_testkit::{Cluster, ControlPlane};
use tokio::sync::OnceCell;

use crate::machine::Machine;

/// Namespaces are shorter.
const LONGEST_NAME: usize = 60;

/// One for all uses; it ends with the process.
static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();

/// A cluster, and a namespace of the use's own in it.
pub(crate) struct Site {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

impl Site {
    pub(crate) async fn in_memory(name: &str) -> Self {
        Self::start(Cluster::start().await.client("admin"), name).await
    }

    pub(crate) async fn on_a_control_plane(name: &str) -> Self {
        let plane = PLANE.get_or_try_init(async || {
            let plane = ControlPlane::start().await?;
            plane.start_controller_manager()?;
            Ok::<_, kubeops_testkit::Error>(plane)
        });
        Self::start(plane.await.unwrap().client().unwrap(), name).await
    }

    async fn start(client: Client, name: &str) -> Self {
        let mut namespace = name.replace('_', "-");
        namespace.truncate(LONGEST_NAME);
        let namespace = namespace.trim_end_matches('-').to_owned();
        let metadata = ObjectMeta { name: Some(namespace.clone()), ..ObjectMeta::default() };
        let object = Namespace { metadata, ..Namespace::default() };
        Api::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
        Self { client, namespace }
    }

    /// The API of a kind, in the use's namespace.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) fn crds(&self) -> Api<CustomResourceDefinition> {
        Api::all(self.client.clone())
    }

    /// Registers Machines; those of all uses are one kind.
    pub(crate) async fn machines(&self) -> Api<Machine> {
        let (crds, force) = (self.crds(), PatchParams::apply("uses").force());
        crds.patch(Machine::crd_name(), &force, &Patch::Apply(Machine::crd())).await.unwrap();
        await_condition(crds, Machine::crd_name(), conditions::is_crd_established()).await.unwrap();
        self.api()
    }

    pub(crate) async fn config_map(&self, name: &str, value: &str) -> ConfigMap {
        self.api().create(&PostParams::default(), &config_map(name, value)).await.unwrap()
    }
}

pub(crate) fn config_map(name: &str, value: &str) -> ConfigMap {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    ConfigMap { metadata, data: Some([("key".to_owned(), value.to_owned())].into()), ..ConfigMap::default() }
}

/// What a refusal says: its code and reason.
pub(crate) fn refused<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String) {
    match result {
        Err(kube::Error::Api(status)) => (status.code, status.reason),
        other => panic!("the server should have refused it: {other:?}"),
    }
}

//! What a Guestbook owns.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, HTTPGetAction, PodSecurityContext,
    PodSpec, PodTemplateSpec, Probe, SeccompProfile, SecurityContext, Service, ServicePort, ServiceSpec, Volume,
    VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use crate::guestbook::Guestbook;
use crate::page::{PageSettings, page};

const IMAGE: &str = "nginxinc/nginx-unprivileged:stable-alpine";
/// Where that image listens.
const CONTAINER_PORT: i32 = 8080;
/// What that image serves.
const WEB_ROOT: &str = "/usr/share/nginx/html";
/// The page, as a volume.
const PAGE: &str = "page";
/// The port by name.
const HTTP: &str = "http";

/// The ConfigMap that holds the page.
pub(crate) fn config_map(guestbook: &Guestbook, settings: &PageSettings) -> ConfigMap {
    let files = BTreeMap::from([("index.html".to_owned(), page(&guestbook.spec, settings))]);
    ConfigMap { metadata: metadata(guestbook), data: Some(files), ..ConfigMap::default() }
}

/// The Deployment that serves it.
pub(crate) fn deployment(guestbook: &Guestbook) -> Deployment {
    let pod = PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(labels(guestbook)), ..ObjectMeta::default() }),
        spec: Some(pod(guestbook)),
    };
    Deployment {
        metadata: metadata(guestbook),
        spec: Some(DeploymentSpec {
            replicas: Some(guestbook.spec.replicas),
            selector: LabelSelector { match_labels: Some(labels(guestbook)), ..LabelSelector::default() },
            template: pod,
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

/// The Service in front of it.
pub(crate) fn service(guestbook: &Guestbook) -> Service {
    let port = ServicePort {
        name: Some(HTTP.to_owned()),
        port: 80,
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::String(HTTP.to_owned())),
        ..ServicePort::default()
    };
    Service {
        metadata: metadata(guestbook),
        spec: Some(ServiceSpec {
            selector: Some(labels(guestbook)),
            ports: Some(vec![port]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

fn metadata(guestbook: &Guestbook) -> ObjectMeta {
    ObjectMeta { name: Some(guestbook.name_any()), labels: Some(labels(guestbook)), ..ObjectMeta::default() }
}

fn labels(guestbook: &Guestbook) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/name".to_owned(), "guestbook".to_owned()),
        ("app.kubernetes.io/instance".to_owned(), guestbook.name_any()),
    ])
}

/// A pod that the restricted Pod Security Standard accepts.
fn pod(guestbook: &Guestbook) -> PodSpec {
    let get = HTTPGetAction {
        path: Some("/".to_owned()),
        port: IntOrString::String(HTTP.to_owned()),
        ..HTTPGetAction::default()
    };
    let server = Container {
        name: "nginx".to_owned(),
        image: Some(IMAGE.to_owned()),
        ports: Some(vec![ContainerPort {
            name: Some(HTTP.to_owned()),
            container_port: CONTAINER_PORT,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        readiness_probe: Some(Probe { http_get: Some(get), ..Probe::default() }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Capabilities::default() }),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(vec![VolumeMount {
            name: PAGE.to_owned(),
            mount_path: WEB_ROOT.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    };
    PodSpec {
        containers: vec![server],
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..SeccompProfile::default() }),
            ..PodSecurityContext::default()
        }),
        volumes: Some(vec![Volume {
            name: PAGE.to_owned(),
            config_map: Some(ConfigMapVolumeSource { name: guestbook.name_any(), ..ConfigMapVolumeSource::default() }),
            ..Volume::default()
        }]),
        ..PodSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{config_map, deployment, service};
    use crate::guestbook::{Guestbook, GuestbookSpec};
    use crate::page::PageSettings;

    fn guestbook() -> Guestbook {
        Guestbook::new("hello", GuestbookSpec { title: "Hi".to_owned(), message: String::new(), replicas: 3 })
    }

    #[test]
    fn the_service_finds_the_pods_of_the_deployment() {
        let deployment = deployment(&guestbook()).spec.unwrap();
        let pods = deployment.template.metadata.unwrap().labels;
        assert_eq!(deployment.selector.match_labels, pods);
        assert_eq!(service(&guestbook()).spec.unwrap().selector, pods);
    }

    #[test]
    fn the_deployment_mounts_the_page_and_has_the_replicas_of_the_spec() {
        let spec = deployment(&guestbook()).spec.unwrap();
        assert_eq!(spec.replicas, Some(3));
        let pod = spec.template.spec.unwrap();
        let page = config_map(&guestbook(), &PageSettings::default());
        let [volume] = pod.volumes.as_deref().unwrap() else { panic!("one volume") };
        assert_eq!(Some(&volume.config_map.as_ref().unwrap().name), page.metadata.name.as_ref());
        assert_eq!(pod.containers[0].volume_mounts.as_ref().unwrap()[0].name, volume.name);
        assert!(page.data.unwrap()["index.html"].contains("<h1>Hi</h1>"));
    }
}

//! The Dockerfile, and what of the folder is not sent to the builder.

use super::Options;
use super::files::{File, header};

/// Beside the Dockerfile, and read for it alone. <https://docs.docker.com/build/concepts/context/#filename-and-location>
const IGNORE: &str = "Dockerfile.dockerignore";
/// Who the image runs as: the pod must not be root, and the kubelet can tell only by a number.
const USER: &str = "65532:65532";

/// For the folder that the workspace's `Cargo.lock` is in.
pub(crate) fn dockerfile(options: &Options) -> Vec<File> {
    let header = header(options, "Changes belong into a Dockerfile of another name");
    let Options { package, image, .. } = options;
    let ports: Vec<_> = [options.health_port, options.metrics_port].into_iter().flatten().collect();
    let expose = ports.iter().map(|port| format!("EXPOSE {port}\n")).collect::<String>();
    let text = format!(
        r#"# syntax=docker/dockerfile:1
# {header}
# docker build --tag {image} .
FROM docker.io/library/rust:1-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    {build} \
    && cp target/release/{package} /usr/local/bin/operator

# glibc and certificates, and nothing to log in to.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/operator /usr/local/bin/{package}
USER {USER}
{expose}ENTRYPOINT ["/usr/local/bin/{package}"]
CMD ["run"]
"#,
        build = build(package),
    );
    let ignore = format!("# {header}\n**/target\n.git\n");
    vec![File { path: "Dockerfile".to_owned(), text }, File { path: IGNORE.to_owned(), text: ignore }]
}

fn build(package: &str) -> String {
    format!("cargo build --release --locked --package {package} --bin {package}")
}

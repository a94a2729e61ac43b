//! The types that keys have, and how they are written.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::leadership::life::LeaderLockApi;
use crate::settings::{Kind, Node, format_duration, parse_duration, same_key};

/// A type that a key may have.
pub(super) trait Setting: Sized {
    /// The type in words.
    const KIND: &'static str;

    /// Reads a value; the error says what was expected.
    fn read(node: &Node) -> Result<Self, String>;

    /// The value as a user would write it.
    fn show(&self) -> String;
}

/// Which changes of the object itself lead to a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconcileStrategy {
    /// Those of `metadata.generation`, that is of the spec.
    ByGeneration,
    /// Every one.
    ByResourceVersion,
}

/// What readiness means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyWhen {
    /// The caches are filled, also on a standby.
    Synced,
    /// This replica leads.
    Leading,
}

/// Which kind of lock replicas elect their leader by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaderElectionLock {
    /// A `coordination.k8s.io/v1` Lease, renewed.
    Lease,
    /// A ConfigMap that goes with its holder's pod.
    ConfigMap,
    /// Likewise, a kind of its own: [`LeaderLock`](crate::leadership::life::LeaderLock).
    LeaderLock,
}

macro_rules! choices {
    ($type:ident { $($variant:ident),+ }) => {
        impl Setting for $type {
            const KIND: &'static str = choices!(@kind $($variant),+);

            fn read(node: &Node) -> Result<Self, String> {
                let text = scalar::<Self>(node)?;
                $( if same_key(text.trim(), stringify!($variant)) { return Ok(Self::$variant) } )+
                Err(format!("expected {}", Self::KIND))
            }

            fn show(&self) -> String {
                match self { $( Self::$variant => stringify!($variant).to_owned() ),+ }
            }
        }
    };
    (@kind $one:ident, $other:ident) => { concat!(stringify!($one), " or ", stringify!($other)) };
    (@kind $one:ident, $($more:ident),+) => { concat!(stringify!($one), ", ", choices!(@kind $($more),+)) };
}

choices!(ReconcileStrategy { ByGeneration, ByResourceVersion });
choices!(ReadyWhen { Synced, Leading });
choices!(LeaderElectionLock { Lease, ConfigMap, LeaderLock });

impl LeaderElectionLock {
    /// Whether it is not renewed, and goes with its holder's pod.
    #[must_use]
    pub const fn is_for_life(self) -> bool {
        match self {
            Self::Lease => false,
            Self::ConfigMap | Self::LeaderLock => true,
        }
    }

    /// The kind of the object.
    #[must_use]
    pub fn kind(self) -> String {
        self.show()
    }
}

impl Setting for LeaderLockApi {
    const KIND: &'static str = "coordination.kubeops.rs/v1 or coralogix.com/v1";

    fn read(node: &Node) -> Result<Self, String> {
        let text = scalar::<Self>(node)?;
        let named = Self::ALL.into_iter().find(|api| api.to_string().eq_ignore_ascii_case(text.trim()));
        named.ok_or_else(|| format!("expected {}", Self::KIND))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    const KIND: &'static str = "text";

    fn read(node: &Node) -> Result<Self, String> {
        scalar::<Self>(node).map(|text| text.trim().to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for Option<String> {
    const KIND: &'static str = "text, or nothing";

    fn read(node: &Node) -> Result<Self, String> {
        let unset = node.kind == Kind::Null;
        if unset { Ok(None) } else { String::read(node).map(|text| Some(text).filter(|text| !text.is_empty())) }
    }

    fn show(&self) -> String {
        self.clone().unwrap_or_default()
    }
}

impl Setting for Vec<String> {
    const KIND: &'static str = "list of texts";

    fn read(node: &Node) -> Result<Self, String> {
        let not_a_list = || "expected a list, such as [\"a\", \"b\"], or …__0=a in variables".to_owned();
        let elements = node.elements().ok_or_else(not_a_list)?;
        let set = elements.values().filter(|element| element.kind != Kind::Null);
        set.map(|element| String::read(element).map_err(|_| "expected texts in the list".to_owned())).collect()
    }

    fn show(&self) -> String {
        format!("[{}]", self.join(", "))
    }
}

impl Setting for bool {
    const KIND: &'static str = "true or false";

    fn read(node: &Node) -> Result<Self, String> {
        match scalar::<Self>(node)?.trim().to_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("expected {}", Self::KIND)),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for NonZeroUsize {
    const KIND: &'static str = "whole number from 1";

    fn read(node: &Node) -> Result<Self, String> {
        scalar::<Self>(node)?.trim().parse().map_err(|_| format!("expected a {}", Self::KIND))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Duration {
    const KIND: &'static str = "duration";

    fn read(node: &Node) -> Result<Self, String> {
        parse_duration(&scalar::<Self>(node)?).map_err(|error| error.to_string())
    }

    fn show(&self) -> String {
        format_duration(*self)
    }
}

impl Setting for Option<Duration> {
    const KIND: &'static str = "duration, 0 = off";

    fn read(node: &Node) -> Result<Self, String> {
        Duration::read(node).map(|duration| Some(duration).filter(|duration| !duration.is_zero()))
    }

    fn show(&self) -> String {
        self.unwrap_or_default().show()
    }
}

impl Setting for Option<SocketAddr> {
    const KIND: &'static str = "address, 0 = off";

    fn read(node: &Node) -> Result<Self, String> {
        let text = scalar::<Self>(node)?;
        let text = text.trim();
        if text == "0" {
            return Ok(None);
        }
        // Go's form: both families.
        let of_port = text.strip_prefix(':').filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        let address = match of_port {
            Some(port) => port.parse().ok().map(|port| SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)),
            None => text.parse().ok(),
        };
        let expected = "expected an IP address and a port: [::]:8081, 127.0.0.1:8081 or :8081; 0 turns it off";
        address.map(Some).ok_or_else(|| expected.to_owned())
    }

    fn show(&self) -> String {
        self.map_or_else(|| "0".to_owned(), |address| address.to_string())
    }
}

fn scalar<T: Setting>(node: &Node) -> Result<String, String> {
    node.scalar().ok_or_else(|| match node.kind {
        Kind::List(_) => format!("expected a single value ({}), found a list", T::KIND),
        _ => format!("expected a single value ({}), found a section", T::KIND),
    })
}

//! What a scrape of `/metrics` says, taken apart.

use std::collections::{BTreeMap, BTreeSet};

use kubeops::operator::RunningOperator;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// An answer in Prometheus' own text.
#[derive(Clone, Debug)]
pub(crate) struct Scrape {
    /// By name.
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) samples: Vec<Sample>,
}

pub(crate) async fn scrape(operator: &RunningOperator) -> Scrape {
    let (status, text) = operator.get("/metrics").await;
    assert_eq!(status, 200, "{text}");
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let types = types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
    Scrape { types, samples: text.lines().filter(|line| !line.starts_with('#')).map(sample).collect() }
}

/// No label value of ours holds a quote or a comma.
fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap_or((series, ""));
    let label = |label: &str| {
        let (key, value) = label.split_once('=').unwrap();
        (key.to_owned(), value.trim_matches('"').to_owned())
    };
    let labels = labels.split(',').filter(|label| !label.is_empty()).map(label).collect();
    Sample { name: name.to_owned(), labels, value: value.parse().unwrap() }
}

impl Scrape {
    /// The sum of the samples of that name whose labels are, among others, these.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |sample: &&Sample| {
            sample.name == name
                && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|have| have == value))
        };
        let values: Vec<f64> = self.samples.iter().filter(fits).map(|sample| sample.value).collect();
        assert!(!values.is_empty(), "there is no {name} with {labels:?}");
        values.into_iter().sum()
    }

    /// Every name that a query may use: histograms have three.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.samples.iter().map(|sample| &*sample.name).collect()
    }

    /// Name, type and names of labels of each metric, as `name type label,label`.
    pub(crate) fn metrics(&self) -> BTreeSet<String> {
        let labels = |name: &str| -> BTreeSet<&str> {
            let of_it = |sample: &&Sample| self.metric(sample) == name;
            let keys = self.samples.iter().filter(of_it).flat_map(|sample| sample.labels.keys());
            keys.map(String::as_str).filter(|key| *key != "le").collect()
        };
        let told = |(name, kind): (&String, &String)| {
            format!("{name} {kind} {}", labels(name).into_iter().collect::<Vec<_>>().join(",")).trim().to_owned()
        };
        self.types.iter().map(told).collect()
    }

    /// Series: names with their labels' values.
    pub(crate) fn series(&self) -> BTreeSet<String> {
        self.samples.iter().map(|sample| format!("{}{:?}", sample.name, sample.labels)).collect()
    }

    fn metric<'a>(&self, sample: &'a Sample) -> &'a str {
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| sample.name.strip_suffix(suffix));
        histogram.filter(|name| self.types.contains_key(*name)).unwrap_or(&sample.name)
    }
}

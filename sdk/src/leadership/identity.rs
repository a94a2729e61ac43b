//! What a candidate calls itself in a lock.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// `<name>_<id>`: the name tells people who it is, and the id tells two processes of one name apart.
#[must_use]
pub fn holder_identity(name: &str, id: &str) -> String {
    format!("{name}_{id}")
}

/// A random UUID (version 4). Its randomness is the operating system's, which std keys its hash maps with.
#[must_use]
pub fn random_uuid() -> String {
    let random = RandomState::new();
    let bits = (u128::from(random.hash_one(0_u8)) << 64) | u128::from(random.hash_one(1_u8));
    let bits = (bits & !(0xf << 76) & !(0b11 << 62)) | (0x4 << 76) | (0b10 << 62);
    let digits = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits[part].to_owned());
    parts.join("-")
}

/// The pod's name, which the variable `POD_NAME` holds by the Downward API, else the machine's, with a random id. A `_` parts
/// the two, so the name has none.
pub(super) fn of_this_process() -> String {
    let pod = std::env::var("POD_NAME").ok().filter(|name| !name.is_empty());
    let name = pod.unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned());
    holder_identity(&name.replace('_', "-"), &random_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_uuids_of_version_4_and_differ() {
        let (one, other) = (random_uuid(), random_uuid());
        assert_ne!(one, other);
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert!(one.chars().nth(14) == Some('4') && one.chars().nth(19).is_some_and(|c| "89ab".contains(c)), "{one}");
    }
}

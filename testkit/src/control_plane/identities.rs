//! Who may ask the API server: a certificate authority, and a client certificate for each user.
//!
//! Certificates and not tokens, because the server reads its tokens once, at its start, while any certificate that its
//! authority signed is good at once. The common name is the user, the organization the group.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use kube::config::AuthInfo;
use rcgen::KeyPair;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::authority::{Authority, Signed};
use crate::{Error, kubeconfig};

/// The group that RBAC lets do everything.
const ADMINS: &str = "system:masters";

pub(super) struct Identities {
    folder: PathBuf,
    authority: Authority,
    users: Mutex<HashMap<String, Identity>>,
}

/// Files that say who one is.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// What the paths of this user's files begin with.
    stem: PathBuf,
    admin: bool,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Identities {
    /// Makes the authority, the server's certificate, and the key that signs ServiceAccount tokens, as files in `folder`.
    pub(super) fn create(folder: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&folder).map_err(Error::io(format!("create {}", folder.display())))?;
        let identities = Self { folder, authority: Authority::new()?, users: Mutex::default() };
        write(&identities.authority_file(), &identities.authority.pem())?;
        let service_accounts = KeyPair::generate()?;
        write(&identities.service_account_key_file(), &service_accounts.serialize_pem())?;
        write(&identities.service_account_public_key_file(), &service_accounts.public_key_pem())?;

        let server = identities.authority.server(Ipv4Addr::LOCALHOST.into())?;
        write_signed(&server, &identities.server_certificate_file(), &identities.server_key_file())?;
        Ok(identities)
    }

    /// The identity of `user`: an admin, unless [`limit`](Self::limit) came first.
    pub(super) fn of(&self, user: &str) -> Result<Identity, Error> {
        self.get_or_sign(user, true)
    }

    /// From now on `user` is in no group. Not if it is known as an admin already: its certificate cannot be taken back.
    pub(super) fn limit(&self, user: &str) -> Result<(), Error> {
        match self.get_or_sign(user, false)?.admin {
            false => Ok(()),
            true => Err(Error::AlreadyAdmin { user: user.to_owned() }),
        }
    }

    pub(super) fn authority_der(&self) -> Vec<u8> {
        self.authority.der().to_vec()
    }

    pub(super) fn authority_file(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    pub(super) fn server_certificate_file(&self) -> PathBuf {
        self.folder.join("server.crt")
    }

    pub(super) fn server_key_file(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    pub(super) fn service_account_key_file(&self) -> PathBuf {
        self.folder.join("service-accounts.key")
    }

    pub(super) fn service_account_public_key_file(&self) -> PathBuf {
        self.folder.join("service-accounts.pub")
    }

    fn get_or_sign(&self, user: &str, admin: bool) -> Result<Identity, Error> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = users.get(user) {
            return Ok(identity.clone());
        }
        let readable: String = user.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        // The number tells users apart whose names differ only in other characters.
        let identity = Identity { stem: self.folder.join(format!("user-{}-{readable}", users.len())), admin };
        let signed = self.authority.client(user, admin.then_some(ADMINS))?;
        write_signed(&signed, &identity.file("crt"), &identity.file("key"))?;
        users.insert(user.to_owned(), identity.clone());
        Ok(identity)
    }
}

impl Identity {
    pub(super) fn auth_info(&self) -> AuthInfo {
        AuthInfo {
            client_certificate: Some(self.file("crt").display().to_string()),
            client_key: Some(self.file("key").display().to_string()),
            ..AuthInfo::default()
        }
    }

    /// Writes the file by which other programs ask as this user, at `url`; one file for each `port`.
    pub(super) fn write_kubeconfig(&self, authority: &Path, url: &str, port: u16) -> Result<PathBuf, Error> {
        let auth = self.auth_info();
        let cluster = json!({ "server": url, "certificate-authority": authority });
        let user = json!({ "client-certificate": auth.client_certificate, "client-key": auth.client_key });
        let path = self.file(&format!("{port}.kubeconfig"));
        write(&path, &kubeconfig::text(&cluster, &user))?;
        Ok(path)
    }

    fn file(&self, extension: &str) -> PathBuf {
        let mut name = self.stem.clone().into_os_string();
        name.push(".");
        name.push(extension);
        name.into()
    }
}

fn write_signed(signed: &Signed, certificate_file: &Path, key_file: &Path) -> Result<(), Error> {
    write(certificate_file, &signed.certificate.pem())?;
    write(key_file, &signed.key.serialize_pem())
}

/// The directory is the user's alone, so these files are too. Whole from the first look on: a program may be reading what is
/// written again for another.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let written = NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        Ok(file.persist(path)?)
    });
    written.map(drop).map_err(Error::io(format!("write {}", path.display())))
}

//! Certificates that `openssl` makes, of kinds that the tests' own authority has not.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::c::run;

/// An authority of OpenSSL's.
pub struct Openssl {
    folder: TempDir,
}

/// Good from now on.
const DAYS: &str = "1000";

impl Openssl {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let openssl = Self { folder };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";
        openssl.request(&format!("{key} -keyout ca.key -out ca.pem -subj /CN=ca"));
        openssl
    }

    /// The authority's own certificate.
    pub fn pem(&self) -> String {
        self.read("ca.pem")
    }

    /// A certificate for 127.0.0.1 and its key, made with these options.
    pub fn sign(&self, options: &str) -> String {
        self.request(&format!(
            "-CA ca.pem -CAkey ca.key {options} -keyout server.key -out server.pem -subj /CN=server \
             -addext basicConstraints=CA:FALSE -addext subjectAltName=IP:127.0.0.1"
        ));
        self.read("server.pem") + &self.read("server.key")
    }

    fn request(&self, options: &str) {
        let mut command = Command::new("openssl");
        command
            .args(["req", "-x509", "-nodes", "-days", DAYS])
            .args(options.split_whitespace())
            .current_dir(self.folder.path());
        run(&mut command).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

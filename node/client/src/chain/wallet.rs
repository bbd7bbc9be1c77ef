//! Wallets: an encrypted keystore file (version 3, as geth and foundry write it) and a password.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ethers::signers::{LocalWallet, Signer};
use fairshare_protocol::Address;

use crate::files::write_new;

/// Errors of a wallet. No message contains a password or a key.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The keystore file exists; it is never overwritten.
    #[error("{0} exists and may hold money: name another file")]
    Exists(PathBuf),
    /// The keystore file cannot be read or written.
    #[error("the keystore {path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// The error of the system.
        reason: String,
    },
    /// The file is not a keystore that we can read.
    #[error(
        "{path} is not a keystore of version 3 ({reason}); create one with `fairshare wallet new --out FILE`"
    )]
    NotAKeystore {
        /// Which file.
        path: PathBuf,
        /// Why it is refused.
        reason: String,
    },
    /// The password is wrong.
    #[error("the password does not open the keystore {0}: check --password-file or FAIRSHARE_PASSWORD")]
    WrongPassword(PathBuf),
    /// No password is given.
    #[error("no password: name its file with --password-file, or set FAIRSHARE_PASSWORD")]
    NoPassword,
    /// The password file cannot be read, or is empty.
    #[error("the password file {path}: {reason}")]
    PasswordFile {
        /// Which file.
        path: PathBuf,
        /// Why it is refused.
        reason: String,
    },
}

/// An account with its key.
#[derive(Clone)]
pub struct Wallet {
    pub(super) signer: LocalWallet,
}

impl fmt::Debug for Wallet {
    /// Prints the address only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wallet({})", self.address())
    }
}

impl Wallet {
    /// Creates an account and writes its keystore to `path`, which must not exist; only the user can read it.
    ///
    /// # Errors
    /// [`WalletError::Exists`], [`WalletError::File`].
    pub fn create(path: &Path, password: &str) -> Result<Self, WalletError> {
        let failed = |reason: String| WalletError::File { path: path.to_owned(), reason };
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|e| failed(e.to_string()))?;
        // The library writes with the default mode, so it writes into a folder that only the user can enter.
        let private = tempfile::Builder::new()
            .prefix(".keystore")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(folder)
            .map_err(|e| failed(e.to_string()))?;
        let (signer, _) =
            LocalWallet::new_keystore(private.path(), &mut rand::thread_rng(), password, Some("key"))
                .map_err(|e| failed(e.to_string()))?;
        let keystore = fs::read(private.path().join("key")).map_err(|e| failed(e.to_string()))?;
        write_new(path, &keystore).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => WalletError::Exists(path.to_owned()),
            _ => failed(e.to_string()),
        })?;
        Ok(Self { signer })
    }

    /// Opens a keystore.
    ///
    /// # Errors
    /// [`WalletError`] distinguishes a bad file from a wrong password.
    pub fn open(path: &Path, password: &str) -> Result<Self, WalletError> {
        let text = fs::read_to_string(path)
            .map_err(|e| WalletError::File { path: path.to_owned(), reason: e.to_string() })?;
        let other = |reason: String| WalletError::NotAKeystore { path: path.to_owned(), reason };
        check_form(&text).map_err(other)?;
        match LocalWallet::decrypt_keystore(path, password) {
            Ok(signer) => Ok(Self { signer }),
            Err(error) if error.to_string().to_lowercase().contains("mac mismatch") => {
                Err(WalletError::WrongPassword(path.to_owned()))
            }
            Err(error) => Err(other(error.to_string())),
        }
    }

    /// The account.
    pub fn address(&self) -> Address {
        Address(self.signer.address().0)
    }
}

/// Checks the keystore before the library sees it, since the library panics on some malformed ones.
fn check_form(text: &str) -> Result<(), String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if json["version"] != 3 {
        return Err(format!("version {}", json["version"]));
    }
    let crypto = &json["crypto"];
    let bytes = |value: &serde_json::Value| value.as_str().and_then(|s| hex::decode(s).ok()).map(|b| b.len());
    if bytes(&crypto["cipherparams"]["iv"]) != Some(16) || bytes(&crypto["ciphertext"]) != Some(32) {
        return Err("its cipher text or its iv has another length than expected".into());
    }
    let parameters = &crypto["kdfparams"];
    let at_most = |name: &str, most: u64| parameters[name].as_u64().is_some_and(|v| (1..=most).contains(&v));
    if parameters["dklen"] != 32 {
        return Err("the length of its derived key is not 32".into());
    }
    match crypto["kdf"].as_str() {
        Some("scrypt") if at_most("n", 1 << 20) && at_most("r", 32) && at_most("p", 16) => Ok(()),
        Some("pbkdf2") if at_most("c", 10_000_000) => Ok(()),
        _ => Err("its key derivation is unknown or too expensive".into()),
    }
}

/// The password from a file (its first line) or, without one, from the environment's `FAIRSHARE_PASSWORD`.
///
/// # Errors
/// [`WalletError::PasswordFile`], [`WalletError::NoPassword`].
pub fn read_password(file: Option<&Path>) -> Result<String, WalletError> {
    let Some(path) = file else {
        return std::env::var("FAIRSHARE_PASSWORD").map_err(|_| WalletError::NoPassword);
    };
    let failed = |reason: String| WalletError::PasswordFile { path: path.to_owned(), reason };
    let text = fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(failed("its first line is empty".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_comes_back_and_only_its_user_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/wallet.json");
        let made = Wallet::create(&path, "secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("sub")).unwrap().count(), 1, "nothing else is left there");
        assert_eq!(Wallet::open(&path, "secret").unwrap().address(), made.address());
        assert!(matches!(Wallet::open(&path, "other"), Err(WalletError::WrongPassword(_))));
        let before = fs::read(&path).unwrap();
        assert!(matches!(Wallet::create(&path, "secret"), Err(WalletError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(!format!("{made:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_keystore_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet.json");
        assert!(matches!(Wallet::open(&path, ""), Err(WalletError::File { .. })));
        Wallet::create(&path, "secret").unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let iv =
            serde_json::from_str::<serde_json::Value>(&good).unwrap()["crypto"]["cipherparams"]["iv"].clone();
        for bad in [
            String::new(),
            "{}".into(),
            good.replace("\"version\":3", "\"version\":1"),
            good.replace(iv.as_str().unwrap(), "00"),
            good.replace("\"dklen\":32", "\"dklen\":8"),
            good.replace("\"n\":8192", "\"n\":0"),
        ] {
            assert_ne!(bad, good);
            fs::write(&path, bad).unwrap();
            let error = Wallet::open(&path, "secret").unwrap_err().to_string();
            assert!(error.contains("fairshare wallet new"), "{error}");
        }
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        assert!(matches!(read_password(Some(&path)), Err(WalletError::PasswordFile { .. })));
        fs::write(&path, "two words\nmore\n").unwrap();
        assert_eq!(read_password(Some(&path)).unwrap(), "two words");
        fs::write(&path, "\n").unwrap();
        assert!(read_password(Some(&path)).unwrap_err().to_string().contains("empty"));
    }
}

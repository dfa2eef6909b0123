//! Opens a port. If that fails, the error names the flag to change.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;

use crate::{Error, Result};

/// Listens on `bind:port`; port 0 takes any free one. `flag` is named by the error.
///
/// # Errors
/// [`Error::PortTaken`] if another process listens there, [`Error::Listen`] for any other reason.
pub async fn listen(bind: IpAddr, port: u16, flag: &'static str) -> Result<TcpListener> {
    let address = SocketAddr::new(bind, port);
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => Error::PortTaken { address, flag },
        _ => Error::Listen { address, flag, source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_names_the_flag_to_change() {
        let bind = IpAddr::from([127, 0, 0, 1]);
        let first = listen(bind, 0, "--port").await.unwrap();
        let port = first.local_addr().unwrap().port();
        let problem = listen(bind, port, "--mail-port").await.unwrap_err().to_string();
        assert_eq!(
            problem,
            format!(
                "127.0.0.1:{port} is taken: stop what listens there, or choose another port with \
                 --mail-port"
            )
        );
    }
}

//! Timeouts in requests to the RPC.

use std::time::Duration;

use fairshare_ipfs::duration::duration;

#[test]
fn durations_are_read_as_go_writes_them() {
    assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
    assert_eq!(duration("2s500ns"), Some(Duration::new(2, 500)));
    assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
    for bad in ["", "s", "10", "1x", "-1s", "99999999999999999999h", "9999999999999999h"] {
        assert_eq!(duration(bad), None, "{bad}");
    }
}

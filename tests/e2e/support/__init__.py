"""What the end-to-end tests stand on: real servers, the daemon, certificates, a raw protocol client and fault injection."""

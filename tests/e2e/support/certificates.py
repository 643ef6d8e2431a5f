"""A certificate authority for one test run, made with the openssl command."""
from pathlib import Path

from .system import check_run


class Authority:
    """One CA and the certificates that it signed; every file lives in `directory`."""

    def __init__(self, directory: Path, name: str = "ca"):
        self.directory = directory
        self.name = name
        self.certificate = directory / f"{name}.crt"
        self._key = directory / f"{name}.key"
        self._serial = 0
        check_run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-days", "30", "-subj", f"/CN=pgsluice test {name}", "-keyout", self._key, "-out", self.certificate])

    def issue(self, common_name: str, file: str | None = None, hosts: tuple = (), days: int = 30) -> "Certificate":
        """A certificate for `common_name`; with `hosts` also subject alternative names (names or addresses)."""
        self._serial += 1
        stem = self.directory / (file or common_name)
        key, request, certificate = (Path(f"{stem}.{suffix}") for suffix in ("key", "csr", "crt"))
        check_run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-subj", f"/CN={common_name}", "-keyout", key, "-out", request])
        extensions = Path(f"{stem}.ext")
        names = ",".join(("IP:" if host.replace(".", "").isdigit() or ":" in host else "DNS:") + host for host in hosts)
        extensions.write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE\n")
        check_run(["openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                   "-set_serial", str(1000 + self._serial), "-days", str(days), "-extfile", extensions, "-out", certificate])
        key.chmod(0o600)
        return Certificate(certificate, key)


class Certificate:
    def __init__(self, certificate: Path, key: Path):
        self.certificate = certificate
        self.key = key

    def serial(self) -> str:
        return check_run(["openssl", "x509", "-noout", "-serial", "-in", self.certificate]).strip()

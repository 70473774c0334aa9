#!/usr/bin/python3
"""Write check_certs.h: certificates in every condition for the tests of
checks, valid from 2025-01-01 to 2027-01-01.

Run once; the header is in the repository.  Keys are thrown away: nothing
checks the signatures.
"""
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
XMPP = "otherName:1.3.6.1.5.5.7.8.5;UTF8:"
EC = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
BOTH = "extendedKeyUsage=serverAuth,clientAuth"
DNS = "subjectAltName=DNS:peer.example"

FIXTURES = {
    # name: key, hash, extension lines
    "good": (EC, "sha256", [DNS, BOTH]),
    "server_only": (EC, "sha256", [DNS, "extendedKeyUsage=serverAuth"]),
    "client_only": (EC, "sha256", [DNS, "extendedKeyUsage=clientAuth"]),
    "any_usage": (EC, "sha256", [DNS, "extendedKeyUsage=2.5.29.37.0"]),
    "no_usage": (EC, "sha256", [DNS]),
    "rsa": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "sha256", [DNS, BOTH]),
    "weak_rsa": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
                 "sha256", [DNS, BOTH]),
    "weak_ec": (["-algorithm", "EC", "-pkeyopt",
                 "ec_paramgen_curve:prime192v1"], "sha256", [DNS, BOTH]),
    "edwards": (["-algorithm", "ED25519"], "sha256", [DNS, BOTH]),
    "sha1": (EC, "sha1", [DNS, BOTH]),
    "xmpp_only": (EC, "sha256", ["subjectAltName=" + XMPP + "peer.example",
                                 BOTH]),
    "wildcard": (EC, "sha256", ["subjectAltName=DNS:*.peer.example", BOTH]),
    "ca": (EC, "sha256", [DNS, "basicConstraints=critical,CA:TRUE"]),
}


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True,
                   capture_output=True)


def sign(folder, name, key, digest, extensions, issuer=None):
    """A certificate; without an issuer it signs itself."""
    conf = folder / "ca.cnf"
    conf.write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\n"
        f"new_certs_dir={folder}\npolicy=p\nrand_serial=yes\n"
        "x509_extensions=x\nunique_subject=no\n[p]\ncommonName=supplied\n"
        "[x]\nsubjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n" +
        "\n".join(extensions) + "\n")
    (folder / "index").write_text("")
    key_file, csr = folder / f"{name}.key", folder / "csr.pem"
    out = folder / f"{name}.pem"
    openssl("genpkey", *key, "-out", key_file)
    openssl("req", "-new", "-key", key_file, "-out", csr, "-subj",
            f"/CN={name}.test")
    by = (["-selfsign", "-keyfile", key_file] if issuer is None else
          ["-cert", folder / f"{issuer}.pem", "-keyfile",
           folder / f"{issuer}.key"])
    openssl("ca", "-batch", "-notext", "-config", conf, "-md", digest, *by,
            "-in", csr, "-out", out, "-startdate", "20250101000000Z",
            "-enddate", "20270101000000Z")
    openssl("x509", "-in", out, "-outform", "DER", "-out", folder / "c.der")
    return (folder / "c.der").read_bytes()


def main():
    lines = ["/* Made by make_check_certs.py: certificates, DER. */",
             "#ifndef FED_TEST_CHECK_CERTS_H",
             "#define FED_TEST_CHECK_CERTS_H", "",
             '#include "base/span.h"', ""]
    made = {}
    with tempfile.TemporaryDirectory() as tmp:
        folder = pathlib.Path(tmp)
        made["self_signed"] = sign(folder, "root", EC, "sha256",
                                   [DNS, BOTH])
        for name, (key, digest, extensions) in FIXTURES.items():
            made[name] = sign(folder, name, key, digest, extensions, "root")
    for name, data in made.items():
        lines.append("static const unsigned char check_%s[] = {" % name)
        for i in range(0, len(data), 12):
            lines.append("\t" + ", ".join(
                "0x%02x" % b for b in data[i:i + 12]) + ",")
        lines.append("};\n")
    lines += ["#endif"]
    (HERE / "check_certs.h").write_text("\n".join(lines) + "\n")


main()

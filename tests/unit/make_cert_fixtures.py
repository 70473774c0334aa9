#!/usr/bin/python3
"""Write cert_fixtures.h: small certificates for the tests, made by openssl.

Run once; the header is in the repository.  Keys are thrown away: nothing
checks the signatures, only the names are read.
"""
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SRV = "otherName:1.3.6.1.5.5.7.8.7;IA5:"
XMPP = "otherName:1.3.6.1.5.5.7.8.5;UTF8:"
NUL_DNS = b"peer.example\0.evil.example"


def der(tag, body):
    return bytes([tag, len(body)]) + body


def raw(san):
    return "DER:" + ":".join("%02x" % b for b in der(0x30, san))


# openssl cannot write this one as text
IDN_XMPP_ADDR = der(0xa0, bytes.fromhex("06082b06010505070805") +
                    der(0xa0, der(0x0c, "b\u00fccher.example".encode())))

FIXTURES = {
    # name: extension lines
    "peer": ["subjectAltName=DNS:peer.example"],
    "two": ["subjectAltName=DNS:peer.example,DNS:second.example"],
    "home": ["subjectAltName=DNS:home.example"],
    "wildcard": ["subjectAltName=DNS:*.example.com"],
    "wildcard_partial": ["subjectAltName=DNS:f*.example.com"],
    "wildcard_tld": ["subjectAltName=DNS:*.example"],
    "srv_client": ["subjectAltName=" + SRV + "_xmpp-client.example.com"],
    "srv_server": ["subjectAltName=" + SRV + "_xmpp-server.example.com"],
    "xmpp_addr": ["subjectAltName=" + XMPP + "example.com"],
    "xmpp_addr_idn": ["subjectAltName=" + raw(IDN_XMPP_ADDR)],
    "ca": ["subjectAltName=DNS:peer.example",
           "basicConstraints=critical,CA:TRUE"],
    "end_entity": ["subjectAltName=DNS:peer.example",
                   "basicConstraints=critical,CA:FALSE"],
    "nul": ["subjectAltName=" + raw(der(0x82, NUL_DNS))],
    "idn": ["subjectAltName=DNS:xn--bcher-kva.example"],
    "cn_only": [],
    "mixed": ["subjectAltName=DNS:a.example,IP:192.0.2.1,URI:xmpp:b," + SRV +
              "_xmpp-server.c.example," + XMPP + "d.example"],
    "broken_san": ["subjectAltName=" + raw(
        der(0x82, b"peer.example") + b"\x82\x7fshort")],
}


def make(directory, exts):
    conf = directory / "c.cnf"
    conf.write_text(
        "[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n"
        "utf8=yes\n[dn]\nCN=peer.example\n[v3]\n"
        "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n" +
        "\n".join(exts) + "\n", encoding="utf-8")
    out = directory / "c.der"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-days",
         "3650", "-config", str(conf), "-outform", "DER", "-out", str(out),
         "-utf8"], check=True, capture_output=True)
    return out.read_bytes()


def main():
    lines = ["/* Made by make_cert_fixtures.py: certificates, DER. */",
             "#ifndef FED_TEST_CERT_FIXTURES_H",
             "#define FED_TEST_CERT_FIXTURES_H", "",
             '#include "base/span.h"', ""]
    with tempfile.TemporaryDirectory() as tmp:
        for name, exts in FIXTURES.items():
            data = make(pathlib.Path(tmp), exts)
            lines.append("static const unsigned char cert_%s[] = {" % name)
            for i in range(0, len(data), 12):
                lines.append("\t" + ", ".join(
                    "0x%02x" % b for b in data[i:i + 12]) + ",")
            lines.append("};\n")
    lines.append("static const struct {\n\tconst char *name;\n"
                 "\tconst unsigned char *der;\n\tsize_t n;\n"
                 "} cert_fixtures[] = {")
    for name in FIXTURES:
        lines.append('\t{"%s", cert_%s, sizeof(cert_%s)},' %
                     (name, name, name))
    lines += ["};", "", "/* The fixture of that name; empty when unknown. */",
              "static inline struct span cert_fixture(const char *name)", "{",
              "\tfor (size_t i = 0; i < FED_ARRAY_LEN(cert_fixtures); i++)",
              "\t\tif (span_eq_str(span_str(name), cert_fixtures[i].name))",
              "\t\t\treturn span_of(cert_fixtures[i].der,",
              "\t\t\t\t       cert_fixtures[i].n);",
              "\treturn SPAN_NULL;", "}", "", "#endif"]
    (HERE / "cert_fixtures.h").write_text("\n".join(lines) + "\n")


main()

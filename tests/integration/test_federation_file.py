"""The file of a federation configuration, as people are told of it."""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = (TOP / "deploy/examples/federation.conf").read_text()
PAGE = (TOP / "deploy/man/federation.conf.5").read_text()
SCHEMA = (TOP / "common/io/federation_yaml.c").read_text()


def test_the_man_page_shows_the_example():
    assert re.sub(r"^ *#.*\n", "", EXAMPLE, flags=re.M) in PAGE


def test_the_man_page_has_every_key():
    keys = set(re.findall(r"\b[A-Z]+\(struct \w+,\s*(\w+)", SCHEMA))
    assert {"domain", "tls", "log_bodies", "users", "policy"} <= keys
    assert len(keys) > 30
    assert [k for k in keys
            if not re.search(rf"^\.(It )?Cm .*\b{k}\b|^\.Sh {k}", PAGE,
                             re.M | re.I)] == []

"""Other federation configurations for a lab, and back to its own: everything
open. A configuration is one document for fedctl apply (JSON is YAML)."""

import copy
import json
import pathlib

OPEN = {
    "settings": {"federation": "on", "mode": "open",
                 "subscription_refresh_interval": 3600},
    "policies": [{"scope": "global", "federation": "on", "xmpp": "on"}],
    "partners": [{"domain": "*", "type": "federated", "tls": "required",
                  "sasl": "optional", "dialback": "on"}],
}


def partner(domain, kind="federated", **more):
    """As the lab's peers are, but for what is said."""
    return {"domain": domain, "type": kind, "tls": "required",
            "sasl": "optional", "dialback": "on", **more}


def policy(scope, name="", xmpp="on", federation="on"):
    return {"scope": scope, "federation": federation, "xmpp": xmpp,
            **({"name": name} if name else {})}


class Rules:
    """rules(partners=[...], policies=[...], settings={...}, grants=[...])."""

    def __init__(self, lab, fedctl):
        self.lab, self.fedctl = lab, fedctl
        self.path = pathlib.Path(lab.env["LAB_STATE"], "rules.yaml")

    def __call__(self, settings=(), **lists):
        """In force when this returns; what is not said is as in OPEN."""
        document = copy.deepcopy(OPEN)
        document["settings"].update(settings)
        for name, items in lists.items():
            document[name] = document.get(name, []) + items \
                if name == "partners" else items
        self.apply(document)

    def apply(self, document):
        self.path.write_text(json.dumps(document))
        self.fedctl("gateway", "apply", "-f", str(self.path))

    def reset(self):
        self.apply(OPEN)

"""Who plays in the tests of presence, and how each is made."""

from presence_sip import PresenceUser
from presence_xmpp import RosterUser


def new_presence_user(lab, name, last_octet, port=5062):
    return PresenceUser(lab.namespace("inside"), name,
                        f"10.66.0.{last_octet}", port,
                        (lab.env["LAB_KAMAILIO_IP"], 5060))


def presence_user(lab, name, last_octet, port=5062):
    """For a fixture."""
    user = new_presence_user(lab, name, last_octet, port)
    yield user
    user.close()


def roster_user(lab, jid, resource="test", **more):
    """juliet@xmpp.example on Prosody or nurse@chat.example on ejabberd."""
    name, _, domain = jid.partition("@")
    host = {"xmpp.example": "LAB_PROSODY_IP",
            "chat.example": "LAB_EJABBERD_IP"}[domain]
    return RosterUser(lab.namespace("inet"), jid,
                      lab.env[f"LAB_{name.upper()}_PASSWORD"], lab.env[host],
                      resource=resource, **more)

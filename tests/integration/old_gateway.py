"""A stand-in for the old gateway: a Kamailio, as its SIP side would be, in
front of a user agent that answers for every XMPP user."""

import os
import pathlib
import subprocess
import time

from sip_user import SipUser

PROXY, AGENT = "10.66.0.26", "10.66.0.25"
URI = f"sip:{PROXY}:5060;transport=tcp"
CONFIG = f"""#!KAMAILIO
debug=1
log_stderror=yes
children=2
listen=udp:{PROXY}:5060
listen=tcp:{PROXY}:5060
tcp_source_ipv4={PROXY}
dns=no
rev_dns=no
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("tm", "fr_timer", 5000)

request_route {{
	if (!mf_process_maxfwd_header("10")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (is_method("OPTIONS") && uri == myself) {{
		sl_send_reply("200", "OK");
		exit;
	}}
	t_check_trans();
	if (!has_totag()) record_route();
	else loose_route();
	$du = "sip:{AGENT}:5080";
	if (!t_relay()) sl_reply_error();
}}
"""


class OldGateway(SipUser):
    """What SIP users write to its domains is in its inbox; .say() is what its
    XMPP users write to them."""

    def __init__(self, lab):
        super().__init__(lab.namespace("inside"), "old", AGENT, 5080,
                         (lab.env["LAB_KAMAILIO_IP"], 5060))
        self.folder = pathlib.Path(lab.env["LAB_STATE"]) / "old-gateway"
        self.folder.mkdir()
        config = self.folder / "kamailio.cfg"
        config.write_text(CONFIG)
        with (self.folder / "log").open("wb") as log:
            self._kamailio = subprocess.Popen(
                ["ip", "netns", "exec", lab.namespace("inside"), "kamailio",
                 "-DD", "-E", "-m", "64", "-M", "8", "-f", str(config), "-Y",
                 str(self.folder), "-w", str(self.folder)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self._wait(lab)

    def _wait(self, lab):
        until = time.monotonic() + 15
        while True:
            found = lab("exec", "inside", "ss", "-Hlnt", f"src = {PROXY}:5060")
            if found.stdout:
                return
            assert time.monotonic() < until, \
                (self.folder / "log").read_text(errors="replace")
            time.sleep(0.1)

    def signal(self, number):
        """To all processes of its proxy."""
        os.killpg(self._kamailio.pid, number)

    def say(self, sender, uri, text):
        """From one of its XMPP users; the final response."""
        return self.message(uri, text, from_header=f"<sip:{sender}>")

    def close(self):
        self._kamailio.terminate()
        self._kamailio.wait(15)
        super().close()


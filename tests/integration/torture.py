"""SIP that RFC 4475 and RFC 5118 would have a user agent survive: encodings of
our own, one for each of their cases, and what a gateway without INVITE,
REGISTER or dialogs may answer.

In a text, ME stands for the address the answer is to come to, T for the
transport and N for a token of its own; lines end in CRLF.  The outcome is the
set of statuses that are right; NOTHING: no answer at all, CLOSED: over TCP the
connection goes, with or without an answer before.
"""

NOTHING = None
CLOSED = "closed"


class Case:
    """One message under the id of its RFC."""

    def __init__(self, name, outcome, text, body=b"", tcp=None, header=None,
                 answers=1):
        self.name = name
        self.outcome = set(outcome)
        self.tcp = set(tcp) if tcp is not None else self.outcome
        self.header = header        # (name, part of its value) of the answer
        self.answers = answers      # at most so many
        self.text = text
        self.body = body

    def bytes(self, me, transport, token):
        head = self.text.replace("\n", "\r\n")
        for mark, value in (("<ME>", me), ("<T>", transport), ("<N>", token)):
            head = head.replace(mark, value)
        body = self.body if isinstance(self.body, bytes) else \
            self.body.replace("\n", "\r\n").encode()
        head = head.replace("<LEN>", str(len(body)))
        return head.encode("utf-8", "surrogateescape") + body


OFFER = """v=0
o=mercutio 1 1 IN IP4 192.0.2.15
s=-
c=IN IP4 192.0.2.15
t=0 0
m=audio 49217 RTP/AVP 0
"""

# --- RFC 4475 3.1.1: odd, but right ----------------------------------------

VALID = [
    # folding, white space around separators, leading zeros, compact forms,
    # escaped quotes, an empty Subject, a header that nobody knows
    Case("wsinv", [405], """INVITE sip:juliet@xmpp.example;unknownparam SIP/2.0
TO :
 sip:juliet@xmpp.example ;   tag    = 1918181833n
from   : "Mercutio \\\\\\"" <sip:mercutio@sip.example>
  ;
  tag = 98asjd8<N>
MaX-fOrWaRdS: 0068
Call-ID: wsinv.<N>@192.0.2.1
Content-Length   : <LEN>
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /<T>
    <ME>;branch=z9hG4bKwsinv<N>
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     192.0.2.15   ;
  branch  =   z9hG4bK30239k ,
  SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \\"\\"" <sip:mercutio@192.0.2.15> ; newparam =
      newvalue ;
  secondparam ; q = 0.33

""", OFFER, header=("CSeq", "9 INVITE")),
    # every character a method and a token may have
    Case("intmeth", [501], "!intr3sting-M3thod%0_*+`'.~ "
         "sip:1_o.k!~*'(),;?a&b=c+d$e%20f@xmpp.example SIP/2.0\n"
         "Via: SIP/2.0/<T> <ME>;branch=z9hG4bK-.!%66*_+`'~<N>\n"
         "To: \"BEL:\\\x07 DEL:\\\x7f\" "
         "<sip:1_o.k!~*'@xmpp.example>\n"
         "From: t0ken1~` toke2n'+_ t3oken%*!.- <sip:mundane@sip.example>"
         ";fromParam''~+*_!.-%=\"\u0440\u0430\u0431\u043e\u0442\u0430\""
         ";tag=_t0k.en+1-!*%~'`<N>\n"
         "Call-ID: intmeth%word~`'*-+.!_<N>@word!.%*-~`'+_\n"
         "CSeq: 139122385 !intr3sting-M3thod%0_*+`'.~\n"
         "Max-Forwards: 255\n"
         "extensionHeader-!.%*+_`'~: \ufeff\u5927\u505c\u96fb\n"
         "Content-Length: 0\n\n", header=("Allow", "MESSAGE")),
    # its other half, a NUL, is right by the letter; strings end there for
    # the library, so it is refused rather than taken for less (over TCP it
    # waits for more, until the connection goes)
    Case("intmeth NUL", [400, 501], """FOO sip:juliet@xmpp.example SIP/2.0
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKnul<N>
To: "NUL:\\\x00" <sip:juliet@xmpp.example>
From: <sip:romeo@sip.example>;tag=nul<N>
Call-ID: nul.<N>
CSeq: 1 FOO
Content-Length: 0

""", tcp=[400, 501, NOTHING]),
    # an escaped "sips:" inside the user is part of a name, no scheme
    Case("esc01", [405], """INVITE sip:sips%3Auser%40sip.example@xmpp.example SIP/2.0
To: sip:%75se%72@xmpp.example
From: <sip:I%20have%20spaces@sip.example>;tag=esc<N>
Max-Forwards: 87
i: esc01.<N>
CSeq: 234234 INVITE
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKesc01<N>
Contact: <sip:caller@192.0.2.1;%6C%72;n%61me=v%61lue%25%34%31>
C: application/sdp
L: <LEN>

""", OFFER),
    Case("escnull", [405], """REGISTER sip:sip.example SIP/2.0
To: sip:null-%00-null@sip.example
From: sip:null-%00-null@sip.example;tag=839923<N>
Max-Forwards: 70
Call-ID: escnull.<N>
CSeq: 14398234 REGISTER
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKescnull<N>
Contact: <sip:%00@192.0.2.6>
Contact: <sip:%00%00@192.0.2.6>
L:0

"""),
    # a percent sign is no escape in a method or a header's name
    Case("esc02", [501], """RE%47IST%45R sip:registrar.sip.example SIP/2.0
To: "%Z%45" <sip:resource@sip.example>
From: "%Z%45" <sip:resource@sip.example>;tag=f232<N>
Call-ID: esc02.<N>
CSeq: 29344 RE%47IST%45R
Max-Forwards: 70
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKesc02%1z<N>
C%6Fntact: <sip:alias1@host1.sip.example>
Contact: <sip:alias2@host2.sip.example>
l: 0

"""),
    Case("lwsdisp", [200], """OPTIONS sip:juliet@xmpp.example SIP/2.0
To: sip:juliet@xmpp.example
From: romeo<sip:romeo@sip.example>;tag=323<N>
Max-Forwards: 70
Call-ID: lwsdisp.<N>
CSeq: 60 OPTIONS
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKlwsdisp<N>
l: 0

"""),
    Case("longreq", [405], "INVITE sip:juliet@xmpp.example SIP/2.0\n"
         "To: \"I have a user name of " + "extreme " * 60 + "length\" "
         "<sip:juliet@xmpp.example:6000;unknownparam1=very" + "long" * 40 +
         "value;longparam" + "name" * 60 + "=shortvalue;very" + "long" * 60 +
         "ParameterNameWithNoValue>\n"
         "F: sip:amazinglylongcallername" + "A" * 500 + "@sip.example"
         ";tag=12" + "982424" * 80 + "<N>;unknownheaderparam" + "name" * 30 +
         "=unknown" + "value" * 40 + "\n"
         "Call-ID: longreq.one" + "really" * 60 + "longcallid<N>\n"
         "CSeq: 3882340 INVITE\n"
         "Unknown-" + "Long" * 40 + "-Name: unknown-" + "long" * 100 +
         "-value; unknown-" + "long" * 40 + "-parameter-name=x\n"
         "Via: SIP/2.0/<T> <ME>;branch=z9hG4bKlongreq<N>\n" +
         "".join(f"Via: SIP/2.0/TCP sip{i}.sip.example\n"
                 for i in range(33, 0, -1)) +
         "Max-Forwards: 70\n"
         "Contact: <sip:amazingly" + "long" * 60 + "callername@192.0.2.1>\n"
         "Content-Type: application/sdp\nl: <LEN>\n\n", OFFER),
    # what follows the body in the datagram is not looked at
    Case("dblreq", [405], """REGISTER sip:sip.example SIP/2.0
To: sip:romeo@sip.example
From: sip:romeo@sip.example;tag=43251<N>
Max-Forwards: 8
Call-ID: dblreq.<N>
CSeq: 8 REGISTER
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKdblreq<N>
Content-Length: 0


INVITE sip:juliet@xmpp.example SIP/2.0
To: sip:juliet@xmpp.example
From: sip:romeo@sip.example;tag=141334<N>
Max-Forwards: 8
Call-ID: dblreq2.<N>
CSeq: 8 INVITE
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKdblreq2<N>
Content-Length: 0

"""),
    Case("semiuri", [200], """OPTIONS sip:user;par=u%40sip.example@xmpp.example SIP/2.0
To: sip:romeo@xmpp.example
From: sip:romeo@sip.example;tag=33242<N>
Max-Forwards: 3
Call-ID: semiuri.<N>
CSeq: 8 OPTIONS
Accept: application/sdp, application/pkcs7-mime,
        multipart/mixed, multipart/signed,
        message/sip, message/sipfrag
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKsemiuri<N>
l: 0

"""),
    Case("transports", [200], """OPTIONS sip:juliet@xmpp.example SIP/2.0
To: sip:juliet@xmpp.example
From: <sip:romeo@sip.example>;tag=323<N>
Max-Forwards: 70
Call-ID: transports.<N>
Accept: application/sdp
CSeq: 60 OPTIONS
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKtransports<N>
Via: SIP/2.0/SCTP t2.sip.example;branch=z9hG4bKklasjdhf
Via: SIP/2.0/TLS t3.sip.example;branch=z9hG4bK2980unddj
Via: SIP/2.0/UNKNOWN t4.sip.example;branch=z9hG4bKasd0f3en
Via: SIP/2.0/TCP t5.sip.example;branch=z9hG4bK0a9idfnee
l: 0

"""),
    # the length says where a body with NULs ends; its first text is taken
    Case("mpart01", [200], """MESSAGE sip:juliet@xmpp.example SIP/2.0
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKmpart01<N>
Max-Forwards: 70
Route: <sip:xmpp.example;lr>
From: <sip:romeo@sip.example>;tag=2fb0dcc9<N>
To: <sip:juliet@xmpp.example>
Call-ID: mpart01.<N>
CSeq: 1 MESSAGE
Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
MIME-Version: 1.0
User-Agent: Of-Our-Own/1.0
Content-Length: <LEN>

""", b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n"
         b"Content-Transfer-Encoding: binary\r\n\r\nHello from a part"
         b"\r\n--7a9cbec02ceef655\r\n"
         b"Content-Type: application/octet-stream\r\n"
         b"Content-Transfer-Encoding: binary\r\n\r\n"
         b"\x30\x82\x00\x00\x01\x52\x06\x09\x00\xff\xfe"
         b"\r\n--7a9cbec02ceef655--\r\n"),
    Case("unreason", [NOTHING],
         "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e\n"
         "Via: SIP/2.0/<T> <ME>;branch=z9hG4bK1324923<N>\n"
         "Call-ID: unreason.<N>\nCSeq: 35 INVITE\n"
         "From: sip:romeo@sip.example;tag=11141343<N>\n"
         "To: sip:juliet@xmpp.example;tag=2229\nContent-Length: <LEN>\n"
         "Content-Type: application/sdp\nContact: <sip:user@192.0.2.1>\n\n",
         OFFER),
    Case("noreason", [NOTHING], """SIP/2.0 100 \nVia: SIP/2.0/<T> <ME>;branch=z9hG4bK2398ndaoe<N>
Call-ID: noreason.<N>
CSeq: 35 INVITE
From: <sip:romeo@sip.example>;tag=39ansfi3<N>
To: <sip:juliet@xmpp.example>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@host105.sip.example>

"""),
]


def plain(method, uri, *lines, **changes):
    """A right request; `changes` replaces the value of a header by name with
    _ for -, None leaves the header out."""
    fields = {
        "Via": "SIP/2.0/<T> <ME>;branch=z9hG4bKplain<N>",
        "Max-Forwards": "70",
        "From": "<sip:romeo@sip.example>;tag=88<N>",
        "To": "<sip:juliet@xmpp.example>",
        "Call-ID": "plain.<N>",
        "CSeq": f"1 {method}",
        "Content-Length": "<LEN>",
    }
    for name, value in changes.items():
        fields[name.replace("_", "-")] = value
    head = [f"{method} {uri} SIP/2.0" if uri else method]
    head += [f"{k}: {v}" for k, v in fields.items() if v is not None]
    return "\n".join([*head, *lines, "", ""])


JULIET = "sip:juliet@xmpp.example"

# --- RFC 4475 3.1.2: wrong -------------------------------------------------

INVALID = [
    # without a Via that can be read there is no way back for an answer
    Case("badinv01", [400, NOTHING], plain(
        "INVITE", JULIET, "Contact: \"Joe\" <sip:joe@sip.example>;;;;",
        Via="SIP/2.0/<T> <ME>;branch=z9hG4bKbadinv01<N>;;,;,,"),
         tcp=[400, CLOSED]),
    Case("badinv01 Contact", [400], plain(
        "INVITE", JULIET, "Contact: \"Joe\" <sip:joe@sip.example>;;;;,,;")),
    # over TCP the rest is waited for, until the connection goes
    Case("clerr", [400, NOTHING], plain(
        "MESSAGE", JULIET, "Content-Type: text/plain", Content_Length="9999"),
         b"too short", tcp=[NOTHING]),
    Case("ncl", [400], plain(
        "INVITE", JULIET, "Content-Type: application/sdp",
        Content_Length="-999"), OFFER, tcp=[400, CLOSED]),
    Case("scalar02", [400], plain(
        "REGISTER", "sip:sip.example", "Contact: <sip:a@192.0.2.9>;expires="
        "280297596632815", "Expires: 10000000000000000000000000000",
        CSeq="36893488147419103232 REGISTER", Max_Forwards="300")),
    # each alone is no ground for a refusal
    Case("scalar02 Max-Forwards", [200, 400], plain(
        "OPTIONS", JULIET, Max_Forwards="300")),
    Case("scalar02 Expires", [200, 400], plain(
        "MESSAGE", JULIET, "Content-Type: text/plain",
        "Expires: 10000000000000000000000000000"), b"forever"),
    Case("scalarlg", [NOTHING], """SIP/2.0 503 Service Unavailable
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKzzxdiwo34sw<N>
To: <sip:juliet@xmpp.example>
From: <sip:romeo@sip.example>;tag=2easdjfejw<N>
CSeq: 9292394834772304023312 OPTIONS
Call-ID: scalarlg.<N>
Retry-After: 949302838503028349304023988
Warning: 1812 overture "In Progress"
Content-Length: 0

"""),
    Case("quotbal", [400], plain(
        "INVITE", JULIET, To="\"Mr. J. User <sip:juliet@xmpp.example>")),
    Case("ltgtruri", [400], plain("INVITE", f"<{JULIET}>")),
    Case("lwsruri", [400], plain("INVITE",
                                 "sip:juliet@xmpp.example; lr;name=x")),
    Case("lwsstart", [400, 405], plain("INVITE  " + JULIET + "  SIP/2.0", "",
                                       CSeq="1 INVITE")),
    Case("trws", [400, 405, 200], plain("OPTIONS " + JULIET + " SIP/2.0  ",
                                        "", CSeq="1 OPTIONS")),
    Case("escruri", [400, 405], plain(
        "INVITE", JULIET + "?Route=%3Csip:example.com%3E")),
    Case("baddate", [400, 405], plain(
        "INVITE", JULIET, "Date: Fri, 01 Jan 2010 16:00:00 EST")),
    Case("regbadct", [400, 405], plain(
        "REGISTER", "sip:sip.example",
        "Contact: sip:user@sip.example?Route=%3Csip:sip.example%3E")),
    Case("badaspec", [400], plain(
        "OPTIONS", JULIET, To="\"Watson, Thomas\" < sip:juliet@xmpp.example >")),
    Case("baddn", [400], plain(
        "OPTIONS", JULIET, From="Bell, Alexander <sip:a@sip.example>;tag=4<N>")),
    Case("badvers", [505], plain("OPTIONS " + JULIET + " SIP/7.0", "",
                                 Via="SIP/7.0/<T> <ME>;branch=z9hG4bKv7<N>",
                                 CSeq="1 OPTIONS")),
    Case("mismatch01", [400], plain("OPTIONS", JULIET, CSeq="8 INVITE")),
    Case("mismatch02", [400, 501], plain("NEWMETHOD", JULIET,
                                         CSeq="8 INVITE")),
    Case("bigcode", [NOTHING], """SIP/2.0 4294967301 better not break the receiver
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKbigcode<N>
Call-ID: bigcode.<N>
CSeq: 353494 INVITE
From: <sip:romeo@sip.example>;tag=39ansfi3<N>
To: <sip:juliet@xmpp.example>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@host105.sip.example>

"""),
]

# --- RFC 4475 3.2 to 3.4: transactions, the application, backwards ----------

APPLICATION = [
    Case("badbranch", [200, 400], plain(
        "OPTIONS", JULIET, Via="SIP/2.0/<T> <ME>;branch=z9hG4bK")),
    Case("insuf", [400, NOTHING], plain(
        "INVITE", JULIET, From=None, To=None, Call_ID=None)),
    Case("unkscm", [416], plain(
        "OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent")),
    Case("novelsc", [416], plain("OPTIONS", "soap.beep://192.0.2.103:3002")),
    Case("unksm2", [400, 405], plain(
        "REGISTER", "sip:sip.example",
        "Contact: <name:John_Smith>", To="isbn:2983792873",
        From="<http://www.sip.example>;tag=3234<N>")),
    Case("bext01", [420], plain(
        "OPTIONS", JULIET, "Require: nothingSupportsThis, nothingSupportsThisEither",
        "Proxy-Require: noProxiesSupportThis"),
         header=("Unsupported", "nothingSupportsThisEither")),
    # MESSAGE instead of INVITE, which is refused before its body is looked at
    Case("invut", [415], plain(
        "MESSAGE", JULIET, "Content-Type: application/unknownformat"),
         b"<audio><pcmu port=\"443\"/></audio>", header=("Accept", "text/plain")),
    Case("regaut01", [405], plain(
        "REGISTER", "sip:sip.example",
        "Authorization: NoOneKnowsThisScheme opaque-data=here",
        "Contact: <sip:joe@192.0.2.1>")),
    Case("multi01", [400], plain(
        "MESSAGE", JULIET, "CSeq: 8 INVITE", "Call-ID: multi01.second",
        "From: sip:other@sip.example;tag=3413415",
        "To: sip:other@xmpp.example", "Content-Type: text/plain"), b"twice"),
    # the longer one: over TCP the end of the message would be in doubt
    Case("mcl01", [400], plain(
        "MESSAGE", JULIET, "Content-Type: text/plain", "Content-Length: 5"),
         b"There's no way to know how many octets are supposed to be here.",
         tcp=[400, CLOSED]),
    Case("bcast", [NOTHING], """SIP/2.0 200 OK
Via: SIP/2.0/<T> <ME>;branch=z9hG4bKbcast<N>
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
Call-ID: bcast.<N>
CSeq: 35 INVITE
From: <sip:romeo@sip.example>;tag=11141343<N>
To: <sip:juliet@xmpp.example>;tag=2229
Content-Length: <LEN>
Content-Type: application/sdp
Contact: <sip:user@192.0.2.1>

""", OFFER),
    Case("zeromf", [200], plain("OPTIONS", JULIET, Max_Forwards="0")),
    Case("cparam01", [405], plain(
        "REGISTER", "sip:sip.example",
        "Contact: sip:+19725552222@gw1.sip.example;unknownparam")),
    Case("cparam02", [405], plain(
        "REGISTER", "sip:sip.example",
        "Contact: <sip:+19725552222@gw1.sip.example;unknownparam>")),
    Case("regescrt", [405], plain(
        "REGISTER", "sip:sip.example",
        "Contact: <sip:user@sip.example?Route=%3Csip:sip.example%3E>")),
    Case("sdp01", [400, 405, 406], plain(
        "INVITE", JULIET, "Accept: text/nobodyKnowsThis",
        "Contact: <sip:romeo@192.0.2.5>", "Content-Type: application/sdp"),
         OFFER),
    Case("inv2543", [405], plain(
        "INVITE", JULIET, "Content-Type: application/sdp",
        Via="SIP/2.0/<T> <ME>", From="<sip:romeo@sip.example>",
        Max_Forwards=None, Content_Length=None), OFFER, tcp=[400, CLOSED]),
]

# --- RFC 5118 ---------------------------------------------------------------

IPV6 = [
    Case("ipv6-good", [405], plain(
        "REGISTER", "sip:[2001:db8::10]", "Contact: \"Caller\" "
        "<sip:romeo@[2001:db8::1]>",
        Via="SIP/2.0/<T> <ME>;branch=z9hG4bKgood<N>",
        From="sip:romeo@sip.example;tag=81x2<N>",
        To="sip:romeo@sip.example")),
    Case("ipv6-bad", [400], plain("REGISTER", "sip:2001:db8::10",
                                  To="sip:romeo@sip.example")),
    Case("port-ambiguous", [405], plain("REGISTER", "sip:[2001:db8::10:5070]",
                                        To="sip:romeo@sip.example")),
    Case("port-unambiguous", [405], plain("REGISTER",
                                          "sip:[2001:db8::10]:5070",
                                          To="sip:romeo@sip.example")),
    Case("via-received-param-with-delim", [405], plain(
        "INVITE", JULIET, "Via: SIP/2.0/UDP [2001:db8::9:1];"
        "received=[2001:db8::9:255];branch=z9hG4bKas3-111")),
    Case("via-received-param-no-delim", [405], plain(
        "INVITE", JULIET, "Via: SIP/2.0/UDP [2001:db8::9:1];"
        "received=2001:db8::9:255;branch=z9hG4bKas3")),
    Case("ipv6-in-sdp", [405], plain(
        "INVITE", "sip:juliet@[2001:db8::10]", "Content-Type: application/sdp",
        "Contact: \"Caller\" <sip:romeo@[2001:db8::20]>"),
         OFFER.replace("IP4 192.0.2.15", "IP6 2001:db8::20")),
    Case("mult-ip-in-sdp", [405], plain(
        "INVITE", "sip:juliet@[2001:db8::10]", "Content-Type: application/sdp",
        "Contact: \"Caller\" <sip:romeo@[2001:db8::9:1]>"),
         OFFER + "m=video 6024 RTP/AVP 107\nc=IN IP6 2001:db8::1\n"),
    Case("mult-ip-in-header", [405], plain(
        "INVITE", JULIET, "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;"
        "branch=z9hG4bKas3-111", "Via: SIP/2.0/TCP 192.0.2.1:5060;"
        "branch=z9hG4bKas")),
    Case("ipv4-mapped-ipv6", [405], plain(
        "INVITE", JULIET, "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;"
        "branch=z9hG4bKbh19", "Via: SIP/2.0/UDP [::ffff:192.0.2.2]:5060;"
        "branch=z9hG4bKbh20", "Contact: <sip:romeo@[::ffff:192.0.2.10]:19823>")),
    Case("ipv6-bug-abnf-3-colons", [200, 400], plain(
        "OPTIONS", "sip:juliet@[2001:db8:::192.0.2.1]",
        To="sip:juliet@[2001:db8:::192.0.2.1]")),
    Case("ipv6-correct-abnf-2-colons", [200], plain(
        "OPTIONS", "sip:juliet@[2001:db8::192.0.2.1]",
        To="sip:juliet@[2001:db8::192.0.2.1]")),
]

# --- the same for event subscriptions ----------------------------------------

WATCH = [200]
TAGGED = "<sip:juliet@xmpp.example>;tag=of-no-dialog"


def subscribe(*lines, uri=JULIET, **changes):
    return plain("SUBSCRIBE", uri, "Contact: <sip:romeo@192.0.2.9>", *lines,
                 **changes)


def notify(*lines, **changes):
    return plain("NOTIFY", "sip:10.0.0.1:5060;transport=tcp", *lines,
                 **{"To": TAGGED, **changes})


PIDF = "Content-Type: application/pidf+xml"
ACTIVE = "Subscription-State: active;expires=60"

EVENTS = [
    Case("subscribe", WATCH, subscribe("Event: presence")),
    # wsinv as a SUBSCRIBE
    Case("wssub", WATCH, """SUBSCRIBE sip:juliet@xmpp.example;unknownparam SIP/2.0
TO :
 sip:juliet@xmpp.example
f   : "Mercutio \\\"" <sip:mercutio@sip.example>
  ;
  tag = 98asjd8<N>
MaX-fOrWaRdS: 0068
i: wssub.<N>@192.0.2.1
l   : <LEN>
cseq: 0009
  SUBSCRIBE
v  : SIP  /   2.0
 /<T>
    <ME>;branch=z9hG4bKwssub<N>
o:
 presence
m:"Mercutio, M."
 <sip:mercutio@192.0.2.9>;q=0.1
EXPIRES : 0000000000600
accept: text/plain;x=", y", application/pidf+xml ;
 q = 0.1
record-route: <sip:p1.sip.example;lr>,
 <sip:p2.sip.example;lr>

"""),
    Case("event other", [489], subscribe("Event: dialog"),
         header=("Allow-Events", "presence")),
    Case("event none", [489], subscribe(), header=("Allow-Events", "presence")),
    Case("event twice", [400], subscribe("Event: presence", "o: presence"),
         tcp=[400, CLOSED]),
    Case("event empty", [400], subscribe("Event: "), tcp=[400, CLOSED]),
    Case("event NUL", [400, NOTHING], subscribe("Event: presence\x00.winfo"),
         tcp=[400, CLOSED, NOTHING]),
    Case("accept other", [406], subscribe(
        "Event: presence", "Accept: application/xpidf+xml, */*;q=0"),
         header=("Accept", "application/pidf+xml")),
    Case("accept nothing", [406], subscribe("Event: presence", "Accept: ")),
    Case("accept malformed", [400], subscribe("Event: presence",
                                              "Accept: pidf")),
    # the library does not unfold there
    Case("accept folded", [400, *WATCH], subscribe(
        "Event: presence", "Accept: application/pidf+xml", " ;q=0.1")),
    Case("expires huge", WATCH, subscribe(
        "Event: presence", "Expires: 10000000000000000000000000000")),
    Case("expires date", [400], subscribe("Event: presence", "Expires: soon"),
         tcp=[400, CLOSED]),
    Case("expires twice", [400], subscribe("Event: presence", "Expires: 0",
                                           "Expires: 60"),
         tcp=[400, CLOSED]),
    Case("contact none", [400], plain("SUBSCRIBE", JULIET, "Event: presence")),
    Case("contact star", [400], plain("SUBSCRIBE", JULIET, "Event: presence",
                                      "Contact: *")),
    Case("contact foreign", [400], plain(
        "SUBSCRIBE", JULIET, "Event: presence", "Contact: <tel:+1>")),
    Case("contact long", [513], plain(
        "SUBSCRIBE", JULIET, "Event: presence",
        "Contact: <sip:" + "a" * 1100 + "@192.0.2.9>")),
    Case("routes long", [513], subscribe(
        "Event: presence", *["Record-Route: <sip:p.sip.example;lr>"] * 300)),
    Case("subscribe sips", [480], subscribe(
        "Event: presence", uri="sips:juliet@xmpp.example"),
         header=("Warning", "SIPS Not Allowed")),
    Case("subscribe to ours", [404], subscribe(
        "Event: presence", uri="sip:tybalt@sip.example")),
    Case("subscribe no user", [404], subscribe(
        "Event: presence", uri="sip:xmpp.example")),
    Case("subscribe NUL", [400, 404], subscribe(
        "Event: presence", uri="sip:null-%00-null@xmpp.example")),
    Case("subscribe stranger", [403], subscribe(
        "Event: presence", From="<sip:romeo@evil.example>;tag=3<N>")),
    Case("subscribe no tag", [400], subscribe(
        "Event: presence", From="<sip:romeo@sip.example>")),
    Case("subscribe require", [420], subscribe(
        "Event: presence", "Require: eventlist"),
         header=("Unsupported", "eventlist")),
    Case("subscribe no dialog", [481], subscribe("Event: presence", To=TAGGED)),
    Case("notify no dialog", [481], notify("Event: presence", ACTIVE, PIDF),
         b"<presence/>"),
    Case("notify no tag", [481], notify("Event: presence", ACTIVE,
                                        To="<sip:juliet@xmpp.example>")),
    Case("notify no state", [400], notify("Event: presence", PIDF),
         b"<presence/>"),
    Case("notify states", [400], notify(
        "Event: presence", ACTIVE, "subscription-state: terminated"),
         tcp=[400, CLOSED]),
    Case("notify other", [489], notify("Event: dialog", ACTIVE),
         header=("Allow-Events", "presence")),
    Case("notify type", [415], notify(
        "Event: presence", ACTIVE, "Content-Type: application/xpidf+xml"),
         b"<presence/>", header=("Accept", "application/pidf+xml")),
    Case("notify gzip", [415], notify(
        "Event: presence", ACTIVE, PIDF, "Content-Encoding: gzip"),
         b"\x1f\x8b", header=("Accept-Encoding", "identity")),
    Case("publish", [405], plain("PUBLISH", JULIET, "Event: presence", PIDF),
         b"<presence/>", header=("Allow", "SUBSCRIBE, NOTIFY")),
]

# --- not SIP at all: nothing is due, but to live ------------------------------


def junk(name, data):
    return Case(name, [], "", data)


JUNK = [
    junk("nothing", b"\x00"),
    junk("zeros", b"\x00" * 1200),
    junk("ones", b"\xff" * 1200),
    junk("line ends", b"\r\n" * 600),
    junk("stun", b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"s" * 12),
    junk("stun with a wrong length", b"\x00\x01\xff\xff\x21\x12\xa4\x42x"),
    junk("sigcomp", b"\xf8\x00\xa1" + b"\x00" * 40),
    junk("tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 500),
    junk("http", b"GET / HTTP/1.1\r\nHost: gw1\r\n\r\n"),
    junk("xml", b"<?xml version='1.0'?><stream:stream to='x'>"),
    junk("endless line", b"MESSAGE " + b"sip:" + b"a" * 60000),
    junk("status without end", b"SIP/2.0 " + b"2" * 60000 + b"\r\n\r\n"),
    junk("no headers", b"OPTIONS sip:x SIP/2.0\r\n\r\n"),
    junk("headers without names", b"OPTIONS sip:x SIP/2.0\r\n" +
         b": x\r\n" * 3000 + b"\r\n"),
    junk("many headers", b"OPTIONS sip:x SIP/2.0\r\n" + b"A: b\r\n" * 9000 +
         b"\r\n"),
    junk("many vias", b"OPTIONS sip:x SIP/2.0\r\n" +
         b"Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\n" * 1500 + b"\r\n"),
    junk("endless folding", b"OPTIONS sip:x SIP/2.0\r\nSubject: a" +
         b"\r\n " * 20000 + b"\r\n\r\n"),
    junk("commas", b"OPTIONS sip:x SIP/2.0\r\nContact: " + b"," * 60000 +
         b"\r\n\r\n"),
    junk("quotes", b"OPTIONS sip:x SIP/2.0\r\nTo: " + b'"\\' * 30000 +
         b"\r\n\r\n"),
]

CASES = VALID + INVALID + APPLICATION + IPV6 + EVENTS

/* The 18 combinations of tls, sasl and dialback, as Lync Server 2013 documents
 * them ("negotiation settings for XMPP federated partners"). */
#include "fe-gateway/core/federation_priv.h"

#define SASL "SASL EXTERNAL over TLS"
#define TLS_DIALBACK "dialback over TLS"
#define TCP_DIALBACK "dialback over TCP"
#define SASL_NEEDS_TLS \
	"SASL needs TLS, and TLS is not certain: negotiation may fail"
#define NO_DIALBACK "dialback will not operate, since SASL is required"
#define NO_TLS                                                             \
	"without TLS SASL is impossible, and dialback is off: nothing is " \
	"left to authenticate with (tls: required or optional, or "        \
	"dialback: on)"
#define NO_METHOD                                                        \
	"SASL is not supported and dialback is off: nothing is left to " \
	"authenticate with (sasl: required or optional, or dialback: on)"
#define OTHER_END "the other end decides whether there is TLS"

enum { NEEDS = FED__NEED__OFF + 1 };

/* by tls, sasl, dialback */
static const struct federation_row rows[NEEDS][NEEDS][2] = {
	[FED__NEED__REQUIRED] =
		{
			[FED__NEED__REQUIRED] = {{SASL, NULL, false},
						 {SASL, NO_DIALBACK, true}},
			[FED__NEED__OPTIONAL] = {{SASL, NULL, false},
						 {SASL ", " TLS_DIALBACK, NULL,
						  false}},
			[FED__NEED__OFF] = {{NULL, NO_METHOD, false},
					    {TLS_DIALBACK, NULL, false}},
		},
	[FED__NEED__OPTIONAL] =
		{
			[FED__NEED__REQUIRED] = {{SASL, SASL_NEEDS_TLS, true},
						 {SASL ", " TLS_DIALBACK
						       ", " TCP_DIALBACK,
						  SASL_NEEDS_TLS, true}},
			[FED__NEED__OPTIONAL] = {{SASL, SASL_NEEDS_TLS, true},
						 {SASL ", " TLS_DIALBACK
						       ", " TCP_DIALBACK,
						  SASL_NEEDS_TLS, true}},
			[FED__NEED__OFF] = {{NULL, NO_METHOD, false},
					    {TLS_DIALBACK ", " TCP_DIALBACK,
					     OTHER_END, false}},
		},
	[FED__NEED__OFF] =
		{
			[FED__NEED__REQUIRED] = {{NULL, NO_TLS, false},
						 {TCP_DIALBACK, SASL_NEEDS_TLS,
						  true}},
			[FED__NEED__OPTIONAL] = {{NULL, NO_TLS, false},
						 {TCP_DIALBACK, SASL_NEEDS_TLS,
						  true}},
			[FED__NEED__OFF] = {{NULL, NO_METHOD, false},
					    {TCP_DIALBACK, NULL, false}},
		},
};

const struct federation_row *federation_row(const Fed__PartnerRecord *p)
{
	static const struct federation_row unknown = {
		NULL, "tls and sasl are required, optional or not-supported",
		false};

	if ((unsigned)p->tls >= NEEDS || (unsigned)p->sasl >= NEEDS)
		return &unknown;
	return &rows[p->tls][p->sasl][p->dialback ? 1 : 0];
}

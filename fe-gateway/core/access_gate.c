/* Gates in logs and counters. */
#include "fe-gateway/core/access.h"

const char *access_gate_name(enum access_gate gate)
{
	switch (gate) {
	case ACCESS_SWITCH:
		return "switch";
	case ACCESS_POLICY:
		return "policy";
	case ACCESS_PARTNER:
		return "partner";
	case ACCESS_TYPE:
		return "type";
	case ACCESS_GATES:
		break;
	}
	return "none";
}

enum metric access_gate_metric(enum access_gate gate)
{
	switch (gate) {
	case ACCESS_SWITCH:
		return METRIC_refused_switch;
	case ACCESS_POLICY:
		return METRIC_refused_policy;
	case ACCESS_TYPE:
		return METRIC_refused_type;
	case ACCESS_PARTNER:
	case ACCESS_GATES:
		break;
	}
	return METRIC_refused_partner;
}

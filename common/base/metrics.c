/* Names of the counters. */
#include "base/metrics.h"

const char *metrics_name(enum metric which)
{
	static const char *const names[] = {
#define METRICS_NAME(name, help) #name,
		METRICS(METRICS_NAME)
#undef METRICS_NAME
	};

	return which < METRIC_COUNT ? names[which] : "?";
}

const char *metrics_help(enum metric which)
{
	static const char *const helps[] = {
#define METRICS_HELP(name, help) help,
		METRICS(METRICS_HELP)
#undef METRICS_HELP
	};

	return which < METRIC_COUNT ? helps[which] : "?";
}

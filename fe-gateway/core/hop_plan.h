/*
 * RFC 3263 4: from the URI of a next hop to its targets.  Pure: says what to
 * ask DNS for, is told the records, and asks again until it knows.
 */
#ifndef FED_GATEWAY_HOP_PLAN_H
#define FED_GATEWAY_HOP_PLAN_H

#include "base/limits.h"
#include "fe-gateway/core/next_hop.h"

enum hop_plan_type {
	HOP_PLAN_A = 1,
	HOP_PLAN_AAAA = 28,
	HOP_PLAN_SRV = 33,
	HOP_PLAN_NAPTR = 35,
};

/* Whatever belongs to one service or one host. */
enum {
	HOP_PLAN_NAME_BYTES = SIP_HOST_BYTES + 16,
	HOP_PLAN_QUESTIONS = 2 * LIMIT_HOP_TARGETS,
};

struct hop_plan_question {
	char name[HOP_PLAN_NAME_BYTES];
	enum hop_plan_type type;
	size_t about; /* index of the service or the host */
	bool has_failed;
};

/* A service that is asked for SRV; a host that is asked for addresses. */
struct hop_plan_item {
	enum sip_transport transport;
	uint16_t order;
	uint16_t preference; /* SRV: priority */
	uint16_t weight;
	uint16_t port;
	unsigned service; /* of a host: the service it belongs to */
	char name[HOP_PLAN_NAME_BYTES];
};

enum hop_plan_state {
	HOP_PLAN_ASK, /* questions[0..question_count) */
	HOP_PLAN_FOUND,
	HOP_PLAN_NOT_FOUND,
	HOP_PLAN_FAILED,
};

enum hop_plan_stage { HOP_STAGE_NAPTR, HOP_STAGE_SRV, HOP_STAGE_ADDRESS };

struct hop_plan {
	struct hop_uri uri;
	unsigned transports; /* 1 << transport */
	enum hop_plan_stage stage;
	struct hop_plan_question questions[HOP_PLAN_QUESTIONS];
	size_t question_count;
	struct hop_plan_item services[SIP_TRANSPORTS];
	size_t service_count;
	bool has_naptr; /* records of any kind */
	bool has_srv;	/* the same: no fall-back to the domain itself */
	struct hop_plan_item hosts[LIMIT_HOP_TARGETS];
	size_t host_count;
	struct next_hop_found found[LIMIT_HOP_TARGETS];
	size_t count;
	uint64_t ttl_ms; /* the least of all answers */
};

/** Begin; a numeric address is not for here. */
enum hop_plan_state hop_plan_begin(struct hop_plan *p,
				   const struct hop_uri *uri,
				   unsigned transports);

/** One record of the answer to question i. */
void hop_plan_record(struct hop_plan *p, size_t i, struct span rdata,
		     uint32_t ttl_s);

/** Question i has no answer, which is not the same as none there. */
void hop_plan_failed(struct hop_plan *p, size_t i);

/** All questions are answered. */
enum hop_plan_state hop_plan_step(struct hop_plan *p);

#endif

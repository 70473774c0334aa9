/* XEP-0082: calendar arithmetic without the C library's time zone. */
#include "edge-proxy/core/stamp.h"

#include <stdio.h>

static const int64_t MS_PER_DAY = 86400000;
static const int64_t MS_MIN = -62135596800000; /* 0001-01-01T00:00:00Z */
static const int64_t MS_MAX = 253402300799999; /* 9999-12-31T23:59:59.999Z */

/* Days since 1970-01-01 in the Gregorian calendar; the year begins in March
 * so that the leap day is its last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468; /* not negative: MS_MIN */
	int64_t era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

static int days_in_month(int64_t year, int64_t month)
{
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	switch (month) {
	case 2:
		return is_leap ? 29 : 28;
	case 4:
	case 6:
	case 9:
	case 11:
		return 30;
	default:
		return 31;
	}
}

/* n digits at the front of *in, then the character `behind` (0: none). */
static bool take_number(struct span *in, size_t n, char behind, int64_t *out)
{
	size_t all = behind == 0 ? n : n + 1;
	uint32_t value;

	if (in->n < all || span_to_u32(span_sub(*in, 0, n), &value) != 0 ||
	    (behind != 0 && in->p[n] != behind))
		return false;
	*out = value;
	*in = span_sub(*in, all, in->n);
	return true;
}

static bool take_date(struct span *in, int64_t *days_out)
{
	int64_t year;
	int64_t month;
	int64_t day;

	if (!take_number(in, 4, '-', &year) ||
	    !take_number(in, 2, '-', &month) || !take_number(in, 2, 'T', &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month))
		return false;
	*days_out = days_of(year, month, day);
	return true;
}

/* ".sss", any number of digits. */
static bool take_fraction(struct span *in, int64_t *ms_out)
{
	int64_t scale = 100;
	size_t i = 1;

	*ms_out = 0;
	if (in->n == 0 || in->p[0] != '.')
		return true;
	for (; i < in->n && in->p[i] >= '0' && in->p[i] <= '9'; i++) {
		*ms_out += (in->p[i] - '0') * scale;
		scale /= 10;
	}
	*in = span_sub(*in, i, in->n);
	return i > 1;
}

static bool take_time(struct span *in, int64_t *ms_out)
{
	int64_t hour;
	int64_t minute;
	int64_t second;
	int64_t ms;

	if (!take_number(in, 2, ':', &hour) ||
	    !take_number(in, 2, ':', &minute) ||
	    !take_number(in, 2, 0, &second) || !take_fraction(in, &ms))
		return false;
	/* 60: a leap second */
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*ms_out = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
	return true;
}

/* "Z" or "+hh:mm" or "-hh:mm", and nothing behind it. */
static bool take_zone(struct span in, int64_t *ms_out)
{
	int64_t sign;
	int64_t hour;
	int64_t minute;

	*ms_out = 0;
	if (span_eq(in, SPAN_LIT("Z")))
		return true;
	if (in.n != 6 || (in.p[0] != '+' && in.p[0] != '-'))
		return false;
	sign = in.p[0] == '+' ? 1 : -1;
	in = span_sub(in, 1, in.n);
	if (!take_number(&in, 2, ':', &hour) ||
	    !take_number(&in, 2, 0, &minute) || hour > 23 || minute > 59)
		return false;
	*ms_out = sign * (hour * 60 + minute) * 60000;
	return true;
}

int stamp_parse(struct span in, int64_t *ms_out)
{
	int64_t days;
	int64_t time;
	int64_t zone;
	int64_t ms;

	if (!take_date(&in, &days) || !take_time(&in, &time) ||
	    !take_zone(in, &zone))
		return FED_EINVAL;
	ms = days * MS_PER_DAY + time - zone;
	if (ms < MS_MIN || ms > MS_MAX)
		return FED_EINVAL;
	*ms_out = ms;
	return 0;
}

int stamp_format(int64_t ms, char out[STAMP_TEXT_BYTES + 1])
{
	int64_t days;
	int rest;
	int year;
	int month;
	int day;
	int n;

	if (ms < MS_MIN || ms > MS_MAX)
		return FED_EINVAL;
	days = (ms - MS_MIN) / MS_PER_DAY + MS_MIN / MS_PER_DAY;
	rest = (int)(ms - days * MS_PER_DAY);
	date_of(days, &year, &month, &day);
	n = snprintf(out, STAMP_TEXT_BYTES + 1, "%04d-%02d-%02dT%02d:%02d:%02d",
		     year, month, day, rest / 3600000, rest / 60000 % 60,
		     rest / 1000 % 60);
	if (n < 0)
		return FED_EINVAL;
	if (rest % 1000 != 0)
		(void)snprintf(out + n, STAMP_TEXT_BYTES + 1 - (size_t)n,
			       ".%03dZ", rest % 1000);
	else
		(void)snprintf(out + n, STAMP_TEXT_BYTES + 1 - (size_t)n, "Z");
	return 0;
}

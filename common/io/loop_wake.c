/* Another thread's word to the loop: uv_async_t. */
#include <stdlib.h>

#include "io/loop_priv.h"

struct loop_wake {
	uv_async_t uv;
	struct loop *loop;
	struct loop_member member;
	loop_timer_fn fn;
	void *arg;
};

static void on_async(uv_async_t *h)
{
	struct loop_wake *w = h->data;

	w->fn(w->arg);
}

static void on_closed(uv_handle_t *h)
{
	struct loop_wake *w = h->data;

	loop_leave(w->loop, &w->member);
	free(w);
}

static void kill_wake(void *arg)
{
	struct loop_wake *w = arg;

	if (!uv_is_closing((uv_handle_t *)&w->uv))
		uv_close((uv_handle_t *)&w->uv, on_closed);
}

int loop_wake_new(struct loop_wake **w_out, struct loop *l, loop_timer_fn fn,
		  void *arg)
{
	struct loop_wake *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return FED_ENOMEM;
	rc = uv_async_init(loop_uv(l), &w->uv, on_async);
	if (rc != 0) {
		fed_log(loop_log(l), FED_LOG_ERROR, "loop_failed",
			"error=\"%s\"", uv_strerror(rc));
		free(w);
		return rc == UV_ENOMEM ? FED_ENOMEM : FED_EIO;
	}
	w->loop = l;
	w->fn = fn;
	w->arg = arg;
	w->uv.data = w;
	w->member.kill = kill_wake;
	w->member.arg = w;
	loop_join(l, &w->member);
	*w_out = w;
	return 0;
}

void loop_wake_send(struct loop_wake *w)
{
	/* fails only on what is no async handle */
	(void)uv_async_send(&w->uv);
}

void loop_wake_free(struct loop_wake *w)
{
	if (w != NULL)
		kill_wake(w);
}

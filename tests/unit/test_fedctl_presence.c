/* What fedctl prints of watches, against golden texts. */
#include "fedctl_harness.h"

/* ---- presence ------------------------------------------------------------ */

struct watch {
	Fed__AdminResponse response;
	Fed__PresenceWatch watch;
	Fed__PresenceWatch *watches[1];
	Fed__PresenceDialog dialog;
	Fed__PresenceDialog *dialogs[1];
	Fed__PresenceNote note;
	Fed__PresenceNote *notes[1];
	Fed__PresenceResource desk, desk_told, phone;
	Fed__PresenceResource *believed[2];
	Fed__PresenceResource *told[2];
};

static void fill_dialog(Fed__PresenceDialog *d)
{
	static uint8_t document[] = "<presence>\r\n\x1b[2J</presence>\n";

	fed__presence_dialog__init(d);
	d->call_id = s("a84b4c76");
	d->state = s("active");
	d->local_tag = s("ours");
	d->remote_tag = s("theirs");
	d->local_cseq = 12;
	d->remote_cseq = 7;
	d->expires_in_ms = 3490000;
	d->remote_target = s("sip:romeo@10.66.0.12:5062");
	d->document_age_ms = 3000;
	d->document.data = document;
	d->document.len = sizeof(document) - 1;
}

static void fill_resources(struct watch *w)
{
	fed__presence_note__init(&w->note);
	w->note.lang = s("en");
	w->note.text = s("out for \"lunch\"\n\x1b[31m");
	w->notes[0] = &w->note;
	fed__presence_resource__init(&w->desk);
	w->desk.name = s("desk");
	w->desk.open = true;
	w->desk.show = FED__SHOW__AWAY;
	w->desk.priority = -5;
	w->desk.note = w->notes;
	w->desk.n_note = 1;
	fed__presence_resource__init(&w->desk_told);
	w->desk_told.name = s("desk");
	w->desk_told.open = true;
	fed__presence_resource__init(&w->phone);
	w->phone.name = s("phone");
	w->believed[0] = &w->desk;
	w->told[0] = &w->desk_told;
	w->told[1] = &w->phone;
}

static void fill_watch(struct watch *w)
{
	*w = (struct watch){.watches = {&w->watch}, .dialogs = {&w->dialog}};
	fed__admin_response__init(&w->response);
	fed__presence_watch__init(&w->watch);
	fill_dialog(&w->dialog);
	fill_resources(w);
	w->response.watch = w->watches;
	w->response.n_watch = 1;
	w->watch.watcher = s("juliet@xmpp.example");
	w->watch.presentity = s("romeo@sip.example");
	w->watch.authorization = s("allowed");
	w->watch.dialog = w->dialogs;
	w->watch.n_dialog = 1;
	w->watch.believed = w->believed;
	w->watch.n_believed = 1;
	w->watch.told = w->told;
	w->watch.n_told = 2;
	w->watch.last_stanza = s("presence, available");
	w->watch.last_stanza_age_ms = 90000;
	w->watch.waiting_for = s("a stanza to be taken");
}

static const char watch_golden[] =
	"juliet@xmpp.example watches romeo@sip.example\n"
	"  authorization  allowed\n"
	"  dialog         active, expires in 58 min 10 s\n"
	"                 call-id a84b4c76\n"
	"                 to sip:romeo@10.66.0.12:5062\n"
	"                 ours: tag ours, CSeq 12; theirs: tag theirs, CSeq 7\n"
	"  document       3 s old, 28 bytes\n"
	"  believed       desk  away, priority -5, \"out for "
	"\"lunch\"\\x0a\\x1b[31m\" (en)\n"
	"  told           desk  available\n"
	"                 phone  closed\n"
	"  last stanza    1 min 30 s ago: presence, available\n"
	"  waiting for    a stanza to be taken\n";

static void test_watch(void **state)
{
	struct watch w;

	(void)state;
	fill_watch(&w);
	shows(&show_watches_text, false, "juliet@xmpp.example", &w.response, 1,
	      watch_golden);
}

static void test_watch_with_document(void **state)
{
	struct shower sh;
	struct watch w;
	struct out o;

	(void)state;
	fill_watch(&w);
	shower_init(&sh, begin(&o), "x");
	sh.is_full = true;
	show_watches_text.more(&sh, &w.response);
	(void)fflush(o.to);
	assert_non_null(strstr(o.text, "28 bytes\n"
				       "    <presence>\n"
				       "    \\x1b[2J</presence>\n"
				       "  believed"));
	(void)fclose(o.to);
	free(o.text);
	shower_deinit(&sh);
}

/* A watch of which nothing is known yet. */
static void test_empty_watch(void **state)
{
	struct watch w;

	(void)state;
	fill_watch(&w);
	w.watch.direction = FED__WATCH_DIRECTION__SIP_WATCHES_XMPP;
	w.watch.authorization = s("pending");
	w.watch.n_dialog = 0;
	w.watch.n_believed = 0;
	w.watch.n_told = 0;
	w.watch.last_stanza_age_ms = -1;
	w.watch.waiting_for = s("");
	shows(&show_watches_text, false, "x", &w.response, 1,
	      "juliet@xmpp.example watches romeo@sip.example\n"
	      "  authorization  pending\n"
	      "  dialog         none\n"
	      "  believed       no resource\n"
	      "  told           no resource\n"
	      "  last stanza    none yet\n"
	      "  waiting for    nothing\n");
	w.watch.last_stanza = s("");
	shows(&show_watches_json, false, "x", &w.response, 1,
	      "{\"watches\": [\n"
	      "{\"direction\": \"sip-watches-xmpp\", \"watcher\": "
	      "\"juliet@xmpp.example\", \"presentity\": \"romeo@sip.example\", "
	      "\"authorization\": \"pending\", \"dialogs\": [], \"believed\": "
	      "[], \"told\": [], \"last_stanza\": null, "
	      "\"last_stanza_age_ms\": null, \"waiting_for\": null}\n"
	      "]}\n");
}

static void test_watch_json(void **state)
{
	struct watch w;

	(void)state;
	fill_watch(&w);
	shows(&show_watches_json, false, "x", &w.response, 1,
	      "{\"watches\": [\n"
	      "{\"direction\": \"xmpp-watches-sip\", \"watcher\": "
	      "\"juliet@xmpp.example\", \"presentity\": \"romeo@sip.example\", "
	      "\"authorization\": \"allowed\", \"dialogs\": [{\"call_id\": "
	      "\"a84b4c76\", \"state\": \"active\", \"local_tag\": \"ours\", "
	      "\"remote_tag\": \"theirs\", \"local_cseq\": 12, "
	      "\"remote_cseq\": 7, \"expires_in_ms\": 3490000, "
	      "\"remote_target\": \"sip:romeo@10.66.0.12:5062\", "
	      "\"document_age_ms\": 3000, \"document\": "
	      "\"<presence>\\r\\n\\u001B[2J</presence>\\n\"}], \"believed\": "
	      "[{\"name\": \"desk\", \"show\": \"away\", \"priority\": -5, "
	      "\"notes\": [{\"lang\": \"en\", \"text\": \"out for "
	      "\\\"lunch\\\"\\n\\u001B[31m\"}]}], \"told\": [{\"name\": "
	      "\"desk\", \"show\": \"available\", \"priority\": 0, \"notes\": "
	      "[]}, {\"name\": \"phone\", \"show\": \"closed\", \"priority\": "
	      "0, \"notes\": []}], \"last_stanza\": \"presence, available\", "
	      "\"last_stanza_age_ms\": 90000, \"waiting_for\": \"a stanza to "
	      "be taken\"}\n"
	      "]}\n");
}

/* What is no text has no place in JSON. */
static void test_broken_document(void **state)
{
	static uint8_t bytes[] = "<presence>\xFF";
	struct shower sh;
	struct watch w;
	struct out o;

	(void)state;
	fill_watch(&w);
	w.dialog.document.data = bytes;
	w.dialog.document.len = sizeof(bytes) - 1;
	shower_init(&sh, begin(&o), "x");
	show_watches_json.more(&sh, &w.response);
	(void)fflush(o.to);
	assert_non_null(strstr(o.text, "\"document\": null"));
	assert_false(sh.is_failed);
	(void)fclose(o.to);
	free(o.text);
	shower_deinit(&sh);
}

static void test_no_watch(void **state)
{
	(void)state;
	shows(&show_watches_json, false, "x", NULL, 0, "{\"watches\": []}\n");
	shows(&show_watches_text, false, "nobody\x07@x", NULL, 0,
	      "nobody watches nobody\\x07@x, and nobody is watched from "
	      "there\n");
}

static void test_differences(void **state)
{
	struct watch w;

	(void)state;
	fill_watch(&w);
	w.phone.open = true;
	w.phone.show = FED__SHOW__XA;
	shows(&show_differences_text, false, "x", &w.response, 1,
	      "- what the watcher was last told, + what the gateway believes\n"
	      "juliet@xmpp.example watches romeo@sip.example\n"
	      "  - desk  available\n"
	      "  + desk  away, priority -5, \"out for "
	      "\"lunch\"\\x0a\\x1b[31m\" (en)\n"
	      "  - phone  xa\n"
	      "  waiting for a stanza to be taken\n");
	w.watch.n_told = 0;
	w.note.text = s("lunch");
	shows(&show_differences_json, false, "x", &w.response, 1,
	      "{\"differences\": [\n"
	      "{\"direction\": \"xmpp-watches-sip\", \"watcher\": "
	      "\"juliet@xmpp.example\", \"presentity\": \"romeo@sip.example\", "
	      "\"resources\": [{\"name\": \"desk\", \"told\": null, "
	      "\"believed\": {\"name\": \"desk\", \"show\": \"away\", "
	      "\"priority\": -5, \"notes\": [{\"lang\": \"en\", \"text\": "
	      "\"lunch\"}]}}], \"waiting_for\": \"a stanza to be taken\"}\n"
	      "]}\n");
}

/* Each part of a resource that can differ, and the order that cannot. */
static void test_same(void **state)
{
	static const char same[] = "no difference\n";
	Fed__PresenceNote other;
	Fed__PresenceNote *two[] = {NULL, &other};
	Fed__PresenceNote *two_turned[] = {&other, NULL};
	struct watch w;

	(void)state;
	fed__presence_note__init(&other);
	fill_watch(&w);
	w.watch.n_told = 1;
	w.desk_told = w.desk;
	shows(&show_differences_text, false, "x", &w.response, 1, same);
	shows(&show_differences_json, false, "x", &w.response, 1,
	      "{\"differences\": []}\n");
	other.lang = s("de");
	other.text = s("zu Tisch");
	two[0] = &w.note;
	two_turned[1] = &w.note;
	w.desk.note = two;
	w.desk.n_note = 2;
	w.desk_told.note = two_turned;
	w.desk_told.n_note = 2;
	shows(&show_differences_text, false, "x", &w.response, 1, same);
	w.note.text = s("a");
	w.desk_told.n_note = 1; /* only the German one is told */
	w.desk_told.note = two_turned;
	shows(&show_differences_text, false, "x", &w.response, 1,
	      "- what the watcher was last told, + what the gateway believes\n"
	      "juliet@xmpp.example watches romeo@sip.example\n"
	      "  - desk  away, priority -5, \"zu Tisch\" (de)\n"
	      "  + desk  away, priority -5, \"a\" (en), \"zu Tisch\" (de)\n"
	      "  waiting for a stanza to be taken\n");
}

static void test_repaired(void **state)
{
	Fed__AdminResponse r;
	Fed__PresenceRepaired p;

	(void)state;
	fed__admin_response__init(&r);
	fed__presence_repaired__init(&p);
	r.repaired = &p;
	shows(&show_repaired_text, false, "x", &r, 1,
	      "nothing to repair: no watch\n");
	p.watches = 30;
	p.subscribes = 10;
	p.probes = 20;
	shows(&show_repaired_text, false, "x", &r, 1,
	      "30 watches are being repaired: 10 SUBSCRIBE, 20 probes\n");
	shows(&show_repaired_json, false, "x", &r, 1,
	      "{\"repaired\": {\"watches\": 30, \"subscribes\": 10, "
	      "\"probes\": 20}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_watch_with_document),
		cmocka_unit_test(test_empty_watch),
		cmocka_unit_test(test_watch_json),
		cmocka_unit_test(test_broken_document),
		cmocka_unit_test(test_no_watch),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_repaired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

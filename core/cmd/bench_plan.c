#include "cmd/bench_internal.h"

#include "cmd/client_http.h"
#include "config/subscription.h"
#include "tick/tick.h"

#include <jansson.h>
#include <stdlib.h>

#define SYMBOLS_TIMEOUT_MS 10000u

static int symbols_get(struct bench *b, json_t **out, struct fault *f);
static char *list_draw(struct random *random, const json_t *symbols, uint64_t size);

int bench_plan_lists(struct bench *b, struct fault *f)
{
    const struct bench_options *o = &b->options;
    b->list_count = o->lists ? (uint32_t)o->lists : 1;
    b->lists = calloc(b->list_count, sizeof *b->lists);
    if (!b->lists) return fault_set(f, TC_ESYSTEM, "--lists: no memory for %u lists", b->list_count);
    if (!o->lists) {
        b->lists[0] = strdup(o->symbols);
        return b->lists[0] ? TC_OK : fault_set(f, TC_ESYSTEM, "no memory for --symbols");
    }
    json_t *symbols = NULL;
    int r = symbols_get(b, &symbols, f);
    if (r == TC_OK && json_array_size(symbols) < o->list_size)
        r = fault_set(f, TC_EUSAGE, "--list-size: the server has %zu symbols (yet); use at most that",
                      json_array_size(symbols));
    struct random random;
    random_seed(&random, o->seed);
    for (uint32_t i = 0; r == TC_OK && i < b->list_count; i++) {
        b->lists[i] = list_draw(&random, symbols, o->list_size);
        if (!b->lists[i]) r = fault_set(f, TC_ESYSTEM, "--lists: no memory for %u lists", b->list_count);
    }
    json_decref(symbols);
    return r;
}

void bench_plan_free(struct bench *b)
{
    for (uint32_t i = 0; b->lists && i < b->list_count; i++) free((char *)(uintptr_t)b->lists[i]);
    free(b->lists);
    b->lists = NULL;
}

/* The server's symbols, a JSON array; one answer holds up to 1000. */
static int symbols_get(struct bench *b, json_t **out, struct fault *f)
{
    struct client_body body;
    struct client_url url = b->url;
    snprintf(url.target, sizeof url.target, "/v1/symbols");
    int r = client_http_get(&url, b->fields, SYMBOLS_TIMEOUT_MS, &body, f);
    if (r < 0) return r;
    json_t *all = json_loadb(body.at, body.size, 0, NULL);
    json_t *symbols = json_incref(json_object_get(all, "symbols"));
    json_decref(all);
    client_body_free(&body);
    for (size_t i = json_array_size(symbols); i > 0; i--) { /* a comma separates; a final * is a prefix */
        const char *name = json_string_value(json_array_get(symbols, i - 1));
        bool fits = name && symbol_name_ok(name, strlen(name)); /* list_draw's room counts on it */
        if (!fits || strchr(name, ',') || strchr(name, '*')) json_array_remove(symbols, i - 1);
    }
    *out = symbols;
    if (json_is_array(symbols)) return TC_OK;
    json_decref(symbols);
    *out = NULL;
    return fault_set(f, TC_EINPUT, "%s/v1/symbols: is no list of symbols; is this a tickcast server?",
                     url.authority);
}

/* Different symbols with commas between: owned by the caller; NULL: no memory. */
static char *list_draw(struct random *random, const json_t *symbols, uint64_t size)
{
    uint64_t all = json_array_size(symbols), left = size;
    size_t used = 0, room = size * (SYMBOL_NAME_MAX + 1) + 1;
    char *out = malloc(room);
    if (!out) return NULL;
    out[0] = 0;
    for (uint64_t i = 0; i < all && left > 0; i++) {
        if (random_below(random, all - i) >= left) continue;
        const char *name = json_string_value(json_array_get(symbols, i));
        int n = snprintf(out + used, room - used, "%s%s", used ? "," : "", name);
        used += n > 0 ? (size_t)n : 0;
        left--;
    }
    return out;
}

void bench_plan_draw(struct bench_thread *t, struct bench_conn *c)
{
    static const uint16_t rates[] = {0, 0, 2, 10, 50};
    if (t->reference) return;
    c->list = c->index % t->bench->list_count;
    c->verify.list = c->list;
    c->policy = (uint8_t)random_below(&t->random, POLICIES);
    c->frame = (uint8_t)(random_below(&t->random, 8) == 0 ? FRAME_TICK : FRAME_BATCH);
    c->rate = rates[random_below(&t->random, sizeof rates / sizeof rates[0])];
}

const char *bench_plan_subprotocol(const struct bench_thread *t)
{
    const struct bench_options *o = &t->bench->options;
    if (o->any) return o->subprotocol;
    return subprotocol_names[o->binary && !t->reference ? ENCODING_BINARY : ENCODING_JSON];
}

bool bench_plan_deflate(const struct bench_thread *t)
{
    return t->bench->options.deflate && !t->reference;
}

int bench_plan_request(struct bench_thread *t, struct bench_conn *c, struct fault *f)
{
    const struct bench_options *o = &t->bench->options;
    char rate[8], resume[40];
    snprintf(rate, sizeof rate, "%u", c->rate);
    snprintf(resume, sizeof resume, "%.16s-%llu", c->epoch, (unsigned long long)c->at.position);
    int r = TC_OK;
    t->url = t->reference ? t->bench->reference_url : t->bench->url;
    if (!t->reference && !o->any && !o->idle) {
        r = client_url_query(&t->url, "symbols", t->bench->lists[c->list], f);
        if (r == TC_OK)
            r = client_url_query(&t->url, "policy", o->mix ? policy_names[c->policy] : o->policy, f);
        if (r == TC_OK)
            r = client_url_query(&t->url, "frame", o->mix ? framing_names[c->frame] : o->frame, f);
        if (r == TC_OK && (!o->mix || c->rate))
            r = client_url_query(&t->url, "rate", o->mix ? rate : o->rate, f);
        if (r == TC_OK && !o->snapshot) r = client_url_query(&t->url, "snapshot", "0", f);
        if (r == TC_OK && c->resuming) r = client_url_query(&t->url, "resume", resume, f);
        if (r == TC_OK && !c->resuming) r = client_url_query(&t->url, "since", o->since, f);
    }
    struct client_wishes wishes = {.subprotocol = bench_plan_subprotocol(t),
                                   .fields = t->bench->fields,
                                   .deflate = bench_plan_deflate(t)};
    client_handshake_make(&t->handshake, &t->url, &wishes, t->secret);
    return r;
}

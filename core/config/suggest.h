/* config/suggest.h -- "did you mean": the nearest of some names to a word that is none of them. Pure. */
#ifndef TC_CONFIG_SUGGEST_H
#define TC_CONFIG_SUGGEST_H

#include <stdint.h>

/* Keeps the best of the names offered one after the other. Zeroed at the start but for `word`. */
struct suggest {
    const char *word, *best;
    uint32_t best_distance;
};

void suggest_offer(struct suggest *s, const char *name);
/* The nearest name, or NULL if none is near enough to be meant. */
const char *suggest_best(const struct suggest *s);
/* Letters to add, drop, change or swap (neighbours) to make b of a; names are cut at 47 letters. */
uint32_t edit_distance(const char *a, const char *b);

#endif

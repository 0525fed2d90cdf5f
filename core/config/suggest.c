#include "config/suggest.h"

#include "base/bytes.h"

#define WORD_MAX 47u

void suggest_offer(struct suggest *s, const char *name)
{
    uint32_t distance = edit_distance(s->word, name);
    size_t typed = strlen(s->word);
    if (typed >= 3 && strncmp(s->word, name, typed) == 0) distance = 1; /* an option cut short */
    if (s->best && distance >= s->best_distance) return;
    s->best = name;
    s->best_distance = distance;
}

const char *suggest_best(const struct suggest *s)
{
    if (!s->best) return NULL;
    uint32_t length = (uint32_t)min_u64(strlen(s->word), WORD_MAX);
    return s->best_distance <= 1 + length / 4 && s->best_distance < length ? s->best : NULL;
}

/* Optimal string alignment, three rows of its matrix. */
uint32_t edit_distance(const char *a, const char *b)
{
    uint32_t rows[3][WORD_MAX + 1];
    uint32_t a_size = (uint32_t)min_u64(strlen(a), WORD_MAX), b_size = (uint32_t)min_u64(strlen(b), WORD_MAX);
    for (uint32_t j = 0; j <= b_size; j++) rows[0][j] = j;
    for (uint32_t i = 1; i <= a_size; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= b_size; j++) {
            uint32_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = min_u32(change, 1 + min_u32(above[j], row[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min_u32(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

/* feeds/sim_tickers.h -- names, prices and sectors of the simulator's symbols. Thread: any. */
#ifndef TC_FEEDS_SIM_TICKERS_H
#define TC_FEEDS_SIM_TICKERS_H

#include <stdint.h>

#define SIM_SECTORS  11u
#define SIM_NAME_MAX 7u

struct sim_ticker {
    char name[SIM_NAME_MAX + 1]; /* zero-terminated */
    uint16_t dollars;            /* the price it starts near */
    uint8_t sector;              /* below SIM_SECTORS */
};

/* The first `count` (at most SYMBOLS_MAX): all different, most active first. */
void sim_tickers_fill(struct sim_ticker *out, uint32_t count);

#endif

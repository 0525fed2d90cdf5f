/* feeds/sim_tickers.c -- the simulator's symbols: large US companies in falling order of activity, with a
 * plausible price in dollars and a sector. Beyond the list: generated names of four letters that are none of
 * the list's. */
#include "feeds/sim_tickers.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { S_TECH, S_COMM, S_DISC, S_STAP, S_ENER, S_FIN, S_HLTH, S_IND, S_MATL, S_REIT, S_UTIL, S_COUNT };
_Static_assert(S_COUNT == SIM_SECTORS, "a factor per sector");

// clang-format off
static const struct sim_ticker tickers[] = {
    {"AAPL", 229, S_TECH}, {"NVDA", 138, S_TECH}, {"TSLA", 219, S_DISC}, {"MSFT", 421, S_TECH},
    {"AMZN", 189, S_DISC}, {"META", 576, S_COMM}, {"GOOGL", 166, S_COMM}, {"AMD", 144, S_TECH},
    {"PLTR", 43, S_TECH}, {"NFLX", 754, S_COMM}, {"JPM", 222, S_FIN}, {"GOOG", 167, S_COMM},
    {"AVGO", 168, S_TECH}, {"INTC", 23, S_TECH}, {"BAC", 42, S_FIN}, {"XOM", 120, S_ENER},
    {"UNH", 567, S_HLTH}, {"LLY", 904, S_HLTH}, {"V", 283, S_FIN}, {"WMT", 81, S_STAP},
    {"COST", 890, S_STAP}, {"BRK.B", 459, S_FIN}, {"MSTR", 220, S_TECH}, {"COIN", 205, S_TECH},
    {"MU", 104, S_TECH}, {"HD", 410, S_DISC}, {"DIS", 96, S_COMM}, {"BA", 150, S_IND},
    {"CRM", 297, S_TECH}, {"ORCL", 176, S_TECH}, {"PFE", 28, S_HLTH}, {"UBER", 78, S_TECH},
    {"CVX", 150, S_ENER}, {"KO", 67, S_STAP}, {"GS", 519, S_FIN}, {"MA", 513, S_FIN}, {"JNJ", 164, S_HLTH},
    {"PG", 170, S_STAP}, {"ABBV", 188, S_HLTH}, {"ADBE", 512, S_TECH}, {"QCOM", 169, S_TECH},
    {"CSCO", 56, S_TECH}, {"T", 22, S_COMM}, {"F", 11, S_DISC}, {"C", 63, S_FIN}, {"WFC", 65, S_FIN},
    {"L", 80, S_FIN}, {"CNP", 29, S_UTIL}, {"ISRG", 514, S_HLTH}, {"CPB", 47, S_STAP},
    {"TROW", 110, S_FIN}, {"WYNN", 96, S_DISC}, {"CMA", 63, S_FIN}, {"PPG", 125, S_MATL},
    {"BAX", 36, S_HLTH}, {"MDT", 90, S_HLTH}, {"HWM", 101, S_IND}, {"IBM", 223, S_TECH},
    {"WM", 211, S_IND}, {"ELV", 426, S_HLTH}, {"KDP", 35, S_STAP}, {"PRU", 122, S_FIN},
    {"CRL", 190, S_HLTH}, {"MKC", 80, S_STAP}, {"MCK", 508, S_HLTH}, {"PARA", 11, S_COMM},
    {"NDSN", 250, S_IND}, {"O", 61, S_REIT}, {"IT", 517, S_TECH}, {"PLD", 116, S_REIT},
    {"PCG", 20, S_UTIL}, {"BX", 168, S_FIN}, {"ARM", 146, S_TECH}, {"DHI", 181, S_DISC},
    {"EXPE", 155, S_DISC}, {"HOOD", 24, S_FIN}, {"UNP", 233, S_IND}, {"PEG", 89, S_UTIL},
    {"J", 142, S_IND}, {"MAS", 80, S_IND}, {"WY", 31, S_REIT}, {"CB", 282, S_FIN}, {"BG", 92, S_STAP},
    {"AWK", 138, S_UTIL}, {"CAG", 30, S_STAP}, {"COO", 107, S_HLTH}, {"HSIC", 70, S_HLTH},
    {"AVB", 224, S_REIT}, {"CDNS", 285, S_TECH}, {"HSY", 182, S_STAP}, {"X", 40, S_MATL},
    {"ILMN", 146, S_HLTH}, {"MSI", 467, S_TECH}, {"FE", 42, S_UTIL}, {"ZION", 52, S_FIN},
    {"NXPI", 228, S_TECH}, {"ENPH", 88, S_TECH}, {"DOC", 22, S_REIT}, {"WBD", 8, S_COMM},
    {"FITB", 43, S_FIN}, {"RSG", 203, S_IND}, {"DUK", 116, S_UTIL}, {"PM", 121, S_STAP},
    {"AIZ", 192, S_FIN}, {"ORLY", 1204, S_DISC}, {"ANSS", 321, S_TECH}, {"EOG", 123, S_ENER},
    {"INCY", 66, S_HLTH}, {"ARES", 168, S_FIN}, {"NUE", 142, S_MATL}, {"BWA", 35, S_DISC},
    {"BSX", 84, S_HLTH}, {"SNPS", 512, S_TECH}, {"LW", 73, S_STAP}, {"COF", 162, S_FIN},
    {"VTR", 65, S_REIT}, {"APTV", 70, S_DISC}, {"BIIB", 181, S_HLTH}, {"MCHP", 73, S_TECH},
    {"DE", 404, S_IND}, {"GD", 300, S_IND}, {"RBLX", 43, S_COMM}, {"MGM", 39, S_DISC}, {"KMI", 24, S_ENER},
    {"FANG", 182, S_ENER}, {"EQIX", 898, S_REIT}, {"ROST", 143, S_DISC}, {"ESS", 286, S_REIT},
    {"CTRA", 24, S_ENER}, {"SIRI", 27, S_COMM}, {"POOL", 375, S_DISC}, {"HST", 18, S_REIT},
    {"ZBRA", 370, S_TECH}, {"WEC", 96, S_UTIL}, {"WELL", 132, S_REIT}, {"EA", 146, S_COMM},
    {"UDR", 43, S_REIT}, {"WAT", 331, S_HLTH}, {"PANW", 372, S_TECH}, {"GIS", 70, S_STAP},
    {"AZO", 3135, S_DISC}, {"ALB", 95, S_MATL}, {"PCAR", 104, S_IND}, {"FTNT", 82, S_TECH},
    {"LOW", 272, S_DISC}, {"AFL", 108, S_FIN}, {"LH", 224, S_HLTH}, {"ATO", 139, S_UTIL},
    {"PKG", 230, S_MATL}, {"NSC", 250, S_IND}, {"ES", 64, S_UTIL}, {"KKR", 138, S_FIN}, {"DD", 84, S_MATL},
    {"TJX", 117, S_DISC}, {"DKNG", 37, S_DISC}, {"ETSY", 50, S_DISC}, {"GEN", 28, S_TECH},
    {"LCID", 2, S_DISC}, {"NWS", 29, S_COMM}, {"PH", 637, S_IND}, {"ARE", 112, S_REIT},
    {"FCX", 46, S_MATL}, {"TPR", 46, S_DISC}, {"MLM", 598, S_MATL}, {"TTWO", 158, S_COMM},
    {"HUBB", 437, S_IND}, {"ADSK", 294, S_TECH}, {"LMT", 560, S_IND}, {"DTE", 125, S_UTIL},
    {"PSA", 333, S_REIT}, {"LUV", 31, S_IND}, {"DVN", 40, S_ENER}, {"AA", 40, S_MATL},
    {"MSCI", 577, S_FIN}, {"PHM", 138, S_DISC}, {"AMAT", 188, S_TECH}, {"HRL", 31, S_STAP},
    {"NTRS", 101, S_FIN}, {"RVTY", 122, S_HLTH}, {"UAL", 77, S_IND}, {"STT", 92, S_FIN},
    {"LULU", 296, S_DISC}, {"NBIX", 121, S_HLTH}, {"ROP", 556, S_TECH}, {"VICI", 32, S_REIT},
    {"GM", 49, S_DISC}, {"ABNB", 134, S_DISC}, {"CTLT", 60, S_HLTH}, {"NEM", 48, S_MATL},
    {"HIG", 113, S_FIN}, {"BEN", 21, S_FIN}, {"TECH", 73, S_HLTH}, {"PEP", 172, S_STAP},
    {"XPO", 131, S_IND}, {"ETN", 340, S_IND}, {"TER", 122, S_TECH}, {"PGR", 245, S_FIN},
    {"DLTR", 67, S_STAP}, {"LHX", 250, S_IND}, {"PPL", 32, S_UTIL}, {"D", 59, S_UTIL},
    {"INTU", 634, S_TECH}, {"LRCX", 74, S_TECH}, {"EFX", 272, S_IND}, {"BKR", 36, S_ENER},
    {"RIVN", 10, S_DISC}, {"ALLE", 141, S_IND}, {"BLK", 984, S_FIN}, {"TSCO", 283, S_DISC},
    {"FDS", 466, S_FIN}, {"CINF", 140, S_FIN}, {"UHAL", 73, S_IND}, {"ALNY", 279, S_HLTH},
    {"MO", 50, S_STAP}, {"ZS", 189, S_TECH}, {"HOLX", 81, S_HLTH}, {"CLF", 13, S_MATL},
    {"ECL", 248, S_MATL}, {"MDB", 287, S_TECH}, {"OXY", 52, S_ENER}, {"ROK", 268, S_IND},
    {"MAA", 152, S_REIT}, {"BKNG", 4338, S_DISC}, {"HPE", 20, S_TECH}, {"EMR", 109, S_IND},
    {"RJF", 148, S_FIN}, {"CTAS", 210, S_IND}, {"FIS", 89, S_TECH}, {"UPS", 134, S_IND},
    {"AIG", 76, S_FIN}, {"COP", 105, S_ENER}, {"SBUX", 96, S_DISC}, {"JCI", 76, S_IND},
    {"SJM", 114, S_STAP}, {"HPQ", 37, S_TECH}, {"CHD", 103, S_STAP}, {"SPGI", 484, S_FIN},
    {"TSN", 59, S_STAP}, {"GPC", 139, S_DISC}, {"WST", 312, S_HLTH}, {"BRO", 106, S_FIN},
    {"ERIE", 446, S_FIN}, {"XEL", 66, S_UTIL}, {"EG", 372, S_FIN}, {"VMC", 274, S_MATL},
    {"VRSN", 188, S_TECH}, {"EXPD", 120, S_IND}, {"ODFL", 200, S_IND}, {"BDX", 237, S_HLTH},
    {"AOS", 78, S_IND}, {"HII", 185, S_IND}, {"CHRW", 105, S_IND}, {"MTCH", 37, S_COMM},
    {"ETR", 133, S_UTIL}, {"AJG", 288, S_FIN}, {"SO", 92, S_UTIL}, {"LYV", 117, S_COMM},
    {"KMB", 141, S_STAP}, {"VRTX", 476, S_HLTH}, {"AMCR", 11, S_MATL}, {"URI", 812, S_IND},
    {"BBY", 95, S_DISC}, {"GDDY", 164, S_TECH}, {"PNW", 88, S_UTIL}, {"PNC", 187, S_FIN},
    {"KLAC", 667, S_TECH}, {"CMS", 69, S_UTIL}, {"MRK", 109, S_HLTH}, {"EXR", 164, S_REIT},
    {"DFS", 148, S_FIN}, {"ZBH", 104, S_HLTH}, {"NTAP", 120, S_TECH}, {"RMD", 243, S_HLTH},
    {"DGX", 154, S_HLTH}, {"CMG", 59, S_DISC}, {"AXP", 270, S_FIN}, {"TYL", 598, S_TECH},
    {"MS", 117, S_FIN}, {"AMT", 217, S_REIT}, {"MOS", 27, S_MATL}, {"AES", 17, S_UTIL},
    {"GEHC", 89, S_HLTH}, {"SCHW", 71, S_FIN}, {"KHC", 35, S_STAP}, {"STE", 223, S_HLTH},
    {"K", 80, S_STAP}, {"CF", 84, S_MATL}, {"NCLH", 22, S_DISC}, {"EQT", 37, S_ENER}, {"BR", 213, S_IND},
    {"RL", 196, S_DISC}, {"WDC", 67, S_TECH}, {"OTIS", 101, S_IND}, {"SNAP", 11, S_COMM},
    {"CAT", 385, S_IND}, {"EVRG", 61, S_UTIL}, {"NEE", 80, S_UTIL}, {"CZR", 43, S_DISC},
    {"CARR", 75, S_IND}, {"CME", 223, S_FIN}, {"WBA", 9, S_STAP}, {"EXC", 40, S_UTIL},
    {"MDLZ", 69, S_STAP}, {"CI", 321, S_HLTH}, {"VZ", 44, S_COMM}, {"BALL", 60, S_MATL},
    {"FMC", 65, S_MATL}, {"PWR", 305, S_IND}, {"FOXA", 42, S_COMM}, {"TMO", 556, S_HLTH},
    {"MHK", 153, S_DISC}, {"ROL", 49, S_IND}, {"ZTS", 182, S_HLTH}, {"SBAC", 231, S_REIT},
    {"SQ", 74, S_TECH}, {"KR", 56, S_STAP}, {"KEY", 17, S_FIN}, {"HBAN", 15, S_FIN}, {"IP", 56, S_MATL},
    {"MTB", 194, S_FIN}, {"SNA", 330, S_IND}, {"PTC", 187, S_TECH}, {"DOV", 189, S_IND},
    {"IEX", 209, S_IND}, {"AME", 168, S_IND}, {"LVS", 51, S_DISC}, {"TMUS", 222, S_COMM},
    {"HES", 136, S_ENER}, {"LDOS", 184, S_IND}, {"SNOW", 118, S_TECH}, {"ANET", 401, S_TECH},
    {"PSX", 131, S_ENER}, {"AKAM", 103, S_TECH}, {"NI", 35, S_UTIL}, {"EXAS", 70, S_HLTH},
    {"TXN", 207, S_TECH}, {"CCI", 108, S_REIT}, {"FSLR", 199, S_TECH}, {"SWK", 97, S_IND},
    {"STX", 108, S_TECH}, {"FOX", 39, S_COMM}, {"MET", 83, S_FIN}, {"HLT", 236, S_DISC},
    {"TEAM", 190, S_TECH}, {"NKE", 82, S_DISC}, {"AAL", 13, S_IND}, {"VRSK", 272, S_IND},
    {"RF", 24, S_FIN}, {"QRVO", 102, S_TECH}, {"MRO", 27, S_ENER}, {"OVV", 41, S_ENER},
    {"XYL", 132, S_IND}, {"NOC", 522, S_IND}, {"EQR", 70, S_REIT}, {"AXON", 433, S_IND},
    {"ON", 70, S_TECH}, {"MKTX", 286, S_FIN}, {"CDW", 220, S_TECH}, {"EL", 87, S_STAP},
    {"CEG", 263, S_UTIL}, {"FTV", 74, S_IND}, {"WMB", 51, S_ENER}, {"DHR", 250, S_HLTH},
    {"VLTO", 107, S_IND}, {"CMCSA", 42, S_COMM}, {"NOW", 956, S_TECH}, {"CVNA", 195, S_DISC},
    {"HAS", 71, S_DISC}, {"SPOT", 374, S_COMM}, {"MRNA", 54, S_HLTH}, {"CFG", 42, S_FIN},
    {"ADI", 222, S_TECH}, {"ULTA", 372, S_DISC}, {"RTX", 121, S_IND}, {"DAL", 56, S_IND},
    {"PINS", 33, S_COMM}, {"TTD", 119, S_TECH}, {"JBHT", 180, S_IND}, {"DECK", 160, S_DISC},
    {"HAL", 29, S_ENER}, {"SLB", 42, S_ENER}, {"MMC", 221, S_FIN}, {"SHW", 359, S_MATL},
    {"ITW", 263, S_IND}, {"TFC", 43, S_FIN}, {"FICO", 1989, S_TECH}, {"CHWY", 27, S_DISC},
    {"GILD", 89, S_HLTH}, {"AR", 28, S_ENER}, {"LIN", 469, S_MATL}, {"IPG", 31, S_COMM},
    {"DOW", 50, S_MATL}, {"TXT", 81, S_IND}, {"APA", 24, S_ENER}, {"REG", 72, S_REIT}, {"CCL", 20, S_DISC},
    {"TRMB", 60, S_TECH}, {"GEV", 300, S_IND}, {"LEN", 178, S_DISC}, {"SW", 50, S_MATL},
    {"ALLY", 35, S_FIN}, {"FFIV", 219, S_TECH}, {"ALGN", 206, S_HLTH}, {"NWSA", 27, S_COMM},
    {"TGT", 151, S_STAP}, {"GL", 108, S_FIN}, {"CRWD", 318, S_TECH}, {"MNST", 53, S_STAP},
    {"GNRC", 166, S_IND}, {"TRGP", 164, S_ENER}, {"GRMN", 165, S_DISC}, {"ALL", 189, S_FIN},
    {"EMN", 106, S_MATL}, {"BXP", 81, S_REIT}, {"GE", 173, S_IND}, {"SYY", 74, S_STAP},
    {"CMI", 331, S_IND}, {"FRT", 112, S_REIT}, {"WDAY", 246, S_TECH}, {"TT", 388, S_IND},
    {"CPRT", 52, S_IND}, {"IVZ", 17, S_FIN}, {"DPZ", 421, S_DISC}, {"GPN", 102, S_TECH},
    {"ED", 102, S_UTIL}, {"WRB", 58, S_FIN}, {"IQV", 209, S_HLTH}, {"CE", 128, S_MATL},
    {"MTD", 1337, S_HLTH}, {"DG", 82, S_STAP}, {"GWW", 1110, S_IND}, {"TAP", 55, S_STAP},
    {"SRE", 84, S_UTIL}, {"HUM", 263, S_HLTH}, {"KIM", 24, S_REIT}, {"OKTA", 74, S_TECH},
    {"CSX", 34, S_IND}, {"TEL", 148, S_TECH}, {"ICE", 160, S_FIN}, {"SYF", 55, S_FIN}, {"NRG", 90, S_UTIL},
    {"LYB", 88, S_MATL}, {"PNR", 98, S_IND}, {"OMC", 104, S_COMM}, {"INVH", 32, S_REIT},
    {"SOFI", 11, S_FIN}, {"IRM", 123, S_REIT}, {"LNT", 60, S_UTIL}, {"PODD", 236, S_HLTH},
    {"LKQ", 39, S_DISC}, {"TRV", 252, S_FIN}, {"WAB", 188, S_IND}, {"BF.B", 45, S_STAP},
    {"NDAQ", 74, S_FIN}, {"PFG", 86, S_FIN}, {"CTVA", 60, S_MATL}, {"CNC", 62, S_HLTH},
    {"HUBS", 548, S_TECH}, {"DRI", 164, S_DISC}, {"BLDR", 175, S_IND}, {"FAST", 78, S_IND},
    {"DLR", 178, S_REIT}, {"APD", 312, S_MATL}, {"RCL", 198, S_DISC}, {"CL", 98, S_STAP},
    {"MPC", 152, S_ENER}, {"ACGL", 101, S_FIN}, {"CPT", 117, S_REIT}, {"WTW", 302, S_FIN},
    {"ADM", 56, S_STAP}, {"DAY", 71, S_IND}, {"USB", 48, S_FIN}, {"ABT", 118, S_HLTH}, {"FDX", 272, S_IND},
    {"CBOE", 205, S_FIN}, {"MAR", 262, S_DISC}, {"VTRS", 12, S_HLTH}, {"AEP", 99, S_UTIL},
    {"COR", 228, S_HLTH}, {"MRVL", 83, S_TECH}, {"IR", 97, S_IND}, {"BMY", 53, S_HLTH},
    {"PAYX", 140, S_TECH}, {"OKE", 96, S_ENER}, {"MCD", 296, S_DISC}, {"BMRN", 68, S_HLTH},
    {"CBRE", 131, S_REIT}, {"A", 132, S_HLTH}, {"SWKS", 89, S_TECH}, {"ROKU", 77, S_COMM},
    {"TDG", 1348, S_IND}, {"IFF", 101, S_MATL}, {"HCA", 364, S_HLTH}, {"STZ", 240, S_STAP},
    {"EW", 68, S_HLTH}, {"JNPR", 39, S_TECH}, {"SYK", 361, S_HLTH}, {"DASH", 151, S_TECH},
    {"EIX", 83, S_UTIL}, {"W", 47, S_DISC}, {"JKHY", 181, S_TECH}, {"SPG", 170, S_REIT},
    {"CVS", 58, S_HLTH}, {"DELL", 126, S_TECH}, {"NVR", 9532, S_DISC}, {"KEYS", 157, S_TECH},
    {"CHK", 84, S_ENER}, {"DXCM", 70, S_HLTH}, {"MOH", 327, S_HLTH}, {"SMCI", 41, S_TECH},
    {"VST", 125, S_UTIL}, {"UHS", 208, S_HLTH},
};
// clang-format on

#define TICKERS ((uint32_t)(sizeof tickers / sizeof tickers[0]))

static int by_name(const void *a, const void *b);

void sim_tickers_fill(struct sim_ticker *out, uint32_t count)
{
    struct sim_ticker known[TICKERS];
    memcpy(known, tickers, sizeof known);
    qsort(known, TICKERS, sizeof known[0], by_name);
    uint32_t filled = count < TICKERS ? count : TICKERS;
    memcpy(out, tickers, filled * sizeof *out);
    for (uint32_t number = 0; filled < count; number++) {
        TC_ASSERT(number < 26u * 26u * 26u * 26u);
        struct sim_ticker t = {.dollars = (uint16_t)(5 + number * 7919u % 395u),
                               .sector = (uint8_t)(number % SIM_SECTORS)};
        for (uint32_t i = 0, rest = number; i < 4; i++, rest /= 26) t.name[3 - i] = (char)('A' + rest % 26);
        if (!bsearch(&t, known, TICKERS, sizeof known[0], by_name)) out[filled++] = t;
    }
}

static int by_name(const void *a, const void *b)
{
    return strncmp(((const struct sim_ticker *)a)->name, ((const struct sim_ticker *)b)->name,
                   SIM_NAME_MAX + 1);
}

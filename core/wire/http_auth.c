/* Who may: the bearer token of an Authorization field. Spec: RFC 9110 11.6.2, RFC 6750 2.1. */
#include "wire/http_fields.h"

#include <openssl/crypto.h>

bool http_bearer_is(struct text authorization, struct text token)
{
    struct text scheme = TEXT("Bearer ");
    if (authorization.size < scheme.size || !http_equal((struct text){authorization.at, scheme.size}, scheme))
        return false;
    struct text given =
        http_trim((struct text){authorization.at + scheme.size, authorization.size - scheme.size});
    /* The length may be learnt, the bytes not. */
    return token.size > 0 && given.size == token.size && CRYPTO_memcmp(given.at, token.at, token.size) == 0;
}

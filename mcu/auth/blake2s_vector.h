/* The initialisation vector (RFC 7693 2.6): the fractional parts of the square roots of the first
 * eight primes, as in SHA-256. */
#ifndef HIL_BLAKE2S_VECTOR_H
#define HIL_BLAKE2S_VECTOR_H

#define HIL_BLAKE2S_VECTOR                                                                         \
    {                                                                                              \
        0x6A09E667U, 0xBB67AE85U, 0x3C6EF372U, 0xA54FF53AU, 0x510E527FU, 0x9B05688CU, 0x1F83D9ABU, \
            0x5BE0CD19U                                                                            \
    }

#endif

/*
 * What a key is inside: for the room of keys alone.
 */
#ifndef SEKISHO_TRUST_KEY_PARTS_H
#define SEKISHO_TRUST_KEY_PARTS_H

#include "policy/trust/key.h"
#include <openssl/evp.h>

struct key {
	EVP_PKEY *pkey;
	enum key_type type;
	bool is_private;
	enum key_place place;
	struct digest id; /* what every signature names: to encode the key for each takes longer than to sign */
};

/* Makes a key of an OpenSSL object, which it takes over in any case. 0; V_BAD for other types; -ENOMEM. */
int key_wrap(EVP_PKEY *pkey, bool is_private, struct key **out);

/* For OpenSSL (pem_password_cb): never asks at a terminal; an encrypted key file is refused. */
int key_no_password(char *buf, int size, int rw, void *unused);

enum key_place key_place_of(struct span file);

#endif

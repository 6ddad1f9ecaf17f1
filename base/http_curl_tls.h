#ifndef SMPIPE_BASE_HTTP_CURL_TLS_H
#define SMPIPE_BASE_HTTP_CURL_TLS_H

/*
 * What base/http_curl asks of TLS, beyond libcurl's own checks; there is no switch that asks for less. TLS 1.2 or
 * newer; keys of at least 2048 bits (RSA) and no SHA-1 signatures (OpenSSL's security level 2), whatever openssl.cnf
 * says; the server's name stands in subjectAltName, as RFC 6125 and all browsers have it: the CN alone names nobody.
 */

#include <curl/curl.h>

/* ca_file: the only authorities to trust; NULL or "": the system's. */
void http_curl_set_tls(CURL *easy, const char *ca_file);

#endif

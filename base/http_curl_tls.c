#include "base/http_curl_tls.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>

static bool has_alternative_name(X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		found = name->type == GEN_DNS || name->type == GEN_IPADD;
	}
	GENERAL_NAMES_free(names);
	return found;
}

/* libcurl falls back to the CN when a certificate names no host otherwise. */
static int refuse_name_in_cn(int is_ok, X509_STORE_CTX *store)
{
	if (!is_ok || X509_STORE_CTX_get_error_depth(store) > 0)
		return is_ok;
	if (has_alternative_name(X509_STORE_CTX_get_current_cert(store)))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

static CURLcode on_context(CURL *easy, void *context, void *unused)
{
	(void)easy;
	(void)unused;
	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, refuse_name_in_cn);
	return CURLE_OK;
}

void http_curl_set_tls(CURL *easy, const char *ca_file)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* A libcurl on another TLS library would leave these checks out. */
	if (curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context) != CURLE_OK)
		abort();
	if (!ca_file || !*ca_file)
		return;
	curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

#include "local/server.h"

#include <stdarg.h>
#include <string.h>

#include "aws/partition.h"
#include "aws/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

void local_request_release(struct local_request *req)
{
	free(req->method);
	free(req->path);
	free(req->query);
	http_headers_release(&req->headers);
	free(req->body);
	mem_close_p(&req->body_fd);
	free(req->request_id);
	free(req->region);
	free(req->service);
	*req = (struct local_request){ .body_fd = -1 };
}

void local_response_init(struct local_response *resp, const struct local_request *req)
{
	*resp = (struct local_response){ .file_fd = -1, .request_id = req->request_id };
}

void local_response_release(struct local_response *resp)
{
	http_headers_release(&resp->headers);
	free(resp->body);
	mem_close_p(&resp->file_fd);
	*resp = (struct local_response){ .file_fd = -1 };
}

char *local_form_get(const char *form, const char *name)
{
	auto_strlist pairs = { 0 };
	size_t name_n = strlen(name);

	str_split(&pairs, form, '&');
	for (size_t i = 0; i < pairs.n; i++) {
		const char *pair = pairs.v[i];

		if (strncmp(pair, name, name_n))
			continue;
		if (!pair[name_n])
			return xstrdup("");
		if (pair[name_n] == '=')
			return str_uri_decode(pair + name_n + 1);
	}
	return NULL;
}

char *local_query_get(const struct local_request *req, const char *name)
{
	return local_form_get(req->query, name);
}

bool local_query_has(const struct local_request *req, const char *name)
{
	auto_free char *value = local_query_get(req, name);

	return value;
}

/* Takes body over. */
static void respond(struct local_response *resp, int status, const char *content_type, char *body)
{
	mem_close_p(&resp->file_fd);
	resp->file_fd = -1;
	resp->is_head = false;
	resp->status = status;
	http_headers_set(&resp->headers, "Content-Type", content_type);
	free(resp->body);
	resp->body = body;
	resp->n = strlen(body);
}

void local_respond_json(struct local_response *resp, int status, json_t *body)
{
	auto_json *owned = body;

	respond(resp, status, "application/x-amz-json-1.1", json_compact(owned));
}

void local_respond_json_error(struct local_response *resp, int status, const char *code, const char *fmt, ...)
{
	auto_free char *message = NULL;
	json_t *body = json_object();
	va_list ap;

	va_start(ap, fmt);
	message = xvasprintf(fmt, ap);
	va_end(ap);
	json_put_str(body, "__type", code);
	json_put_str(body, "message", message);
	local_respond_json(resp, status, body);
}

void local_respond_xml(struct local_response *resp, int status, const char *xml)
{
	respond(resp, status, "application/xml", xstrdup(xml));
}

static void add_code_and_message(struct str *xml, const char *code, const char *message)
{
	str_addf(xml, "<Code>%s</Code><Message>", code);
	xml_escape(xml, message);
	str_add(xml, "</Message>");
}

void local_respond_s3_error(struct local_response *resp, int status, const char *code, const char *fmt, ...)
{
	auto_free char *message = NULL;
	auto_str xml = { 0 };
	va_list ap;

	va_start(ap, fmt);
	message = xvasprintf(fmt, ap);
	va_end(ap);
	str_add(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
	add_code_and_message(&xml, code, message);
	str_addf(&xml, "<RequestId>%s</RequestId></Error>", resp->request_id ? resp->request_id : "");
	local_respond_xml(resp, status, str_text(&xml));
}

void local_respond_query_error(struct local_response *resp, int status, const char *code, const char *fmt, ...)
{
	auto_free char *message = NULL;
	auto_str xml = { 0 };
	va_list ap;

	va_start(ap, fmt);
	message = xvasprintf(fmt, ap);
	va_end(ap);
	str_addf(&xml, "<ErrorResponse xmlns=\"%s\"><Error><Type>Sender</Type>", partition_sts_xmlns);
	add_code_and_message(&xml, code, message);
	str_addf(&xml, "</Error><RequestId>%s</RequestId></ErrorResponse>", resp->request_id ? resp->request_id : "");
	respond(resp, status, "text/xml", str_detach(&xml));
}

/* The form of RFC 9110 section 5.6.7; the names are English in every locale. */
char *local_http_date(time_t t)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	gmtime_r(&t, &tm);
	return xasprintf("%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
			 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

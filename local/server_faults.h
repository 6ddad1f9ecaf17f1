#ifndef SMPIPE_LOCAL_SERVER_FAULTS_H
#define SMPIPE_LOCAL_SERVER_FAULTS_H

/* How the server carries out the faults of local/faults.h. */

#include <microhttpd.h>
#include <stdbool.h>

#include "base/sys.h"
#include "local/faults.h"
#include "local/server.h"

/* Break the connection as a router does that forgot it: the other end gets RST at once. */
void server_fault_reset(struct MHD_Connection *connection);

/* Wait number ms, or until the process is to end. */
void server_fault_wait(const struct fault *fault, const struct sys *sys);

/* Whether the fault answers in place of the service: then resp is filled. */
bool server_fault_answer(const struct fault *fault, const struct local_request *req, struct local_response *resp);

/* Make what the service answered wrong, where the fault says so. */
void server_fault_spoil(const struct fault *fault, struct local_response *resp);

/* The answer's body, slow or cut off; takes it over. NULL: the fault leaves bodies alone, or there is none. */
struct MHD_Response *server_fault_response(const struct fault *fault, struct local_response *resp,
					   const struct sys *sys);

#endif

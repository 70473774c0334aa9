/* "admin" of a host file. */
#include "io/host_admin.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

const cyaml_schema_field_t host_admin_fields[] = {
	CYAML_FIELD_STRING_PTR("socket",
			       CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct host_admin, socket, 1, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

int host_admin_fill(struct host_admin *a, const char *program)
{
	char path[64];

	if (a->socket != NULL)
		return 0;
	(void)snprintf(path, sizeof(path), "/run/%s/admin.sock", program);
	/* freed by libcyaml, which takes its memory from malloc() too */
	a->socket = strdup(path);
	return a->socket == NULL ? FED_ENOMEM : 0;
}

int host_admin_check(const struct host_place *at, const struct host_admin *a)
{
	enum { PATH_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path) };

	if (a->socket[0] != '/')
		return host_complain(at, "admin.socket",
				     "\"%s\" is not an absolute path, expected "
				     "such as \"/run/fe-gateway/admin.sock\"",
				     a->socket);
	if (strlen(a->socket) >= PATH_BYTES)
		return host_complain(at, "admin.socket",
				     "is %zu bytes long, expected at most %d "
				     "for the path of a socket",
				     strlen(a->socket), PATH_BYTES - 1);
	return 0;
}

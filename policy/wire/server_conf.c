/* See server_conf.h. */
#include "policy/wire/server_conf.h"
#include "policy/wire/program.h"

const char *const server_sections[] = {SERVER_COLLECTOR, SERVER_CONSOLE, SERVER_REPORT, SERVER_TIMESTAMP, NULL};

int server_conf_former(const char *section, char out[SERVER_PATH_MAX])
{
	char path[64];

	if (!strcmp(section, SERVER_COLLECTOR))
		return V_NOT_FOUND;
	snprintf(path, sizeof(path), "/etc/sekisho/%s.conf", section);
	return program_path(out, SERVER_PATH_MAX, path);
}

int server_conf_load(const char *path, const char *section, const struct conf_key *keys, void *into, struct why *why)
{
	struct conf_part part = {.all = server_sections, .section = section, .own = path != NULL};
	struct conf_given given = {.line = {0}};
	char usual[SERVER_PATH_MAX], former[SERVER_PATH_MAX];
	int r;

	if (path)
		return conf_load_part(path, &part, keys, into, NULL, why);
	r = program_path(usual, sizeof(usual), SERVER_CONF_PATH);
	r = r ? r : conf_load_part(usual, &part, keys, into, &given, why);
	if (r && r != V_NOT_FOUND)
		return r;
	part.own = true;
	r = server_conf_former(section, former);
	r = r ? r : conf_load_part(former, &part, keys, into, &given, why);
	return r == V_NOT_FOUND ? 0 : r;
}

int server_conf_find(const char *section, const char *key, char *out, size_t size, struct why *why)
{
	struct conf_part part = {.all = server_sections, .section = section};
	char path[SERVER_PATH_MAX];
	int r = program_path(path, sizeof(path), SERVER_CONF_PATH);

	r = r ? r : conf_find(path, &part, key, out, size, why);
	if (r != V_NOT_FOUND)
		return r;
	r = server_conf_former(section, path);
	return r ? r : conf_find(path, NULL, key, out, size, why);
}

/*
 * What the installed packages themselves say of their files: SHA-256, mode and path of each, and the version. The build
 * of a package writes it (packaging/manifest); the guard compares with it what a package manager changed. It proves
 * that what lies there is what some package brought, not that the package is ours: that is the package manager's to
 * verify, and the hash of the manifests, which is in the record, says which build it was.
 *
 *   sekisho-manifest 1 VERSION
 *   SHA-256 in hex, mode in octal, path      one file a line, in any order
 */
#ifndef SEKISHO_SERVICE_MANIFEST_H
#define SEKISHO_SERVICE_MANIFEST_H

#include "policy/base/buf.h"
#include "policy/base/cleanup.h"
#include "policy/trust/digest.h"
#include <stdbool.h>

#define MANIFEST_DIR "/usr/lib/sekisho/manifest"
#define MANIFEST_FILES_MAX 2048u
#define MANIFEST_BYTES_MAX (512u << 10)
#define MANIFEST_VERSION_SIZE 64u

struct manifest_file {
	char *path; /* below /usr/lib where the package says /lib */
	struct digest hash;
	unsigned mode; /* permission bits */
};

struct manifest {
	char version[MANIFEST_VERSION_SIZE]; /* "" where there is none; of several packages, the first's by name */
	struct manifest_file *files;         /* by path */
	unsigned files_n;
	struct digest hash; /* of all of them, one behind the other by name of their files; zeros where there is none */
};

/*
 * Adds what one package says. 0; V_BAD where it is none, is cut, or names more files than MANIFEST_FILES_MAX: `m` is as
 * before; -ENOMEM.
 */
int manifest_add(struct manifest *m, struct span text);
/*
 * Reads all of MANIFEST_DIR below `root`. A folder that is not there has no file, and one that is no manifest has none
 * either: what nobody speaks for is nobody's. 0, -errno.
 */
int manifest_read(const char *root, struct manifest *m);
const struct manifest_file *manifest_find(const struct manifest *m, const char *path);
void manifest_deinit(struct manifest *m);

#define _cleanup_manifest_ __attribute__((cleanup(manifest_deinit)))

#endif

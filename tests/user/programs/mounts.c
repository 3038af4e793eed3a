// Mounts in a namespace of its own: propagation from the root down, tmpfs, and a folder of the guest's bound elsewhere.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void mounts(const char* base) {
  char inside[64];
  snprintf(inside, sizeof inside, "%s/file", base);
  CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  CHECK(mount("none", base, "tmpfs", 0, "size=1m") == 0);
  CHECK(mkdir(inside, 0700) == 0 && umount(base) == 0 && access(inside, F_OK) == -1);
  const char* own = access("/programs", F_OK) == 0 ? "/programs" : "/tmp";  // the first is in the root alone
  snprintf(inside, sizeof inside, "%s/%s", base, own[1] == 'p' ? "mounts" : base + 5);
  CHECK(mount(own, base, NULL, MS_BIND, NULL) == 0 && access(inside, F_OK) == 0 && umount(base) == 0);
  CHECK_ERRNO(mount("/nowhere/at/all", base, NULL, MS_BIND, NULL), ENOENT);
  CHECK_ERRNO(mount("none", (char*)1, "tmpfs", 0, NULL), EFAULT);
}

int main(void) {
  char base[] = "/tmp/tiercel-mounts-XXXXXX";
  CHECK(mkdtemp(base) != NULL);
  pid_t pid = fork();
  if (pid == 0) {
    // Where namespaces are forbidden there is nothing to look at.
    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) == 0) mounts(base);
    _exit(check_failures != 0);
  }
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  CHECK(rmdir(base) == 0);
  return finish();
}

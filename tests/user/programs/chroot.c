// chroot: paths, programs and scripts below the new root, and nothing else.
// flags: -static
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static int copy(const char* from, const char* to) {
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
  char block[1 << 16];
  ssize_t n;
  while ((n = read(in, block, sizeof block)) > 0)
    if (write(out, block, (size_t)n) != n) return -1;
  close(in);
  return n < 0 || close(out) < 0 ? -1 : 0;
}

static int status_of(const char* program, const char* argument) {
  pid_t pid = fork();
  if (pid == 0) {
    execl(program, program, argument, NULL);
    _exit(errno == ENOENT ? 44 : 45);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int inside(const char* argument) {
  char cwd[64] = "", self[64] = "";
  if (!strcmp(argument, "script")) return 6;
  if (access("/usr", F_OK) == 0 || access("/file", F_OK) != 0 || chdir("/folder") != 0) return 1;
  if (!getcwd(cwd, sizeof cwd) || strcmp(cwd, "/folder")) return 2;
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0 || strcmp(self, "/folder/program")) return 3;
  if (access("../../../folder/../file", F_OK) != 0 || access("/out", F_OK) == 0) return 4;
  return 5;
}

int main(int argc, char** argv) {
  if (argc > 1) return inside(argv[1]);
  char base[] = "/tmp/tiercel-chroot-XXXXXX", path[128];
  CHECK(mkdtemp(base) != NULL);
  CHECK_ERRNO(chroot("/nowhere/at/all"), ENOENT);
  CHECK_ERRNO(chroot(""), ENOENT);
  CHECK_ERRNO(chroot("/proc/self/exe"), ENOTDIR);
  CHECK_ERRNO(chroot((char*)1), EFAULT);
  snprintf(path, sizeof path, "%s/folder", base);
  CHECK(mkdir(path, 0755) == 0);
  snprintf(path, sizeof path, "%s/folder/program", base);
  CHECK(copy("/proc/self/exe", path) == 0);
  snprintf(path, sizeof path, "%s/file", base);
  int file = open(path, O_WRONLY | O_CREAT, 0755);
  CHECK(write(file, "#!/folder/program script\n", 25) == 25 && close(file) == 0);
  snprintf(path, sizeof path, "%s/out", base);
  CHECK(symlink("/usr", path) == 0);

  // Without the right to it: root in a user namespace of its own has it again.
  pid_t pid = fork();
  if (pid == 0) {
    if (setuid(65534) == 0) _exit(chroot(base) == -1 && (errno == EPERM || errno == EACCES) ? 0 : 1);
    _exit(0);
  }
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);

  pid = fork();
  if (pid == 0) {
    if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0) _exit(0);
    CHECK(chdir(base) == 0 && chroot(".") == 0);
    CHECK(access("/file", F_OK) == 0 && access(base, F_OK) != 0);
    CHECK(status_of("/folder/program", "inside") == 5);
    CHECK(status_of("/file", "x") == 6 && status_of("/out/bin/env", "x") == 44);
    CHECK(chroot("folder") == 0 && access("/program", F_OK) == 0 && access("/../file", F_OK) != 0);
    CHECK(chroot("/") == 0 && access("/program", F_OK) == 0);
    _exit(check_failures != 0);
  }
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  CHECK(access("/proc", F_OK) == 0 && access(base, F_OK) == 0);  // the parent's root is its own
  for (const char** name = (const char*[]){"/folder/program", "/file", "/out", "/folder", "", NULL}; *name; name++) {
    snprintf(path, sizeof path, "%s%s", base, *name);
    CHECK(remove(path) == 0);
  }
  return finish();
}

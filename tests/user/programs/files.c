// Files and directories. O_DIRECTORY, O_NOFOLLOW, O_DIRECT and O_LARGEFILE have other values here than on x86-64, and
// so does the layout of struct stat.
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static int entries(const char* path) {
  DIR* folder = opendir(path);
  int count = 0;
  if (!folder) return -1;
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}
static int remove_one(const char* path, const struct stat* info, int kind, struct FTW* walk) {
  (void)info, (void)kind, (void)walk;
  return remove(path);
}

int main(void) {
  char folder[] = "/tmp/tiercel-files-XXXXXX", here[4096];
  umask(022);
  CHECK(mkdtemp(folder) && chdir(folder) == 0);
  CHECK(getcwd(here, sizeof here) && !strcmp(here, folder));

  int file = open("one", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0640);
  CHECK(file >= 0);
  CHECK_ERRNO(open("one", O_CREAT | O_EXCL | O_RDWR, 0640), EEXIST);
  CHECK(write(file, "0123456789", 10) == 10 && lseek(file, -3, SEEK_END) == 7);
  char buffer[64] = {0};
  CHECK(read(file, buffer, 10) == 3 && !strcmp(buffer, "789"));
  CHECK(pwrite(file, "ab", 2, 4) == 2 && pread(file, buffer, 4, 3) == 4 && !memcmp(buffer, "3ab6", 4));
  CHECK(preadv(file, (struct iovec[]){{buffer, 2}, {buffer + 8, 3}}, 2, 1) == 5 && !memcmp(buffer + 8, "3ab", 3));
  struct stat info, other;
  CHECK(fstat(file, &info) == 0 && info.st_size == 10 && S_ISREG(info.st_mode) && (info.st_mode & 0777) == 0640);
  CHECK(info.st_nlink == 1 && info.st_uid == getuid() && info.st_blksize >= 512 && info.st_blocks <= 16);
  CHECK(stat("one", &other) == 0 && other.st_ino == info.st_ino && other.st_dev == info.st_dev);
  CHECK(llabs(info.st_mtim.tv_sec - time(NULL)) < 100 && info.st_mtim.tv_nsec < 1000000000);
  struct statx extended;
  CHECK(statx(AT_FDCWD, "one", 0, STATX_BASIC_STATS, &extended) == 0 && extended.stx_size == 10 &&
        extended.stx_ino == info.st_ino);
  CHECK(ftruncate(file, 5) == 0 && fstat(file, &info) == 0 && info.st_size == 5);
  CHECK(fallocate(file, 0, 0, 100) == 0 || errno == EOPNOTSUPP);
  CHECK(fsync(file) == 0 && fdatasync(file) == 0);
  CHECK(futimens(file, (struct timespec[]){{1000, 5}, {2000, 6}}) == 0 && fstat(file, &info) == 0);
  CHECK(info.st_atim.tv_sec == 1000 && info.st_mtim.tv_sec == 2000 && info.st_mtim.tv_nsec == 6);

  CHECK(mkdir("sub", 0755) == 0 && mkdirat(AT_FDCWD, "sub/inner", 0700) == 0);
  CHECK_ERRNO(rmdir("sub"), ENOTEMPTY);
  int sub = open("sub", O_DIRECTORY | O_RDONLY | O_PATH);
  CHECK(sub >= 0);
  CHECK_ERRNO(open("one", O_DIRECTORY | O_RDONLY), ENOTDIR);
  CHECK(symlink("one", "link") == 0 && readlink("link", buffer, sizeof buffer) == 3);
  CHECK_ERRNO(open("link", O_NOFOLLOW | O_RDONLY), ELOOP);
  CHECK(lstat("link", &info) == 0 && S_ISLNK(info.st_mode) && info.st_size == 3);
  CHECK(fstatat(AT_FDCWD, "link", &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode));
  CHECK(symlink("loop-b", "loop-a") == 0 && symlink("loop-a", "loop-b") == 0);
  CHECK_ERRNO(open("loop-a", O_RDONLY), ELOOP);
  CHECK(openat(sub, "new", O_CREAT | O_WRONLY, 0600) >= 0 && faccessat(sub, "new", R_OK, 0) == 0);
  CHECK(link("one", "two") == 0 && stat("two", &info) == 0 && info.st_nlink == 2);
  CHECK(renameat(AT_FDCWD, "two", sub, "moved") == 0 && access("sub/moved", F_OK) == 0);
  CHECK_ERRNO(access("two", F_OK), ENOENT);
  CHECK(renameat2(AT_FDCWD, "one", AT_FDCWD, "sub/new", RENAME_EXCHANGE) == 0 || errno == EINVAL);
  CHECK(entries(".") == 7 && entries("sub") == 5);
  CHECK(unlinkat(sub, "inner", AT_REMOVEDIR) == 0);
  CHECK_ERRNO(unlinkat(sub, "inner", AT_REMOVEDIR), ENOENT);
  CHECK(fchdir(open("sub", O_RDONLY)) == 0 && getcwd(here, sizeof here) && strstr(here, "/sub"));
  CHECK(chdir("..") == 0);
  CHECK(chmod("one", 0600) == 0 && stat("one", &info) == 0 && (info.st_mode & 0777) == 0600);
  CHECK(mkfifo("fifo", 0600) == 0 && stat("fifo", &info) == 0 && S_ISFIFO(info.st_mode));
  CHECK(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3));

  // A directory large enough for several getdents64 calls, read from the middle again.
  CHECK(mkdir("many", 0755) == 0);
  for (int i = 0; i < 500; i++) {
    snprintf(buffer, sizeof buffer, "many/a-rather-long-name-%d", i);
    close(open(buffer, O_CREAT | O_WRONLY, 0600));
  }
  CHECK(entries("many") == 502);
  DIR* many = opendir("many");
  for (int i = 0; i < 100; i++) readdir(many);
  long place = telldir(many);
  char name[256];
  strcpy(name, readdir(many)->d_name);
  for (int i = 0; i < 50; i++) readdir(many);
  seekdir(many, place);
  CHECK(!strcmp(name, readdir(many)->d_name));
  closedir(many);

  // Descriptors.
  int copy = dup(file), high = fcntl(file, F_DUPFD_CLOEXEC, 50);
  CHECK(copy >= 0 && high >= 50 && fcntl(high, F_GETFD) == FD_CLOEXEC);
  CHECK(dup3(file, 60, O_CLOEXEC) == 60);
  CHECK_ERRNO(dup3(file, file, 0), EINVAL);
  // The kernel adds its O_LARGEFILE, which the C library of a 64-bit system calls 0.
  CHECK(fcntl(file, F_GETFL) == (O_RDWR | 0400000));
  CHECK(fcntl(file, F_SETFL, O_APPEND) == 0 && (fcntl(file, F_GETFL) & O_APPEND));
  CHECK(syscall(SYS_close_range, 60, 60, 0) == 0);
  CHECK_ERRNO(fcntl(60, F_GETFD), EBADF);

  // Locks are seen by another process.
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
  CHECK(fcntl(file, F_SETLK, &lock) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    struct flock query = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};
    _exit(fcntl(file, F_GETLK, &query) == 0 && query.l_type == F_WRLCK && query.l_pid == getppid() ? 0 : 1);
  }
  int status;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  CHECK(flock(file, LOCK_EX | LOCK_NB) == 0);

  int out = open("copy", O_CREAT | O_RDWR, 0600);
  off_t offset = 1;
  CHECK(sendfile(out, file, &offset, 3) == 3 && offset == 4);
  loff_t from = 0;
  CHECK(copy_file_range(file, &from, out, NULL, 4, 0) == 4 || errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP);
  struct statfs system;
  CHECK(statfs(".", &system) == 0 && system.f_bsize > 0 && system.f_namelen == 255);
  CHECK(setxattr("one", "user.tiercel", "v", 1, 0) == 0 || errno == EOPNOTSUPP);
  CHECK_ERRNO(open("", O_RDONLY), ENOENT);
  char* volatile nowhere = (char*)8;
  CHECK_ERRNO(open(nowhere, O_RDONLY), EFAULT);
  CHECK_ERRNO(pread(out, nowhere, 4, 0), EFAULT);
  CHECK_ERRNO(write(out, nowhere, 10), EFAULT);
  CHECK_ERRNO(stat("one", (struct stat*)nowhere), EFAULT);
  CHECK(chdir("/") == 0 && nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
  return finish();
}

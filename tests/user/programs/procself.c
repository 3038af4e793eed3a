// What /proc and the auxiliary vector say must be about the guest program, not about its translator.
// args: first second
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "check.h"

static size_t slurp(const char* path, char* buffer, size_t size) {
  int file = open(path, O_RDONLY);
  if (file < 0) return 0;
  size_t got = 0;
  ssize_t n;
  while (got < size - 1 && (n = read(file, buffer + got, size - 1 - got)) > 0) got += (size_t)n;
  close(file);
  buffer[got] = 0;
  return got;
}

int main(int argc, char** argv) {
  static char text[1 << 20];
  (void)argc;
  char exe[PATH_MAX] = {0}, real[PATH_MAX];
  CHECK(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
  CHECK(realpath(argv[0], real) && !strcmp(exe, real));
  char path[64], again[PATH_MAX] = {0};
  snprintf(path, sizeof path, "/proc/%d/exe", getpid());
  CHECK(readlink(path, again, sizeof again - 1) > 0 && !strcmp(again, exe));
  unsigned char head[20];
  int file = open("/proc/self/exe", O_RDONLY);
  CHECK(file >= 0 && read(file, head, sizeof head) == sizeof head && head[18] == EM_AARCH64);

  size_t size = slurp("/proc/self/cmdline", text, sizeof text);
  CHECK(size == strlen(argv[0]) + 1 + 6 + 7 && !strcmp(text, argv[0]));
  CHECK(!strcmp(text + strlen(argv[0]) + 1, "first"));
  slurp("/proc/self/comm", text, sizeof text);
  text[strcspn(text, "\n")] = 0;
  CHECK(strlen(text) > 0 && !strncmp(text, basename(exe), strlen(text)));
  CHECK(prctl(PR_SET_NAME, "renamed", 0, 0, 0) == 0);
  slurp("/proc/self/comm", text, sizeof text);
  CHECK(!strcmp(text, "renamed\n"));

  CHECK(slurp("/proc/self/maps", text, sizeof text) > 0);
  CHECK(strstr(text, exe) != NULL);
  CHECK(strstr(text, "[stack]") != NULL);
  // Each address of ours lies in a line of the map with the right permissions.
  uintptr_t inside[3] = {(uintptr_t)&main, (uintptr_t)&argc, (uintptr_t)text};
  const char* wanted[3] = {"r-x", "rw-", "rw-"};
  for (int i = 0; i < 3; i++) {
    int found = 0;
    for (char* line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
      unsigned long low, high;
      char rights[8];
      if (sscanf(line, "%lx-%lx %7s", &low, &high, rights) == 3 && inside[i] >= low && inside[i] < high)
        found = !strncmp(rights, wanted[i], 3);
    }
    CHECK(found);
  }

  size = slurp("/proc/self/auxv", text, sizeof text);
  Elf64_auxv_t* vector = (void*)text;
  uint64_t page = 0, entry = 0, phnum = 0;
  for (size_t i = 0; i < size / sizeof *vector; i++) {
    if (vector[i].a_type == AT_PAGESZ) page = vector[i].a_un.a_val;
    if (vector[i].a_type == AT_ENTRY) entry = vector[i].a_un.a_val;
    if (vector[i].a_type == AT_PHNUM) phnum = vector[i].a_un.a_val;
  }
  CHECK(page == 4096 && page == getauxval(AT_PAGESZ));
  CHECK(entry == getauxval(AT_ENTRY) && phnum == getauxval(AT_PHNUM) && phnum > 0);
  CHECK(!strcmp((char*)getauxval(AT_PLATFORM), "aarch64"));
  CHECK((getauxval(AT_HWCAP) & (HWCAP_FP | HWCAP_ASIMD)) == (HWCAP_FP | HWCAP_ASIMD));
  CHECK(getauxval(AT_RANDOM) != 0);
  CHECK(!strcmp(basename((char*)getauxval(AT_EXECFN)), basename(exe)));
  CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_SECURE) == 0);
  Elf64_Phdr* headers = (void*)getauxval(AT_PHDR);
  int loads = 0;
  for (uint64_t i = 0; i < phnum; i++) loads += headers[i].p_type == PT_LOAD;
  CHECK(loads >= 2);

  struct utsname name;
  CHECK(uname(&name) == 0 && !strcmp(name.machine, "aarch64") && !strcmp(name.sysname, "Linux"));
  // The ID registers that user mode may read agree with AT_HWCAP.
  uint64_t isar0, pfr0, midr;
  asm("mrs %0, ID_AA64ISAR0_EL1" : "=r"(isar0));
  asm("mrs %0, ID_AA64PFR0_EL1" : "=r"(pfr0));
  asm("mrs %0, MIDR_EL1" : "=r"(midr));
  CHECK(midr != 0);
  CHECK(((pfr0 >> 16) & 0xf) != 0xf && ((pfr0 >> 20) & 0xf) != 0xf);
  uint64_t hwcap = getauxval(AT_HWCAP);
  CHECK(!!(hwcap & HWCAP_AES) == ((isar0 >> 4 & 0xf) >= 1));
  CHECK(!!(hwcap & HWCAP_PMULL) == ((isar0 >> 4 & 0xf) >= 2));
  CHECK(!!(hwcap & HWCAP_SHA1) == ((isar0 >> 8 & 0xf) >= 1));
  CHECK(!!(hwcap & HWCAP_SHA2) == ((isar0 >> 12 & 0xf) >= 1));
  CHECK(!!(hwcap & HWCAP_CRC32) == ((isar0 >> 16 & 0xf) >= 1));
  CHECK(!!(hwcap & HWCAP_ATOMICS) == ((isar0 >> 20 & 0xf) >= 2));
  CHECK(!!(hwcap & HWCAP_ASIMDRDM) == ((isar0 >> 28 & 0xf) >= 1));
  uint64_t ctr, dczid;
  asm("mrs %0, CTR_EL0" : "=r"(ctr));
  asm("mrs %0, DCZID_EL0" : "=r"(dczid));
  CHECK((ctr >> 16 & 0xf) >= 2 && (ctr & 0xf) >= 2);
  if (!(dczid & 16)) {
    static char zeroed[4096] __attribute__((aligned(4096)));
    memset(zeroed, 1, sizeof zeroed);
    size_t block = 4ul << (dczid & 15);
    asm volatile("dc zva, %0" ::"r"(zeroed + block + 3) : "memory");
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof zeroed; i++) zeros += zeroed[i] == 0;
    CHECK(zeros == block && zeroed[block] == 0 && zeroed[2 * block - 1] == 0);
  }

  // Descriptors that belong to the translator are out of sight.
  DIR* folder = opendir("/proc/self/fd");
  int strange = 0;
  for (struct dirent* entry_; (entry_ = readdir(folder));) {
    int number = atoi(entry_->d_name);
    if (entry_->d_name[0] != '.' && number > 10) strange++;
  }
  closedir(folder);
  CHECK(strange == 0);
  return finish();
}

#include "user/paths.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tiercel::user {
namespace {

namespace fs = std::filesystem;

class PathsTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/var/tmp/tiercel-paths-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
    fs::create_directories(root_ + "/etc/alternatives");
    fs::create_directories(root_ + "/usr/bin");
    std::ofstream(root_ + "/usr/bin/real") << "x";
    fs::create_symlink("/usr/bin/real", root_ + "/etc/alternatives/tool");
    fs::create_symlink("/etc/alternatives/tool", root_ + "/usr/bin/tool");
    fs::create_symlink("usr/bin", root_ + "/bin");
    fs::create_symlink("../../../../etc", root_ + "/usr/up");
    fs::create_symlink("loop", root_ + "/loop");
  }
  void TearDown() override { fs::remove_all(root_); }
  std::string root_;
};

TEST_F(PathsTest, FollowsLinksInsideTheRoot) {
  const Paths paths(root_, false);
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/usr/bin/tool", Paths::Last::Follow).path, root_ + "/usr/bin/real");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/bin/tool", Paths::Last::Keep).path, root_ + "/usr/bin/tool");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/usr/up", Paths::Last::Follow).path, root_ + "/etc");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/loop", Paths::Last::Follow).error, ELOOP);
}

TEST_F(PathsTest, FallsBackOnTheHostForLookingOnly) {
  const Paths paths(root_, false), strict(root_, true);
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/etc/passwd", Paths::Last::Follow).path, "/etc/passwd");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/etc/passwd", Paths::Last::Follow, Paths::Use::Change).path,
            root_ + "/etc/passwd");
  EXPECT_EQ(strict.resolve(AT_FDCWD, "/etc/passwd", Paths::Last::Follow).path, root_ + "/etc/passwd");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/nowhere/at/all", Paths::Last::Follow).path, "/nowhere/at/all");
  EXPECT_EQ(strict.resolve(AT_FDCWD, "/nowhere/at/all", Paths::Last::Follow).error, ENOENT);
}

TEST_F(PathsTest, KeepsTheHostsOwnDirectories) {
  const Paths paths(root_, false), strict(root_, true);
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/proc/self/maps", Paths::Last::Follow).path, "/proc/self/maps");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/tmp/x", Paths::Last::Keep, Paths::Use::Change).path, "/tmp/x");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/processes", Paths::Last::Keep, Paths::Use::Change).path, root_ + "/processes");
}

// The host's kernel must not follow it: it would look outside the root.
TEST_F(PathsTest, LinksThatLeadNowhereInTheRoot) {
  const Paths paths(root_, false), strict(root_, true);
  fs::create_symlink("/boot", root_ + "/etc/far");
  fs::create_symlink("../usr/new", root_ + "/etc/near");
  fs::create_symlink("../proc/self/mounts", root_ + "/etc/mtab");
  EXPECT_EQ(strict.resolve(AT_FDCWD, "/etc/far", Paths::Last::Follow).path, root_ + "/boot");
  EXPECT_EQ(strict.resolve(AT_FDCWD, "/etc/far", Paths::Last::Keep).path, root_ + "/etc/far");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/etc/far", Paths::Last::Follow).path, "/boot");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/etc/far", Paths::Last::Follow, Paths::Use::Change).path, root_ + "/boot");
  EXPECT_EQ(strict.resolve(AT_FDCWD, "/etc/near", Paths::Last::Follow, Paths::Use::Change).path, root_ + "/usr/new");
  EXPECT_EQ(strict.resolve(AT_FDCWD, "/etc/mtab", Paths::Last::Follow).path, "/proc/self/mounts");
  const int etc = open((root_ + "/etc").c_str(), O_PATH | O_DIRECTORY);
  EXPECT_EQ(strict.resolve(etc, "far", Paths::Last::Follow).path, root_ + "/boot");
  EXPECT_EQ(strict.resolve(etc, "mtab", Paths::Last::Follow).path, "/proc/self/mounts");
  close(etc);
}

// As python's venv makes them in any folder: bin/python3 -> /usr/bin/python3.
TEST_F(PathsTest, AbsoluteLinksOutsideTheRootLeadIntoIt) {
  char name[] = "/tmp/tiercel-paths-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  const std::string outside = name;
  fs::create_directory(outside + "/folder");
  fs::create_symlink("/usr/bin/tool", outside + "/folder/tool");
  fs::create_symlink("folder/tool", outside + "/relative");
  fs::create_symlink("/usr/bin", outside + "/programs");
  fs::create_symlink("folder", outside + "/plain");
  fs::create_symlink(outside + "/round", outside + "/round");
  const Paths paths(root_, false);
  const std::string real = root_ + "/usr/bin/real";
  EXPECT_EQ(paths.resolve(AT_FDCWD, (outside + "/folder/tool").c_str(), Paths::Last::Follow).path, real);
  EXPECT_EQ(paths.resolve(AT_FDCWD, (outside + "/relative").c_str(), Paths::Last::Follow).path, real);
  EXPECT_EQ(paths.resolve(AT_FDCWD, (outside + "/relative").c_str(), Paths::Last::Keep).path, outside + "/relative");
  EXPECT_EQ(paths.resolve(AT_FDCWD, (outside + "/programs/new").c_str(), Paths::Last::Keep, Paths::Use::Change).path,
            root_ + "/usr/bin/new");
  EXPECT_EQ(paths.resolve(AT_FDCWD, (outside + "/programs/../bin/real").c_str(), Paths::Last::Follow).path, real);
  EXPECT_EQ(paths.resolve(AT_FDCWD, (outside + "/plain/new").c_str(), Paths::Last::Follow, Paths::Use::Change).path,
            outside + "/plain/new");
  EXPECT_EQ(paths.resolve(AT_FDCWD, (outside + "/round").c_str(), Paths::Last::Follow).error, ELOOP);
  const int folder = open(name, O_PATH | O_DIRECTORY);
  EXPECT_EQ(paths.resolve(folder, "relative", Paths::Last::Follow).path, real);
  EXPECT_EQ(paths.resolve(folder, "plain/x", Paths::Last::Follow).path, "plain/x");
  close(folder);
  fs::remove_all(outside);
}

TEST_F(PathsTest, RelativePathsInsideTheRoot) {
  const Paths paths(root_, false);
  const int directory = open((root_ + "/usr").c_str(), O_PATH | O_DIRECTORY);
  ASSERT_GE(directory, 0);
  EXPECT_EQ(paths.resolve(directory, "bin/tool", Paths::Last::Follow).path, root_ + "/usr/bin/real");
  EXPECT_EQ(paths.resolve(directory, "bin/new", Paths::Last::Keep, Paths::Use::Change).path, root_ + "/usr/bin/new");
  close(directory);
  EXPECT_EQ(paths.resolve(AT_FDCWD, "some/file", Paths::Last::Follow).path, "some/file");
}

// As rsync walks: a descriptor of "/", then one component at a time.
TEST_F(PathsTest, WalksFromTheRootIntoTheHostsOwnDirectories) {
  const Paths paths(root_, false), strict(root_, true);
  const int top = open(root_.c_str(), O_PATH | O_DIRECTORY);
  ASSERT_GE(top, 0);
  EXPECT_EQ(paths.resolve(top, "tmp", Paths::Last::Keep).path, "/tmp");
  EXPECT_EQ(paths.resolve(top, "./tmp//x", Paths::Last::Keep, Paths::Use::Change).path, "/tmp/x");
  EXPECT_EQ(paths.resolve(top, "usr/bin/../../proc/self/maps", Paths::Last::Follow).path, "/proc/self/maps");
  EXPECT_EQ(strict.resolve(top, "tmp", Paths::Last::Keep, Paths::Use::Change).path, root_ + "/tmp");
  EXPECT_EQ(strict.resolve(top, "proc", Paths::Last::Follow).path, "/proc");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/usr/../tmp/x", Paths::Last::Keep, Paths::Use::Change).path, "/tmp/x");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "//tmp/x", Paths::Last::Keep, Paths::Use::Change).path, "/tmp/x");
  close(top);
}

TEST_F(PathsTest, WalksBackFromTheHostsOwnDirectoriesIntoTheRoot) {
  const Paths paths(root_, false);
  char name[] = "/tmp/tiercel-paths-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  const int directory = open(name, O_PATH | O_DIRECTORY);
  ASSERT_GE(directory, 0);
  EXPECT_EQ(paths.resolve(directory, "../../usr/bin/tool", Paths::Last::Follow).path, root_ + "/usr/bin/real");
  EXPECT_EQ(paths.resolve(directory, "../..", Paths::Last::Follow).path, root_);
  EXPECT_EQ(paths.resolve(directory, "../x", Paths::Last::Follow).path, "../x");
  EXPECT_EQ(paths.resolve(directory, "missing/../../../usr/bin/real", Paths::Last::Follow).path,
            "missing/../../../usr/bin/real");
  EXPECT_EQ(paths.resolve(AT_FDCWD, "/tmp/../usr/bin/tool", Paths::Last::Follow).path, root_ + "/usr/bin/real");
  close(directory);
  rmdir(name);
}

TEST_F(PathsTest, ShowsTheGuestItsOwnView) {
  const Paths paths(root_, false);
  EXPECT_EQ(paths.guest_view(root_ + "/usr/bin"), "/usr/bin");
  EXPECT_EQ(paths.guest_view(root_), "/");
  EXPECT_EQ(paths.guest_view(root_ + "x"), root_ + "x");
  EXPECT_FALSE(Paths("/", false).has_root());
}

}  // namespace
}  // namespace tiercel::user

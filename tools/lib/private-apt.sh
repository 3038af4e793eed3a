# Sourced by the tools that fetch Debian bookworm's arm64 packages: an apt of their own, with its own sources, lists and
# archives, which touches nothing of this machine's. They define `say` and `die`, and set `cache`.
# shellcheck shell=bash

write_sources() {
  # This machine's own mirrors for bookworm, when it has them.
  local found
  found=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
    grep -E '/debian(-security)?/? bookworm(-updates|-security|/updates)?$' | sort -u || true)
  grep -q ' bookworm$' <<<"$found" || found="http://deb.debian.org/debian bookworm
http://deb.debian.org/debian bookworm-updates
http://deb.debian.org/debian-security bookworm-security"
  while read -r uri suite; do
    echo "deb [arch=arm64 signed-by=$keyring] $uri $suite main"
    echo "deb-src [signed-by=$keyring] $uri $suite main"
  done <<<"$found"
}

# apt-get, after use_private_apt.
apt() { apt-get -c "$state/apt.conf" -q "$@"; }

# use_private_apt STATUS-FILE: prepares `apt`, whose installed packages are those of STATUS-FILE, and reads the package
# lists. Sets `state`, the folder it works in. Others wait until this process ends.
use_private_apt() {
  local status=$1 tool
  for tool in apt-get dpkg-deb tar flock; do
    command -v $tool >/dev/null || die "$tool is needed; this works on Debian and its derivatives only"
  done
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -r $keyring ] || die "$keyring is missing: install debian-archive-keyring"
  mkdir -p "$cache" || die "cannot create $cache"
  exec 8>"$cache/apt-arm64.lock"
  flock -n 8 || { say "waiting for another that fetches packages"; flock 8; }
  state=$cache/apt-arm64
  mkdir -p "$state"/{lists/partial,archives/partial,etc/preferences.d,etc/apt.conf.d,log}
  write_sources >"$state/etc/sources.list"
  cat >"$state/apt.conf" <<EOF
APT::Architecture "arm64";
#clear APT::Architectures;
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Dir::Etc::sourcelist "$state/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$state";
Dir::State::lists "$state/lists";
Dir::State::status "$status";
Dir::State::extended_states "$state/extended_states";
Dir::Cache "$state";
Dir::Cache::archives "$state/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "$state/log";
EOF
  say "reading the package lists"
  apt update >"$state/log/update" 2>&1 ||
    { tail -5 "$state/log/update" >&2; die "cannot read the package lists of Debian bookworm: is there a network?"; }
  if grep -q '^Err:' "$state/log/update" && [ ! -e "$state/pkgcache.bin" ] && ! ls "$state"/lists/*Packages* >/dev/null 2>&1; then
    tail -5 "$state/log/update" >&2
    die "cannot read the package lists of Debian bookworm: is there a network?"
  fi
}

# fetch_packages PACKAGE...: sets `plan` to the files, in $state/archives, of these packages and all they need that is not
# installed.
fetch_packages() {
  # apt names only files it would have to fetch, so it is shown an empty archive folder.
  mkdir -p "$state/nothing/partial"
  plan=$(apt -o Dir::Cache::archives="$state/nothing" install --print-uris -y "$@" 2>"$state/log/plan" | sed -n "s/^'[^']*' \([^ ]*\) .*/\1/p") || {
    cat "$state/log/plan" >&2
    die "apt cannot resolve: $*"
  }
  say "downloading $(wc -w <<<"$plan") packages (kept in $state/archives)"
  apt install --download-only -y "$@" 2>&1 |
    awk '!/^(Get|Err|E|W):/ { next } /^Get/ { printf "  %-4s %s\n", ++n, $5 " " $7 > "/dev/stderr"; next } { print > "/dev/stderr" }'
  [ "${PIPESTATUS[0]}" = 0 ] || die "download failed; run the same command again to continue"
}

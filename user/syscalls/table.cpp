// Every system call of arm64 Linux 6.1 (uapi/asm-generic/unistd.h) and how it is answered.
#include <sys/syscall.h>

#include <array>

#include "user/syscalls/directories.h"
#include "user/syscalls/dispatch.h"
#include "user/syscalls/files.h"
#include "user/syscalls/memory_calls.h"
#include "user/syscalls/process_calls.h"
#include "user/syscalls/signal_calls.h"

namespace tiercel::user {

namespace {

constexpr SystemCallRow row(u16 number, const char* name, CallClass cls, bool restarts, int host, CallHandler handler,
                            const char* format) {
  return {number, name, cls, restarts, static_cast<s16>(host), handler, format};
}
constexpr SystemCallRow pass(u16 number, const char* name, int host, const char* format) {
  return row(number, name, CallClass::Pass, false, host, nullptr, format);
}
constexpr SystemCallRow pass_restarting(u16 number, const char* name, int host, const char* format) {
  return row(number, name, CallClass::Pass, true, host, nullptr, format);
}
constexpr SystemCallRow convert(u16 number, const char* name, CallHandler handler, const char* format) {
  return row(number, name, CallClass::Convert, false, -1, handler, format);
}
constexpr SystemCallRow convert_restarting(u16 number, const char* name, CallHandler handler, const char* format) {
  return row(number, name, CallClass::Convert, true, -1, handler, format);
}
constexpr SystemCallRow emulate(u16 number, const char* name, CallHandler handler, const char* format) {
  return row(number, name, CallClass::Emulate, false, -1, handler, format);
}
constexpr SystemCallRow refuse(u16 number, const char* name, const char* format) {
  return row(number, name, CallClass::Refuse, false, -1, nullptr, format);
}

// Refused: ptrace, seccomp and rseq would see or change Tiercel instead of the guest; memory keys and secret memory
// have no counterpart for translated code; loading kernel modules, kernels and BPF programs is another architecture's
// business; io_uring takes paths, open flags and epoll events from shared memory, where nothing can convert them; the
// rest is obsolete.
constexpr auto kRows = std::to_array<SystemCallRow>({
    // Asynchronous I/O
    pass(0, "io_setup", SYS_io_setup, "up"),
    pass(1, "io_destroy", SYS_io_destroy, "x"),
    pass(2, "io_submit", SYS_io_submit, "xip"),
    pass(3, "io_cancel", SYS_io_cancel, "xpp"),
    pass(4, "io_getevents", SYS_io_getevents, "xiipt"),
    // Extended attributes
    convert(5, "setxattr", path_call<SYS_setxattr, kNone, 0, kNone, Paths::Last::Follow, Paths::Use::Change>, "sspux"),
    convert(6, "lsetxattr", path_call<SYS_lsetxattr, kNone, 0, kNone, Paths::Last::Keep, Paths::Use::Change>, "sspux"),
    pass(7, "fsetxattr", SYS_fsetxattr, "fspux"),
    convert(8, "getxattr", path_call<SYS_getxattr, kNone, 0, kNone, Paths::Last::Follow, Paths::Use::Look>, "sspu"),
    convert(9, "lgetxattr", path_call<SYS_lgetxattr, kNone, 0, kNone, Paths::Last::Keep, Paths::Use::Look>, "sspu"),
    pass(10, "fgetxattr", SYS_fgetxattr, "fspu"),
    convert(11, "listxattr", path_call<SYS_listxattr, kNone, 0, kNone, Paths::Last::Follow, Paths::Use::Look>, "spu"),
    convert(12, "llistxattr", path_call<SYS_llistxattr, kNone, 0, kNone, Paths::Last::Keep, Paths::Use::Look>, "spu"),
    pass(13, "flistxattr", SYS_flistxattr, "fpu"),
    convert(14, "removexattr", path_call<SYS_removexattr, kNone, 0, kNone, Paths::Last::Follow, Paths::Use::Change>,
            "ss"),
    convert(15, "lremovexattr", path_call<SYS_lremovexattr, kNone, 0, kNone, Paths::Last::Keep, Paths::Use::Change>,
            "ss"),
    pass(16, "fremovexattr", SYS_fremovexattr, "fs"),
    // Files and directories
    convert(17, "getcwd", sys_getcwd, "pu"),
    refuse(18, "lookup_dcookie", "xpu"),
    pass(19, "eventfd2", SYS_eventfd2, "ux"),
    pass(20, "epoll_create1", SYS_epoll_create1, "x"),
    convert(21, "epoll_ctl", sys_epoll_ctl, "fEfp"),
    convert(22, "epoll_pwait", sys_epoll_pwait, "fpiiqu"),
    pass(23, "dup", SYS_dup, "f"),
    convert(24, "dup3", sys_dup3, "ffo"),
    convert_restarting(25, "fcntl", sys_fcntl, "fCx"),
    pass(26, "inotify_init1", SYS_inotify_init1, "x"),
    convert(27, "inotify_add_watch",
            path_call<SYS_inotify_add_watch, kNone, 1, kNone, Paths::Last::Follow, Paths::Use::Look>, "fsx"),
    pass(28, "inotify_rm_watch", SYS_inotify_rm_watch, "fi"),
    pass_restarting(29, "ioctl", SYS_ioctl, "fnx"),
    pass(30, "ioprio_set", SYS_ioprio_set, "iii"),
    pass(31, "ioprio_get", SYS_ioprio_get, "ii"),
    pass_restarting(32, "flock", SYS_flock, "fx"),
    convert(33, "mknodat", path_call<SYS_mknodat, 0, 1, kNone, Paths::Last::Keep, Paths::Use::Change>, "asmx"),
    convert(34, "mkdirat", path_call<SYS_mkdirat, 0, 1, kNone, Paths::Last::Keep, Paths::Use::Change>, "asm"),
    convert(35, "unlinkat", path_call<SYS_unlinkat, 0, 1, kNone, Paths::Last::Keep, Paths::Use::Change>, "asx"),
    convert(36, "symlinkat", path_call<SYS_symlinkat, 1, 2, kNone, Paths::Last::Keep, Paths::Use::Change>, "sas"),
    convert(37, "linkat", sys_linkat, "asasx"),
    convert(38, "renameat", sys_renameat, "asas"),
    convert(39, "umount2", path_call<SYS_umount2, kNone, 0, kNone, Paths::Last::Follow, Paths::Use::Look>, "sx"),
    convert(40, "mount", sys_mount, "sssxp"),
    pass(41, "pivot_root", SYS_pivot_root, "ss"),
    refuse(42, "nfsservctl", "xpp"),
    convert(43, "statfs", path_call<SYS_statfs, kNone, 0, kNone, Paths::Last::Follow, Paths::Use::Look>, "sp"),
    pass(44, "fstatfs", SYS_fstatfs, "fp"),
    convert(45, "truncate", path_call<SYS_truncate, kNone, 0, kNone, Paths::Last::Follow, Paths::Use::Change>, "su"),
    pass(46, "ftruncate", SYS_ftruncate, "fu"),
    pass_restarting(47, "fallocate", SYS_fallocate, "fxuu"),
    convert(48, "faccessat", path_call<SYS_faccessat, 0, 1, kNone, Paths::Last::Follow, Paths::Use::Look>, "asm"),
    convert(49, "chdir", path_call<SYS_chdir, kNone, 0, kNone, Paths::Last::Follow, Paths::Use::Look>, "s"),
    pass(50, "fchdir", SYS_fchdir, "f"),
    convert(51, "chroot", sys_chroot, "s"),
    pass(52, "fchmod", SYS_fchmod, "fm"),
    convert(53, "fchmodat", path_call<SYS_fchmodat, 0, 1, kNone, Paths::Last::Follow, Paths::Use::Change>, "asm"),
    convert(54, "fchownat", path_call<SYS_fchownat, 0, 1, 4, Paths::Last::Follow, Paths::Use::Change>, "asiix"),
    pass(55, "fchown", SYS_fchown, "fii"),
    convert_restarting(56, "openat", sys_openat, "asom"),
    convert(57, "close", sys_close, "f"),
    pass(58, "vhangup", SYS_vhangup, ""),
    convert(59, "pipe2", sys_pipe2, "po"),
    pass(60, "quotactl", SYS_quotactl, "xsip"),
    pass(61, "getdents64", SYS_getdents64, "fpu"),
    pass(62, "lseek", SYS_lseek, "fiw"),
    pass_restarting(63, "read", SYS_read, "fpu"),
    pass_restarting(64, "write", SYS_write, "fbu"),
    pass_restarting(65, "readv", SYS_readv, "fpi"),
    pass_restarting(66, "writev", SYS_writev, "fpi"),
    pass_restarting(67, "pread64", SYS_pread64, "fpui"),
    pass_restarting(68, "pwrite64", SYS_pwrite64, "fbui"),
    pass_restarting(69, "preadv", SYS_preadv, "fpiuu"),
    pass_restarting(70, "pwritev", SYS_pwritev, "fpiuu"),
    pass_restarting(71, "sendfile", SYS_sendfile, "ffpu"),
    convert(72, "pselect6", sys_pselect6, "ippptp"),
    convert(73, "ppoll", sys_ppoll, "piqqu"),
    pass(74, "signalfd4", SYS_signalfd4, "fqux"),
    pass_restarting(75, "vmsplice", SYS_vmsplice, "fpux"),
    pass_restarting(76, "splice", SYS_splice, "fpfpux"),
    pass_restarting(77, "tee", SYS_tee, "ffux"),
    convert(78, "readlinkat", sys_readlinkat, "aspu"),
    convert(79, "newfstatat", sys_newfstatat, "aspx"),
    convert(80, "fstat", sys_fstat, "fp"),
    pass(81, "sync", SYS_sync, ""),
    pass_restarting(82, "fsync", SYS_fsync, "f"),
    pass_restarting(83, "fdatasync", SYS_fdatasync, "f"),
    pass(84, "sync_file_range", SYS_sync_file_range, "fuux"),
    pass(85, "timerfd_create", SYS_timerfd_create, "kx"),
    pass(86, "timerfd_settime", SYS_timerfd_settime, "fxpp"),
    pass(87, "timerfd_gettime", SYS_timerfd_gettime, "fp"),
    convert(88, "utimensat", path_call<SYS_utimensat, 0, 1, 3, Paths::Last::Follow, Paths::Use::Change>, "aspx"),
    pass(89, "acct", SYS_acct, "s"),
    // Processes
    pass(90, "capget", SYS_capget, "pp"),
    pass(91, "capset", SYS_capset, "pp"),
    emulate(92, "personality", sys_personality, "x"),
    emulate(93, "exit", sys_exit, "i"),
    emulate(94, "exit_group", sys_exit_group, "i"),
    pass_restarting(95, "waitid", SYS_waitid, "iipxp"),
    pass(96, "set_tid_address", SYS_set_tid_address, "p"),
    pass(97, "unshare", SYS_unshare, "c"),
    convert(98, "futex", sys_futex, "peitpu"),
    pass(99, "set_robust_list", SYS_set_robust_list, "pu"),
    pass(100, "get_robust_list", SYS_get_robust_list, "ipp"),
    // Time
    pass(101, "nanosleep", SYS_nanosleep, "tp"),
    pass(102, "getitimer", SYS_getitimer, "ip"),
    pass(103, "setitimer", SYS_setitimer, "ipp"),
    refuse(104, "kexec_load", "xxpx"),
    refuse(105, "init_module", "pus"),
    refuse(106, "delete_module", "sx"),
    pass(107, "timer_create", SYS_timer_create, "kpp"),
    pass(108, "timer_gettime", SYS_timer_gettime, "ip"),
    pass(109, "timer_getoverrun", SYS_timer_getoverrun, "i"),
    pass(110, "timer_settime", SYS_timer_settime, "ixpp"),
    pass(111, "timer_delete", SYS_timer_delete, "i"),
    pass(112, "clock_settime", SYS_clock_settime, "kt"),
    emulate(113, "clock_gettime", sys_clock_gettime, "kp"),
    pass(114, "clock_getres", SYS_clock_getres, "kp"),
    pass(115, "clock_nanosleep", SYS_clock_nanosleep, "kxtp"),
    pass(116, "syslog", SYS_syslog, "ipi"),
    refuse(117, "ptrace", "iixx"),
    // Scheduling
    pass(118, "sched_setparam", SYS_sched_setparam, "ip"),
    pass(119, "sched_setscheduler", SYS_sched_setscheduler, "iip"),
    pass(120, "sched_getscheduler", SYS_sched_getscheduler, "i"),
    pass(121, "sched_getparam", SYS_sched_getparam, "ip"),
    pass(122, "sched_setaffinity", SYS_sched_setaffinity, "iup"),
    pass(123, "sched_getaffinity", SYS_sched_getaffinity, "iup"),
    pass(124, "sched_yield", SYS_sched_yield, ""),
    pass(125, "sched_get_priority_max", SYS_sched_get_priority_max, "i"),
    pass(126, "sched_get_priority_min", SYS_sched_get_priority_min, "i"),
    pass(127, "sched_rr_get_interval", SYS_sched_rr_get_interval, "ip"),
    // Signals
    emulate(128, "restart_syscall", sys_restart_syscall, ""),
    pass(129, "kill", SYS_kill, "ig"),
    pass(130, "tkill", SYS_tkill, "ig"),
    pass(131, "tgkill", SYS_tgkill, "iig"),
    emulate(132, "sigaltstack", sys_sigaltstack, "pp"),
    emulate(133, "rt_sigsuspend", sys_rt_sigsuspend, "qu"),
    emulate(134, "rt_sigaction", sys_rt_sigaction, "gppu"),
    emulate(135, "rt_sigprocmask", sys_rt_sigprocmask, "hqpu"),
    emulate(136, "rt_sigpending", sys_rt_sigpending, "pu"),
    pass(137, "rt_sigtimedwait", SYS_rt_sigtimedwait, "qptu"),
    pass(138, "rt_sigqueueinfo", SYS_rt_sigqueueinfo, "igp"),
    emulate(139, "rt_sigreturn", sys_rt_sigreturn, ""),
    // Identity and limits
    pass(140, "setpriority", SYS_setpriority, "iii"),
    pass(141, "getpriority", SYS_getpriority, "ii"),
    pass(142, "reboot", SYS_reboot, "xxip"),
    pass(143, "setregid", SYS_setregid, "ii"),
    pass(144, "setgid", SYS_setgid, "i"),
    pass(145, "setreuid", SYS_setreuid, "ii"),
    pass(146, "setuid", SYS_setuid, "i"),
    pass(147, "setresuid", SYS_setresuid, "iii"),
    pass(148, "getresuid", SYS_getresuid, "ppp"),
    pass(149, "setresgid", SYS_setresgid, "iii"),
    pass(150, "getresgid", SYS_getresgid, "ppp"),
    pass(151, "setfsuid", SYS_setfsuid, "i"),
    pass(152, "setfsgid", SYS_setfsgid, "i"),
    pass(153, "times", SYS_times, "p"),
    pass(154, "setpgid", SYS_setpgid, "ii"),
    pass(155, "getpgid", SYS_getpgid, "i"),
    pass(156, "getsid", SYS_getsid, "i"),
    pass(157, "setsid", SYS_setsid, ""),
    pass(158, "getgroups", SYS_getgroups, "ip"),
    pass(159, "setgroups", SYS_setgroups, "ip"),
    emulate(160, "uname", sys_uname, "p"),
    pass(161, "sethostname", SYS_sethostname, "su"),
    pass(162, "setdomainname", SYS_setdomainname, "su"),
    emulate(163, "getrlimit", sys_getrlimit, "ip"),
    emulate(164, "setrlimit", sys_setrlimit, "ip"),
    pass(165, "getrusage", SYS_getrusage, "ip"),
    pass(166, "umask", SYS_umask, "m"),
    convert(167, "prctl", sys_prctl, "ixxxx"),
    pass(168, "getcpu", SYS_getcpu, "ppp"),
    emulate(169, "gettimeofday", sys_gettimeofday, "pp"),
    pass(170, "settimeofday", SYS_settimeofday, "pp"),
    pass(171, "adjtimex", SYS_adjtimex, "p"),
    pass(172, "getpid", SYS_getpid, ""),
    pass(173, "getppid", SYS_getppid, ""),
    pass(174, "getuid", SYS_getuid, ""),
    pass(175, "geteuid", SYS_geteuid, ""),
    pass(176, "getgid", SYS_getgid, ""),
    pass(177, "getegid", SYS_getegid, ""),
    pass(178, "gettid", SYS_gettid, ""),
    pass(179, "sysinfo", SYS_sysinfo, "p"),
    // IPC
    pass(180, "mq_open", SYS_mq_open, "soup"),
    pass(181, "mq_unlink", SYS_mq_unlink, "s"),
    pass_restarting(182, "mq_timedsend", SYS_mq_timedsend, "ipuut"),
    pass_restarting(183, "mq_timedreceive", SYS_mq_timedreceive, "ipupt"),
    pass(184, "mq_notify", SYS_mq_notify, "ip"),
    pass(185, "mq_getsetattr", SYS_mq_getsetattr, "ipp"),
    pass(186, "msgget", SYS_msgget, "xx"),
    pass(187, "msgctl", SYS_msgctl, "iip"),
    pass(188, "msgrcv", SYS_msgrcv, "ipuix"),
    pass(189, "msgsnd", SYS_msgsnd, "ipux"),
    pass(190, "semget", SYS_semget, "xix"),
    convert(191, "semctl", sys_semctl, "iiip"),
    pass(192, "semtimedop", SYS_semtimedop, "iput"),
    pass(193, "semop", SYS_semop, "ipu"),
    pass(194, "shmget", SYS_shmget, "xux"),
    pass(195, "shmctl", SYS_shmctl, "iip"),
    emulate(196, "shmat", sys_shmat, "ipx"),
    emulate(197, "shmdt", sys_shmdt, "p"),
    // Network
    pass(198, "socket", SYS_socket, "STi"),
    pass(199, "socketpair", SYS_socketpair, "STip"),
    convert(200, "bind", sys_bind, "fpu"),
    pass(201, "listen", SYS_listen, "fi"),
    pass_restarting(202, "accept", SYS_accept, "fpp"),
    convert_restarting(203, "connect", sys_connect, "fpu"),
    pass(204, "getsockname", SYS_getsockname, "fpp"),
    pass(205, "getpeername", SYS_getpeername, "fpp"),
    pass_restarting(206, "sendto", SYS_sendto, "fbuxpu"),
    pass_restarting(207, "recvfrom", SYS_recvfrom, "fpuxpp"),
    pass(208, "setsockopt", SYS_setsockopt, "fiipu"),
    pass(209, "getsockopt", SYS_getsockopt, "fiipp"),
    pass(210, "shutdown", SYS_shutdown, "fi"),
    pass_restarting(211, "sendmsg", SYS_sendmsg, "fpx"),
    pass_restarting(212, "recvmsg", SYS_recvmsg, "fpx"),
    pass(213, "readahead", SYS_readahead, "fuu"),
    // Memory
    emulate(214, "brk", sys_brk, "p"),
    emulate(215, "munmap", sys_munmap, "pu"),
    emulate(216, "mremap", sys_mremap, "puuxp"),
    pass(217, "add_key", SYS_add_key, "sspui"),
    pass(218, "request_key", SYS_request_key, "sssi"),
    pass(219, "keyctl", SYS_keyctl, "ixxxx"),
    emulate(220, "clone", sys_clone, "cpppp"),
    emulate(221, "execve", sys_execve, "svp"),
    emulate(222, "mmap", sys_mmap, "puMFfu"),
    pass(223, "fadvise64", SYS_fadvise64, "fuui"),
    pass(224, "swapon", SYS_swapon, "sx"),
    pass(225, "swapoff", SYS_swapoff, "s"),
    emulate(226, "mprotect", sys_mprotect, "puM"),
    pass(227, "msync", SYS_msync, "pux"),
    pass(228, "mlock", SYS_mlock, "pu"),
    pass(229, "munlock", SYS_munlock, "pu"),
    pass(230, "mlockall", SYS_mlockall, "x"),
    pass(231, "munlockall", SYS_munlockall, ""),
    pass(232, "mincore", SYS_mincore, "pup"),
    emulate(233, "madvise", sys_madvise, "pud"),
    refuse(234, "remap_file_pages", "puxux"),
    pass(235, "mbind", SYS_mbind, "puxpux"),
    pass(236, "get_mempolicy", SYS_get_mempolicy, "ppupx"),
    pass(237, "set_mempolicy", SYS_set_mempolicy, "ipu"),
    pass(238, "migrate_pages", SYS_migrate_pages, "iupp"),
    pass(239, "move_pages", SYS_move_pages, "iupppx"),
    pass(240, "rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo, "iigp"),
    pass(241, "perf_event_open", SYS_perf_event_open, "piifx"),
    pass_restarting(242, "accept4", SYS_accept4, "fppx"),
    pass_restarting(243, "recvmmsg", SYS_recvmmsg, "fpuxt"),
    pass_restarting(260, "wait4", SYS_wait4, "ipxp"),
    convert(261, "prlimit64", sys_prlimit64, "iipp"),
    pass(262, "fanotify_init", SYS_fanotify_init, "xx"),
    pass(263, "fanotify_mark", SYS_fanotify_mark, "fxxas"),
    convert(264, "name_to_handle_at",
            path_call<SYS_name_to_handle_at, 0, 1, kNone, Paths::Last::Keep, Paths::Use::Look>, "asppx"),
    convert(265, "open_by_handle_at", sys_open_by_handle_at, "fpo"),
    pass(266, "clock_adjtime", SYS_clock_adjtime, "kp"),
    pass(267, "syncfs", SYS_syncfs, "f"),
    pass(268, "setns", SYS_setns, "fx"),
    pass_restarting(269, "sendmmsg", SYS_sendmmsg, "fpux"),
    pass(270, "process_vm_readv", SYS_process_vm_readv, "ipupux"),
    pass(271, "process_vm_writev", SYS_process_vm_writev, "ipupux"),
    pass(272, "kcmp", SYS_kcmp, "iiixx"),
    refuse(273, "finit_module", "fsx"),
    pass(274, "sched_setattr", SYS_sched_setattr, "ipx"),
    pass(275, "sched_getattr", SYS_sched_getattr, "ipux"),
    convert(276, "renameat2", sys_renameat2, "asasx"),
    refuse(277, "seccomp", "xxp"),
    pass_restarting(278, "getrandom", SYS_getrandom, "pux"),
    pass(279, "memfd_create", SYS_memfd_create, "sx"),
    refuse(280, "bpf", "xpu"),
    emulate(281, "execveat", sys_execveat, "asvpx"),
    pass(282, "userfaultfd", SYS_userfaultfd, "x"),
    pass(283, "membarrier", SYS_membarrier, "ixi"),
    pass(284, "mlock2", SYS_mlock2, "pux"),
    pass_restarting(285, "copy_file_range", SYS_copy_file_range, "fpfpux"),
    pass_restarting(286, "preadv2", SYS_preadv2, "fpiuux"),
    pass_restarting(287, "pwritev2", SYS_pwritev2, "fpiuux"),
    emulate(288, "pkey_mprotect", sys_pkey_mprotect, "puMi"),
    refuse(289, "pkey_alloc", "xx"),
    refuse(290, "pkey_free", "i"),
    convert(291, "statx", path_call<SYS_statx, 0, 1, 2, Paths::Last::Follow, Paths::Use::Look>, "asxxp"),
    pass(292, "io_pgetevents", SYS_io_pgetevents, "xiiptp"),
    refuse(293, "rseq", "pxxx"),
    refuse(294, "kexec_file_load", "ffusx"),
    pass(424, "pidfd_send_signal", SYS_pidfd_send_signal, "fgpx"),
    refuse(425, "io_uring_setup", "up"),
    refuse(426, "io_uring_enter", "fuuxqu"),
    refuse(427, "io_uring_register", "fupu"),
    convert(428, "open_tree", path_call<SYS_open_tree, 0, 1, 2, Paths::Last::Follow, Paths::Use::Look>, "asx"),
    pass(429, "move_mount", SYS_move_mount, "asasx"),
    pass(430, "fsopen", SYS_fsopen, "sx"),
    pass(431, "fsconfig", SYS_fsconfig, "fxspi"),
    pass(432, "fsmount", SYS_fsmount, "fxx"),
    convert(433, "fspick", path_call<SYS_fspick, 0, 1, kNone, Paths::Last::Follow, Paths::Use::Look>, "asx"),
    pass(434, "pidfd_open", SYS_pidfd_open, "ix"),
    emulate(435, "clone3", sys_clone3, "pu"),
    convert(436, "close_range", sys_close_range, "uux"),
    convert_restarting(437, "openat2", sys_openat2, "aspu"),
    pass(438, "pidfd_getfd", SYS_pidfd_getfd, "ffx"),
    convert(439, "faccessat2", path_call<SYS_faccessat2, 0, 1, 3, Paths::Last::Follow, Paths::Use::Look>, "asmx"),
    pass(440, "process_madvise", SYS_process_madvise, "fpuix"),
    convert(441, "epoll_pwait2", sys_epoll_pwait2, "fpitqu"),
    convert(442, "mount_setattr", path_call<SYS_mount_setattr, 0, 1, kNone, Paths::Last::Follow, Paths::Use::Look>,
            "asxpu"),
    pass(443, "quotactl_fd", SYS_quotactl_fd, "fxip"),
    pass(444, "landlock_create_ruleset", SYS_landlock_create_ruleset, "pux"),
    pass(445, "landlock_add_rule", SYS_landlock_add_rule, "fxpx"),
    pass(446, "landlock_restrict_self", SYS_landlock_restrict_self, "fx"),
    refuse(447, "memfd_secret", "x"),
    pass(448, "process_mrelease", SYS_process_mrelease, "fx"),
    pass(449, "futex_waitv", SYS_futex_waitv, "puxtk"),
    pass(450, "set_mempolicy_home_node", SYS_set_mempolicy_home_node, "puix"),
});

constexpr std::size_t kNumbers = 512;

/// Index into kRows by number; kRows.size() where there is none.
constexpr auto kIndex = [] {
  std::array<u16, kNumbers> index{};
  index.fill(static_cast<u16>(kRows.size()));
  for (std::size_t i = 0; i < kRows.size(); ++i) index[kRows[i].number] = static_cast<u16>(i);
  return index;
}();

constexpr SystemCallRow kUnknown{};

}  // namespace

const SystemCallRow& system_call_row(u64 number) {
  const std::size_t index = number < kNumbers ? kIndex[number] : kRows.size();
  return index < kRows.size() ? kRows[index] : kUnknown;
}

std::span<const SystemCallRow> system_call_rows() {
  return kRows;
}

}  // namespace tiercel::user

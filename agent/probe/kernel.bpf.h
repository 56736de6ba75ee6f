/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's structures, as far as our programs look into them. Names and types are the kernel's; offsets are found
 * at load time on the kernel that runs (CO-RE), so a build needs no kernel's headers and fits from 5.10 on. A structure
 * that changed between kernels has one declaration for each form, told apart by a suffix behind three underscores.
 */
#ifndef SEKISHO_PROBE_KERNEL_BPF_H
#define SEKISHO_PROBE_KERNEL_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
typedef __s32 int32_t;
typedef long long loff_t;
typedef long ssize_t;
typedef unsigned short umode_t;
typedef _Bool bool;
#ifndef __SIZE_TYPE__
typedef unsigned long size_t;
#endif
#define true 1
#define false 0
#ifndef NULL
#define NULL ((void *)0)
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct atomic_long {
	long counter;
};

struct atomic_int {
	int counter;
};

struct kuid {
	u32 val;
};

struct cred {
	struct kuid uid, euid;
};

struct ns_common {
	u32 inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct rb_node {
	struct rb_node *rb_right, *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

/* All mounts of a namespace: since 6.8, and before. */
struct mnt_namespace___tree {
	struct rb_root mounts;
};

struct mount___tree {
	struct rb_node mnt_node;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct qstr {
	union {
		struct {
			u32 hash;
			u32 len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
};

struct file_system_type {
	const char *name;
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic, s_flags;
	struct file_system_type *s_type;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct inode {
	umode_t i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_rdev;
	loff_t i_size;
	struct hlist_head i_dentry;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	struct hlist_node d_u; /* a union, whose d_alias lies at its beginning */
};

struct list_head {
	struct list_head *next, *prev;
};

/* What is in a folder, newest first: since 6.8, and before. */
struct dentry___hlist {
	struct hlist_node d_sib;
	struct hlist_head d_children;
};

struct dentry___list {
	struct list_head d_child, d_subdirs;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_mounts, mnt_child;
	struct mnt_namespace *mnt_ns;
};

struct mnt_namespace___list {
	struct list_head list;
};

struct mount___list {
	struct list_head mnt_list;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode, f_flags;
	struct path f_path;
	struct inode *f_inode;
};

/* Before 6.13. */
struct file___count {
	struct atomic_long f_count;
};

/* Since 6.13: 0 is one reference. */
struct file_ref___new {
	struct atomic_long refcnt;
};

struct file___ref {
	struct file_ref___new f_ref;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec, *open_fds;
};

struct files_struct {
	struct atomic_int count;
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start, arg_end;
};

struct signal_struct {
	struct atomic_int live;
	unsigned int flags;
	int group_exit_code;
};

struct thread_info {
	u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	struct mm_struct *mm;
	int pid, tgid, exit_code;
	struct task_struct *real_parent, *group_leader;
	u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct kuid loginuid;
	unsigned int sessionid;
};

struct linux_binprm {
	const char *filename, *interp;
};

struct io_uring_cqe___kernel {
	s32 res;
};

struct io_kiocb {
	struct file *file;
	u8 opcode;
};

/* A request to close: lies where struct io_kiocb begins. */
struct io_close {
	int fd;
};

struct filename {
	const char *name;
};

struct io_unlink {
	int dfd, flags;
	struct filename *filename;
};

struct io_mkdir {
	int dfd;
	struct filename *filename;
};

/* Symbolic links too. */
struct io_link {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
};

struct io_rename {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
};

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
};

struct renamedata {
	struct dentry *old_dentry;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31], sp, pc, pstate;
};

struct pt_regs {
	struct user_pt_regs user_regs;
	u64 orig_x0;
	s32 syscallno;
};
struct pt_regs___arm64 {
	unsigned long orig_x0;
};
#endif

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id, seq_num;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key, *value;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop

/* bpf_tracing.h then takes the kernel's names of registers, not those of user space. */
#define __VMLINUX_H__
#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#endif

package watch

import (
	"bytes"
	"strings"
)

// auditTables are what the reader of Linux' audit log looks at.
type auditTables struct {
	keys        keys
	kind        []target
	id          []target
	commandLine []target
	image       []target
	call        []target
}

func newAuditTables(l *lineTables) auditTables {
	fixed := l.columns("type", "audit.id", "CommandLine", "Image", "SYSCALL")
	return auditTables{
		keys: l.keys("exe Image", "comm", "cwd CurrentDirectory", "proctitle CommandLine", "acct User", "hostname SourceHostname",
			"addr src_ip", "ppid ParentProcessId", "pid ProcessId", "ses LogonId", "name TargetFilename"),
		kind: fixed[0], id: fixed[1], commandLine: fixed[2], image: fixed[3], call: fixed[4],
	}
}

// auditKinds are the types of records by their numbers, as the kernel writes them where no daemon names them.
var auditKinds = map[string]string{
	"1100": "USER_AUTH", "1101": "USER_ACCT", "1102": "USER_MGMT", "1103": "CRED_ACQ", "1104": "CRED_DISP", "1105": "USER_START",
	"1106": "USER_END", "1107": "USER_AVC", "1108": "USER_CHAUTHTOK", "1109": "USER_ERR", "1112": "USER_LOGIN", "1113": "USER_LOGOUT",
	"1114": "ADD_USER", "1115": "DEL_USER", "1116": "ADD_GROUP", "1117": "DEL_GROUP", "1123": "USER_CMD", "1124": "USER_TTY",
	"1130": "SERVICE_START", "1131": "SERVICE_STOP", "1300": "SYSCALL", "1302": "PATH", "1303": "IPC", "1304": "SOCKETCALL",
	"1305": "CONFIG_CHANGE", "1306": "SOCKADDR", "1307": "CWD", "1309": "EXECVE", "1319": "TTY", "1320": "EOE", "1321": "BPRM_FCAPS",
	"1325": "NETFILTER_CFG", "1326": "SECCOMP", "1327": "PROCTITLE", "1330": "KERN_MODULE", "1400": "AVC", "1701": "ANOM_ABEND",
}

// auditCalls are the system calls of 64-bit x86 that rules and readers ask for, by number; a record that ausearch or the
// daemon has enriched names them itself.
var auditCalls = func() map[string]string {
	all := map[string]string{}
	for _, pair := range strings.Fields(`0=read 1=write 2=open 3=close 9=mmap 10=mprotect 41=socket 42=connect 43=accept 44=sendto
		49=bind 50=listen 56=clone 57=fork 58=vfork 59=execve 62=kill 76=truncate 77=ftruncate 80=chdir 82=rename 83=mkdir 84=rmdir
		85=creat 86=link 87=unlink 88=symlink 90=chmod 91=fchmod 92=chown 93=fchown 94=lchown 99=sysinfo 101=ptrace 103=syslog
		105=setuid 106=setgid 113=setreuid 117=setresuid 123=setfsuid 133=mknod 135=personality 155=pivot_root 159=adjtimex
		161=chroot 164=settimeofday 165=mount 166=umount2 169=reboot 170=sethostname 171=setdomainname 175=init_module
		176=delete_module 188=setxattr 227=clock_settime 246=kexec_load 257=openat 258=mkdirat 259=mknodat 260=fchownat 263=unlinkat
		264=renameat 265=linkat 266=symlinkat 268=fchmodat 272=unshare 288=accept4 304=open_by_handle_at 308=setns
		310=process_vm_readv 311=process_vm_writev 313=finit_module 316=renameat2 319=memfd_create 320=kexec_file_load 321=bpf
		322=execveat 323=userfaultfd 425=io_uring_setup 437=openat2`) {
		number, name, _ := strings.Cut(pair, "=")
		all[number] = name
	}
	return all
}()

// auditd reads one record of Linux' audit log, as the daemon writes it, as ausearch --raw does, and as it comes through
// syslog. The records of one event (SYSCALL, EXECVE, PATH) stay records of their own, as rules expect them: audit.id is the
// same for all of them.
//
//	type=EXECVE msg=audit(1747278007.123:4711): argc=2 a0="cat" a1="/etc/passwd"
//	audit: type=1300 audit(1747278007.123:4711): arch=c000003e syscall=59 success=yes exe="/usr/bin/cat" key="x"
func (d *Decoder) auditd(line []byte, r *Record) bool {
	t := &d.lines.audit
	at := bytes.Index(line, []byte("type="))
	stamp := bytes.Index(line, []byte("audit("))
	if at < 0 || stamp < at {
		return false
	}
	kind, _ := word(line[at+len("type="):])
	if name, ok := auditKinds[string(kind)]; ok {
		kind = d.write([]byte(name))
	}
	id, rest, ok := bytes.Cut(line[stamp+len("audit("):], []byte(")"))
	if !ok {
		return false
	}
	if end := bytes.IndexByte(id, ':'); end > 0 {
		r.Time = id[:end]
	}
	put(r, t.kind, kind)
	put(r, t.id, id)
	execve := string(kind) == "EXECVE"
	from := len(r.Values)
	d.auditPairs(bytes.TrimPrefix(rest, []byte(":")), r, execve, 0)
	switch {
	case execve:
		d.arguments(r, from)
	case string(kind) == "SYSCALL" && value(r, "SYSCALL") == nil && string(value(r, "arch")) == "c000003e":
		if name, ok := auditCalls[string(value(r, "syscall"))]; ok {
			put(r, t.call, d.write([]byte(name)))
		}
	}
	r.Class = classAuditd
	return true
}

// auditPairs reads the fields of a record: name=value, name="value", name=HEX of what has blanks or quotation marks in it,
// msg='...' with fields of its own. What the daemon adds in plain words stands behind a group separator.
func (d *Decoder) auditPairs(b []byte, r *Record, execve bool, depth int) {
	for len(b) > 0 {
		i := 0
		for i < len(b) && (b[i] == ' ' || b[i] == 0x1d || b[i] == ',') {
			i++
		}
		start := i
		for i < len(b) && b[i] != '=' && b[i] != ' ' && b[i] != 0x1d {
			i++
		}
		if i >= len(b) || b[i] != '=' {
			b = b[i:]
			continue
		}
		key := b[start:i]
		i++
		if i < len(b) && b[i] == '\'' && depth == 0 {
			end := bytes.LastIndexByte(b, '\'')
			if end <= i {
				end = len(b)
			}
			d.auditPairs(b[i+1:end], r, execve, 1)
			b = b[min(end+1, len(b)):]
			continue
		}
		if i < len(b) && b[i] == '"' {
			end := bytes.IndexByte(b[i+1:], '"')
			if end < 0 {
				end = len(b) - i - 1
			}
			d.keep(r, d.lines.audit.keys, key, b[i+1:i+1+end])
			b = b[min(i+end+2, len(b)):]
			continue
		}
		from := i
		for i < len(b) && b[i] != ' ' && b[i] != 0x1d {
			i++
		}
		text := b[from:i]
		if hexField(key, execve) {
			text = d.fromHex(text)
		}
		d.keep(r, d.lines.audit.keys, key, text)
		b = b[i:]
	}
}

// hexField says of which fields a text may be written as hexadecimal digits: those that the one who is watched chooses.
func hexField(key []byte, execve bool) bool {
	switch string(key) {
	case "proctitle", "name", "exe", "comm", "cwd", "cmd", "acct", "data", "path", "key", "dir", "file", "vm", "old-chardev", "new-chardev":
		return true
	}
	return execve && len(key) >= 2 && key[0] == 'a' && key[1] >= '0' && key[1] <= '9' && !bytes.HasSuffix(key, []byte("_len"))
}

// fromHex is the text that hexadecimal digits stand for, zeros as blanks (proctitle divides arguments by them); what is no
// such text stays as it is.
func (d *Decoder) fromHex(text []byte) []byte {
	if len(text) < 2 || len(text)%2 != 0 {
		return text
	}
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return text
		}
	}
	d.room(d.used, len(text)/2)
	from := d.used
	for i := 0; i < len(text); i += 2 {
		c := nibble(text[i])<<4 | nibble(text[i+1])
		if c == 0 {
			c = ' '
		}
		d.scratch[d.used] = c
		d.used++
	}
	return d.scratch[from:d.used:d.used]
}

func nibble(c byte) byte {
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}

// arguments adds the arguments of a program that was started as one command line.
func (d *Decoder) arguments(r *Record, from int) {
	need := 0
	for _, v := range r.Values[from:] {
		need += len(v.Text) + 1
	}
	d.room(d.used, need)
	start := d.used
	for _, v := range r.Values[from:] {
		if len(v.Name) >= 2 && v.Name[0] == 'a' && v.Name[1] >= '0' && v.Name[1] <= '9' && !bytes.HasSuffix(v.Name, []byte("_len")) {
			if d.used > start {
				d.scratch[d.used] = ' '
				d.used++
			}
			d.used += copy(d.scratch[d.used:], v.Text)
		}
	}
	if d.used > start {
		put(r, d.lines.audit.commandLine, d.scratch[start:d.used:d.used])
	}
}

package sigma

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"wardwatch/watch"
)

// common knows what values usually hold: how often four bytes stand beside each other, counted over the literals of the rules
// and a few hundred usual texts. It decides what is looked for and what a rule waits for, so it makes matching quicker or
// slower, and never different.
type common struct {
	grams [1 << 16]uint32
	bytes [1 << 8]uint32
	usual []string // folded
	costs map[costKey]float64
}

type costKey struct {
	lit string
	op  Op
}

// A usual text counts as much as so many literals.
const usualWeight = 16

func commonness(s *Set) *common {
	c := &common{costs: map[costKey]float64{}}
	for _, text := range strings.Split(usualTexts, "\n") {
		text = string(watch.Fold(nil, []byte(text)))
		c.usual = append(c.usual, text)
		c.count(text, usualWeight)
	}
	seen := map[string]bool{}
	for _, rule := range s.Rules {
		c.countExpr(rule.Condition, seen)
	}
	return c
}

func (c *common) countExpr(e Expr, seen map[string]bool) {
	switch e := e.(type) {
	case And:
		for _, part := range e {
			c.countExpr(part, seen)
		}
	case Or:
		for _, part := range e {
			c.countExpr(part, seen)
		}
	case Not:
		c.countExpr(e.Expr, seen)
	case *Predicate:
		if isNeedle(e) {
			if lit := newNeedle(e).lit; !seen[lit] {
				seen[lit] = true
				c.count(lit, 1)
			}
		}
	}
}

func (c *common) count(text string, weight uint32) {
	for i := 0; i+4 <= len(text); i++ {
		c.grams[gramSlot(text[i:])] += weight
	}
	for i := range len(text) {
		c.bytes[text[i]] += weight
	}
}

// rarestByte is the place in the literal of the byte that is the least common.
func (c *common) rarestByte(lit string) int {
	rare := 0
	for i := range len(lit) {
		if c.bytes[lit[i]] < c.bytes[lit[rare]] {
			rare = i
		}
	}
	return rare
}

// gramSlot is the place of the first four bytes of text, letters without their case.
func gramSlot(text string) uint32 {
	return (binary.LittleEndian.Uint32([]byte(text[:4])) | blank32) * 2654435761 >> 16
}

// at is how often the four bytes at the beginning of text are seen.
func (c *common) at(text string) uint32 { return c.grams[gramSlot(text)] }

// cost is how often a value is thought to fulfil the needle, between 0 and 1.
func (c *common) cost(n needle) float64 {
	key := costKey{n.lit, n.op}
	if cost, ok := c.costs[key]; ok {
		return cost
	}
	cost := c.guess(n)
	c.costs[key] = cost
	return cost
}

func (c *common) guess(n needle) float64 {
	if slices.ContainsFunc(c.usual, func(text string) bool { return couldBe(n, text) }) {
		return 0.3
	}
	switch n.op {
	case Equals:
		if len(n.lit) < 6 {
			return 0.02
		}
		return 0.001
	case StartsWith, EndsWith:
		if len(n.lit) < 4 {
			return 0.05
		}
	}
	switch len(n.lit) {
	case 1:
		return 0.9
	case 2:
		return 0.3
	case 3:
		return 0.1
	}
	rarest := uint32(math.MaxUint32)
	for i := 0; i+4 <= len(n.lit); i++ {
		rarest = min(rarest, c.at(n.lit[i:]))
	}
	return min(0.05, 0.0005+0.0002*float64(rarest)) + 0.02/float64(len(n.lit)*len(n.lit))
}

func couldBe(n needle, text string) bool {
	switch n.op {
	case Equals:
		return text == n.lit
	case StartsWith:
		return strings.HasPrefix(text, n.lit)
	case EndsWith:
		return strings.HasSuffix(text, n.lit)
	}
	return strings.Contains(text, n.lit)
}

// usualTexts are values that machines write all day.
const usualTexts = `C:\Windows\System32\svchost.exe
C:\Windows\system32\lsass.exe
C:\Windows\System32\services.exe
C:\Windows\Explorer.EXE
C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe
C:\Windows\System32\cmd.exe
C:\Windows\System32\conhost.exe
C:\Windows\System32\csrss.exe
C:\Windows\System32\wbem\WmiPrvSE.exe
C:\Windows\System32\RuntimeBroker.exe
C:\Windows\System32\backgroundTaskHost.exe
C:\Windows\System32\taskhostw.exe
C:\Windows\System32\rundll32.exe
C:\Windows\SysWOW64\msiexec.exe
C:\Program Files\Windows Defender\MsMpEng.exe
C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe
C:\Program Files\Google\Chrome\Application\chrome.exe
C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.2007.8-0\MsMpEng.exe
C:\Users\user\AppData\Local\Temp\file.tmp
C:\Users\user\AppData\Local\Microsoft\OneDrive\OneDrive.exe
C:\Users\user\AppData\Roaming\Microsoft\Windows\Start Menu\Programs
C:\Windows\SYSTEM32\ntdll.dll+9c524|C:\Windows\System32\KERNELBASE.dll+2726d|C:\Windows\System32\kernel32.dll|UNKNOWN(00007FFA)
C:\Windows\System32\combase.dll
C:\Windows\System32\user32.dll
C:\Windows\System32\advapi32.dll
C:\Windows\System32\rpcrt4.dll
C:\Windows\System32\amsi.dll
C:\Windows\assembly\NativeImages_v4.0.30319_64\System.Management.Automation\System.Management.Automation.ni.dll
C:\Windows\Microsoft.NET\Framework64\v4.0.30319\clr.dll
\Device\HarddiskVolume2\Windows\System32\svchost.exe
HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer
HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion
HKLM\SOFTWARE\WOW6432Node\Microsoft
HKLM\SOFTWARE\Policies\Microsoft\Windows
HKLM\System\CurrentControlSet\Services\bam\State\UserSettings
HKLM\System\CurrentControlSet\Services\Tcpip\Parameters
HKLM\System\CurrentControlSet\Control\
HKU\S-1-5-21-1-2-3-500\Software\Microsoft\Windows\CurrentVersion
HKU\.DEFAULT\Software\Classes\Local Settings
HKCR\CLSID
SetValue
CreateKey
DeleteValue
DWORD (0x00000001)
DWORD (0x00000000)
Binary Data
(Empty)
NT AUTHORITY\SYSTEM
NT AUTHORITY\NETWORK SERVICE
LOCAL SERVICE
SYSTEM
S-1-5-18
S-1-5-20
S-1-0-0
Microsoft Corporation
Microsoft Windows
Microsoft Windows Operating System
Valid
true
false
-
0
1
3
4
5
6
7
8
10
11
12
13
80
443
53
0x0
0x1
0x10
0x20
0x400
0x1000
0x1400
0x1410
0x3000
0x1f0fff
0x1fffff
0x40
tcp
udp
High
Medium
System
10.0.17763.1 (WinBuild.160101.0800)
SHA1=
MD5=
SHA256=
IMPHASH=00000000000000000000000000000000
127.0.0.1
192.168.1.1
0:0:0:0:0:0:0:1
4624
4634
4648
4656
4658
4662
4663
4672
4673
4688
4689
4690
4703
5140
5145
5156
5158
4103
4104
Microsoft-Windows-Sysmon
Microsoft-Windows-Sysmon/Operational
Microsoft-Windows-Security-Auditing
Microsoft-Windows-PowerShell/Operational
Security
Service Control Manager
Key
File
Process
Token
Event
powershell.exe -NoProfile -ExecutionPolicy Bypass -Command
PowerShell.EXE
Cmd.Exe
svchost.exe
C:\Windows\system32\svchost.exe -k netsvcs -p -s
-k LocalSystemNetworkRestricted
"C:\Program Files\
%%1234
Failure
Success
AwsApiCall
ec2.amazonaws.com
s3.amazonaws.com
sts.amazonaws.com
us-east-1
IAMUser
AssumedRole
Root
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36
GET
POST
HTTP/1.1
200
404
https://www.example.com/index.html
http://www.example.com/
/usr/bin/bash
/bin/sh
/usr/bin/sudo
/usr/sbin/sshd
/usr/bin/python3
/etc/
/tmp/
/var/log/
root
EXECVE
SYSCALL
PATH
CommandInvocation(Out-Default): "Out-Default"
CommandInvocation(Set-StrictMode): "Set-StrictMode"
ParameterBinding(Set-StrictMode): name="Version"; value="Latest"
Host Application = C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe
        Severity = Informational
        Engine Version = 5.1.17763.1
        User = 
        Shell ID = Microsoft.PowerShell
        Script Name = 
Creating Scriptblock text (1 of 1):
function param return if else foreach $_ $true $false Write-Output New-Object Import-Module
prompt`
